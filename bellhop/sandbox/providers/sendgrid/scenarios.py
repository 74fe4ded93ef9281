"""What happens to a mail at the simulated SendGrid, and when; its magic mailboxes."""

from __future__ import annotations

from bellhop.sandbox.magic import Magic, MagicTable
from bellhop.sandbox.scenarios import Step

MOMENTS: dict[str, tuple[str, float]] = {
    "processed": ("sendgrid_processed_after", 1.0),
    "deferred": ("sendgrid_delivered_after", 0.6),
    "delivered": ("sendgrid_delivered_after", 1.0),
    "bounce": ("sendgrid_delivered_after", 1.0),
    "dropped": ("sendgrid_processed_after", 1.0),
    "open": ("sendgrid_open_after", 1.0),
    "click": ("sendgrid_open_after", 1.2),
    "spamreport": ("sendgrid_open_after", 1.4),
    "unsubscribe": ("sendgrid_open_after", 1.4),
    "group_unsubscribe": ("sendgrid_open_after", 1.4),
    "group_resubscribe": ("sendgrid_open_after", 1.6),
}

TONES = {
    "delivered": "good",
    "open": "best",
    "click": "best",
    "bounce": "bad",
    "dropped": "bad",
    "spamreport": "bad",
    "deferred": "odd",
    "unsubscribe": "odd",
    "group_unsubscribe": "odd",
}

TRACKED_IN_HTML = frozenset({"open", "click"})
"""What is only ever told of a mail of HTML (and of a template, which may be one)."""
EMAIL: tuple[Step, ...] = (Step("processed"), Step("delivered"), Step("open"))


def _bounce(kind: str, status: str, reason: str, classification: str, late: float = 1.0) -> Step:
    return Step(
        "bounce",
        late=late,
        fields=(("type", kind), ("status", status), ("reason", reason), ("bounce_classification", classification)),
    )


def _dropped(reason: str) -> tuple[Step, ...]:
    return (Step("dropped", fields=(("reason", reason), ("status", "5.0.0"))),)


_PROCESSED, _DELIVERED, _OPEN = Step("processed"), Step("delivered"), Step("open")
_REACHED = (_PROCESSED, _DELIVERED)
_READ = (_PROCESSED, _DELIVERED, _OPEN)
_DEFERRED = Step("deferred", fields=(("attempt", "1"), ("response", "421 4.7.0 Try again later")))

MAGIC = MagicTable(
    "mailboxes",
    (
        Magic(
            "bounce",
            "processed, bounce (5.1.1, no such mailbox)",
            steps=(
                _PROCESSED,
                _bounce("bounce", "5.1.1", "550 5.1.1 The email account does not exist", "Invalid Address"),
            ),
        ),
        Magic(
            "blocked",
            "processed, bounce of type blocked",
            steps=(_PROCESSED, _bounce("blocked", "5.7.1", "550 5.7.1 Message rejected by policy", "Reputation")),
        ),
        Magic(
            "latebounce",
            "processed, delivered, then bounce (5.2.2, the server took it and sent it back)",
            steps=(*_REACHED, _bounce("bounce", "5.2.2", "552 5.2.2 Mailbox full", "Mailbox Unavailable", late=3.0)),
        ),
        Magic("dropped", "dropped: Bounced Address", steps=_dropped("Bounced Address")),
        Magic("invalid", "dropped: Invalid", steps=_dropped("Invalid")),
        Magic("unsubscribed", "dropped: Unsubscribed Address", steps=_dropped("Unsubscribed Address")),
        Magic("spamreporter", "dropped: Spam Reporting Address", steps=_dropped("Spam Reporting Address")),
        Magic(
            "spamcontent",
            "dropped: Spam Content (if spam checker app enabled)",
            steps=_dropped("Spam Content (if spam checker app enabled)"),
        ),
        Magic("spam", "delivered, then spamreport", steps=(*_REACHED, Step("spamreport"))),
        Magic("unsubscribe", "opened, then unsubscribe", steps=(*_READ, Step("unsubscribe"))),
        Magic("deferred", "deferred, then delivered and opened", steps=(_PROCESSED, _DEFERRED, _DELIVERED, _OPEN)),
        Magic("deferring", "deferred, and no more", steps=(_PROCESSED, _DEFERRED)),
        Magic("noopen", "processed, delivered, never opened", steps=_REACHED),
        Magic(
            "machineopen",
            "opened by a machine (Apple Mail Privacy Protection)",
            steps=(*_REACHED, Step("open", fields=(("sg_machine_open", True),))),
        ),
        Magic("click", "opened and clicked", steps=(*_READ, Step("click"))),
        Magic("noevents", "accepted, and nothing ever happens", steps=()),
    ),
)
