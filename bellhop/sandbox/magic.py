"""Magic recipients: numbers and local parts that make something happen to every message sent to them.

One literal table, one reader (`lookup`). A row names a fault kind, or the error a call is refused with, or the words
that follow acceptance. The last four digits of a number with an error are that of Twilio's code without its second
digit (30003 → 3003, 21610 → 2610); behaviours have 9xxx. E-mail: any domain, and `bounce+room7@…` is `bounce` too.
"""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.scenarios import Beat


@dataclass(frozen=True, slots=True)
class Magic:
    """One row: the number or local part, what happens in a sentence, and how."""

    address: str
    says: str
    fault: str | None = None
    refused: int | None = None
    beats: tuple[Beat, ...] | None = None

    @property
    def asked(self) -> FaultRequest | None:
        return FaultRequest(kind=self.fault) if self.fault else None


def _fails(word: str, code: int) -> tuple[Beat, ...]:
    return (Beat("sent"), Beat(word, code)) if word == "undelivered" else (Beat(word, code),)


def _bounce(kind: str, status: str, reason: str, classification: str) -> Beat:
    return Beat(
        "bounce",
        fields=(("type", kind), ("status", status), ("reason", reason), ("bounce_classification", classification)),
    )


def _dropped(reason: str) -> tuple[Beat, ...]:
    return (Beat("dropped", fields=(("reason", reason), ("status", "5.0.0"))),)


_PROCESSED, _DELIVERED, _OPEN = Beat("processed"), Beat("delivered"), Beat("open")
_REACHED = (_PROCESSED, _DELIVERED)
_READ = (_PROCESSED, _DELIVERED, _OPEN)

NUMBERS: tuple[Magic, ...] = (
    Magic("+13055552211", "refused at create: 21211 invalid To", refused=21211),
    Magic("+13055552408", "refused at create: 21408 country not enabled", refused=21408),
    Magic("+13055552610", "refused at create: 21610 opted out", refused=21610),
    Magic("+13055552612", "refused at create: 21612 cannot be routed", refused=21612),
    Magic("+13055552614", "refused at create: 21614 not a mobile number", refused=21614),
    Magic("+13055553001", "failed 30001 queue overflow", beats=_fails("failed", 30001)),
    Magic("+13055553002", "failed 30002 account suspended", beats=_fails("failed", 30002)),
    Magic("+13055553003", "sent, then undelivered 30003 unreachable handset", beats=_fails("undelivered", 30003)),
    Magic("+13055553004", "sent, then undelivered 30004 blocked", beats=_fails("undelivered", 30004)),
    Magic("+13055553005", "sent, then undelivered 30005 unknown handset", beats=_fails("undelivered", 30005)),
    Magic("+13055553006", "sent, then undelivered 30006 landline", beats=_fails("undelivered", 30006)),
    Magic("+13055553007", "sent, then undelivered 30007 filtered", beats=_fails("undelivered", 30007)),
    Magic("+13055553008", "sent, then undelivered 30008 unknown error", beats=_fails("undelivered", 30008)),
    Magic("+13055553036", "failed 30036 validity period expired", beats=_fails("failed", 30036)),
    Magic("+13055559001", "slow: answers after 3 s", "slow"),
    Magic("+13055559002", "hang: never answers, not accepted", "hang"),
    Magic("+13055559003", "reset: connection reset, not accepted", "reset"),
    Magic("+13055559004", "unavailable: 503, not accepted", "unavailable"),
    Magic("+13055559005", "rate_limit: 429, not accepted", "rate_limit"),
    Magic("+13055559011", "accept_then_error: accepted, answers 500", "accept_then_error"),
    Magic("+13055559012", "accept_then_hang: accepted, never answers", "accept_then_hang"),
    Magic("+13055559013", "accept_then_reset: accepted, connection reset", "accept_then_reset"),
    Magic("+13055559014", "accept_then_slow: accepted, answers after 3 s", "accept_then_slow"),
    Magic("+13055559021", "callback_drop: delivered, but no callbacks", "callback_drop"),
    Magic("+13055559022", "callback_repeat: each callback three times", "callback_repeat"),
    Magic("+13055559023", "callback_delay: callbacks 10 s late", "callback_delay"),
    Magic("+13055559024", "callback_reorder: `delivered` before `sent`", "callback_reorder"),
    Magic("+13055559031", "stays queued: nothing ever happens", beats=()),
    Magic("+13055559032", "sent, and no more", beats=(Beat("sent"),)),
    Magic(
        "+13055559033",
        "every status: queued, sending, sent, delivered",
        beats=(Beat("queued"), Beat("sending"), Beat("sent"), Beat("delivered")),
    ),
    Magic(
        "+13055559034",
        "undelivered 30003, and delivered after all",
        beats=(Beat("sent"), Beat("undelivered", 30003), Beat("delivered", late=2)),
    ),
)

