"""What happens to a message at the simulated Twilio, and when; its magic numbers.

The last four digits of a number with an error are that of Twilio's code without its second digit (30003 → 3003,
21610 → 2610); behaviours have 9xxx.
"""

from __future__ import annotations

from bellhop.sandbox.magic import Magic, MagicTable
from bellhop.sandbox.scenarios import Step

MOMENTS: dict[str, tuple[str, float]] = {
    "queued": ("twilio_sent_after", 0.3),
    "sending": ("twilio_sent_after", 0.6),
    "sent": ("twilio_sent_after", 1.0),
    "delivered": ("twilio_delivered_after", 1.0),
    "undelivered": ("twilio_delivered_after", 1.0),
    "failed": ("twilio_delivered_after", 1.0),
    "read": ("twilio_read_after", 1.0),
}

TONES = {
    "delivered": "good",
    "received": "good",
    "read": "best",
    "failed": "bad",
    "undelivered": "bad",
    "canceled": "odd",
}

# No callback for the status a message is created with; `queued` follows only where that was `accepted` or `scheduled`.
# https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
SMS: tuple[Step, ...] = (Step("sent"), Step("delivered"))
SMS_BY_SERVICE: tuple[Step, ...] = (Step("queued"), Step("sent"), Step("delivered"))
CHAT: tuple[Step, ...] = (Step("sent"), Step("delivered"), Step("read"))


RCS = (("From", "rcs:bellhop_sandbox_agent"), ("ChannelPrefix", "rcs"))
"""By which sender a Messaging Service sends to a phone that has RCS. By a number's own it is an SMS all the same."""


def _fails(word: str, code: int) -> tuple[Step, ...]:
    return (Step("sent"), Step(word, code)) if word == "undelivered" else (Step(word, code),)


MAGIC = MagicTable(
    "numbers",
    (
        Magic("+13055552211", "refused at create: 21211 invalid To", refused=21211),
        Magic("+13055552408", "refused at create: 21408 country not enabled", refused=21408),
        Magic("+13055552610", "refused at create: 21610 opted out", refused=21610),
        Magic("+13055552612", "refused at create: 21612 cannot be routed", refused=21612),
        Magic("+13055552614", "refused at create: 21614 not a mobile number", refused=21614),
        Magic("+13055553001", "failed 30001 queue overflow", steps=_fails("failed", 30001)),
        Magic("+13055553002", "failed 30002 account suspended", steps=_fails("failed", 30002)),
        Magic("+13055553003", "sent, then undelivered 30003 unreachable handset", steps=_fails("undelivered", 30003)),
        Magic("+13055553004", "sent, then undelivered 30004 blocked", steps=_fails("undelivered", 30004)),
        Magic("+13055553005", "sent, then undelivered 30005 unknown handset", steps=_fails("undelivered", 30005)),
        Magic("+13055553006", "sent, then undelivered 30006 landline", steps=_fails("undelivered", 30006)),
        Magic("+13055553007", "sent, then undelivered 30007 filtered", steps=_fails("undelivered", 30007)),
        Magic("+13055553008", "sent, then undelivered 30008 unknown error", steps=_fails("undelivered", 30008)),
        Magic("+13055553036", "failed 30036 validity period expired", steps=_fails("failed", 30036)),
        Magic("+13055556003", "failed 63003 no such address on the channel", steps=_fails("failed", 63003)),
        Magic("+13055556014", "failed 63014 blocked by the guest", steps=_fails("failed", 63014)),
        Magic("+13055556016", "failed 63016 outside WhatsApp's window in any case", steps=_fails("failed", 63016)),
        Magic("+13055556018", "failed 63018 rate of the channel", steps=_fails("failed", 63018)),
        Magic("+13055556024", "failed 63024 invalid recipient on the channel", steps=_fails("failed", 63024)),
        Magic("+13055556032", "failed 63032 WhatsApp's limit on this guest", steps=_fails("failed", 63032)),
        Magic("+13055556049", "failed 63049 WhatsApp chose not to deliver marketing", steps=_fails("failed", 63049)),
        Magic(
            "+13055557272",
            "by a Messaging Service as RCS, and delivered",
            steps=(Step("queued"), Step("sent", fields=RCS), Step("delivered", fields=RCS)),
        ),
        Magic(
            "+13055557676",
            "by a Messaging Service as RCS, which falls back to SMS",
            steps=(Step("queued"), Step("sent", fields=RCS), Step("delivered")),
        ),
        Magic("+13055559031", "stays queued: nothing ever happens", steps=()),
        Magic("+13055559032", "sent, and no more", steps=(Step("sent"),)),
        Magic(
            "+13055559033",
            "every status: queued, sending, sent, delivered",
            steps=(Step("queued"), Step("sending"), Step("sent"), Step("delivered")),
        ),
        Magic(
            "+13055559034",
            "undelivered 30003, and delivered after all",
            steps=(Step("sent"), Step("undelivered", 30003), Step("delivered", late=2)),
        ),
        Magic("+13055559035", "sent and delivered, never read", steps=(Step("sent"), Step("delivered"))),
    ),
)
