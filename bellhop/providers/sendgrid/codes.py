"""SendGrid's words: what its answers to mail/send mean, the events of its webhook, and why it drops a message."""

from __future__ import annotations

from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage
from bellhop.providers.package import Meaning

ANSWERS: dict[int, tuple[SendKind, FailureCode]] = {
    # Only with SendGrid's own body, {"errors": [...]}: it says that it is not taking requests. There is no look-up that
    # every account may use (the Email Activity API is an add-on), so calling these unknown would fail messages that a
    # minute later go out. A 500 is not among them: something broke while the request was being worked on, perhaps
    # after it was taken; like a gateway's 5xx it is settled by the `processed` event, a look-up, or not at all.
    429: (SendKind.RETRY, FailureCode.LIMIT_REACHED),
    503: (SendKind.RETRY, FailureCode.PROVIDER_ERROR),
}
FIELDS: tuple[tuple[str, FailureCode], ...] = (
    # A 400 names the field it is about (docs.sendgrid.com/api-reference/mail-send/errors); the first match counts.
    (r"personalizations(\.\d+)?\.to(\.|$)", FailureCode.ADDRESS_INVALID),
    (r"(from|reply_to)(\.|$)", FailureCode.CONFIGURATION),
    (r"(content|subject|personalizations\.\d+\.subject)(\.|$)", FailureCode.CONTENT_REFUSED),
)

MACHINE_OPEN = "machine_open"
"""Our word for an `open` that no person made."""
NOTHING = Meaning(None)
DROPPED = Meaning(Stage.UNDELIVERED, FailureCode.REJECTED)

EVENTS: dict[str, Meaning] = {
    # docs.sendgrid.com/for-developers/tracking-events/event
    "processed": Meaning(Stage.SENT),
    "deferred": NOTHING,  # SendGrid tries on for 72 hours, then says `bounce`, type blocked
    "delivered": Meaning(Stage.DELIVERED),
    "open": Meaning(Stage.READ),
    MACHINE_OPEN: NOTHING,  # Apple's mail privacy opens everything (sg_machine_open)
    "click": Meaning(Stage.READ),
    "bounce": Meaning(Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    "bounce, blocked": Meaning(Stage.UNDELIVERED, FailureCode.BLOCKED),  # this time: the address itself may be fine
    "dropped": DROPPED,
    "spamreport": Meaning(None, effect=Effect.COMPLAINT),  # it had to arrive to be reported: no failure
    "unsubscribe": Meaning(None, effect=Effect.UNSUBSCRIBE),
    "group_unsubscribe": Meaning(None, effect=Effect.GROUP_UNSUBSCRIBE),
    "group_resubscribe": Meaning(None, effect=Effect.GROUP_RESUBSCRIBE),
}
REASONS: dict[str, Meaning] = {
    # Why SendGrid dropped a message after its 202; the account's own suppression lists are mirrored here.
    "bounced address": Meaning(Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    "invalid": Meaning(Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    "unsubscribed address": Meaning(Stage.UNDELIVERED, FailureCode.OPTED_OUT, Effect.UNSUBSCRIBE),
    "spam reporting address": Meaning(Stage.UNDELIVERED, FailureCode.OPTED_OUT, Effect.COMPLAINT),
    "spam content": Meaning(Stage.UNDELIVERED, FailureCode.CONTENT_REFUSED),
    "recipient list over package quota": Meaning(Stage.UNDELIVERED, FailureCode.LIMIT_REACHED),
    "invalid smtpapi header": DROPPED,
}