MAILBOXES: tuple[Magic, ...] = (
    Magic(
        "bounce",
        "processed, bounce (5.1.1, no such mailbox)",
        beats=(_PROCESSED, _bounce("bounce", "5.1.1", "550 5.1.1 The email account does not exist", "Invalid Address")),
    ),
    Magic(
        "blocked",
        "processed, bounce of type blocked",
        beats=(_PROCESSED, _bounce("blocked", "5.7.1", "550 5.7.1 Message rejected by policy", "Reputation")),
    ),
    Magic("dropped", "dropped: Bounced Address", beats=_dropped("Bounced Address")),
    Magic("invalid", "dropped: Invalid", beats=_dropped("Invalid")),
    Magic("unsubscribed", "dropped: Unsubscribed Address", beats=_dropped("Unsubscribed Address")),
    Magic("spamreporter", "dropped: Spam Reporting Address", beats=_dropped("Spam Reporting Address")),
    Magic(
        "spamcontent",
        "dropped: Spam Content (if spam checker app enabled)",
        beats=_dropped("Spam Content (if spam checker app enabled)"),
    ),
    Magic("spam", "delivered, then spamreport", beats=(*_REACHED, Beat("spamreport"))),
    Magic("unsubscribe", "opened, then unsubscribe", beats=(*_READ, Beat("unsubscribe"))),
    Magic(
        "deferred",
        "deferred, then delivered and opened",
        beats=(
            _PROCESSED,
            Beat("deferred", fields=(("attempt", "1"), ("response", "421 4.7.0 Try again later"))),
            _DELIVERED,
            _OPEN,
        ),
    ),
    Magic(
        "deferring",
        "deferred, and no more",
        beats=(_PROCESSED, Beat("deferred", fields=(("attempt", "1"), ("response", "421 4.7.0 Try again later")))),
    ),
    Magic("noopen", "processed, delivered, never opened", beats=_REACHED),
    Magic(
        "machineopen",
        "opened by a machine (Apple Mail Privacy Protection)",
        beats=(*_REACHED, Beat("open", fields=(("sg_machine_open", True),))),
    ),
    Magic("click", "opened and clicked", beats=(*_READ, Beat("click"))),
    Magic("noevents", "accepted, and nothing ever happens", beats=()),
    Magic("slow", "slow: answers after 3 s", "slow"),
    Magic("hang", "hang: never answers, not accepted", "hang"),
    Magic("reset", "reset: connection reset, not accepted", "reset"),
    Magic("unavailable", "unavailable: 503, not accepted", "unavailable"),
    Magic("ratelimit", "rate_limit: 429, not accepted", "rate_limit"),
    Magic("accept-error", "accept_then_error: accepted, answers 500", "accept_then_error"),
    Magic("accept-hang", "accept_then_hang: accepted, never answers", "accept_then_hang"),
    Magic("accept-reset", "accept_then_reset: accepted, connection reset", "accept_then_reset"),
    Magic("accept-slow", "accept_then_slow: accepted, answers after 3 s", "accept_then_slow"),
    Magic("dropevents", "callback_drop: delivered and opened, but no events", "callback_drop"),
    Magic("repeatevents", "callback_repeat: each event three times", "callback_repeat"),
    Magic("delayevents", "callback_delay: events 10 s late", "callback_delay"),
    Magic("reorderevents", "callback_reorder: `open` first, `processed` last", "callback_reorder"),
)

_NUMBERS = {row.address: row for row in NUMBERS}
_MAILBOXES = {row.address: row for row in MAILBOXES}


def lookup(address: str) -> Magic | None:
    """The row of a number (`whatsapp:` and the like aside) or of an e-mail address, if it is magic."""
    if "@" in address:
        return _MAILBOXES.get(address.partition("@")[0].partition("+")[0].casefold())
    return _NUMBERS.get(address.rpartition(":")[2])
