"""What will happen to a message once accepted: beats (the provider's words, in order) turned into timed steps.

A callback effect changes when and how often the sender is told, never what happens to the message itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from bellhop.sandbox.settings import Settings
from bellhop.sandbox.store import Step


@dataclass(frozen=True, slots=True)
class Beat:
    """One word of the provider, with its error code or extra event fields; `late` stretches its usual moment."""

    word: str
    code: int | None = None
    fields: tuple[tuple[str, Any], ...] = ()
    late: float = 1.0


# When a word comes: the setting that says so, and the part of it.
MOMENTS: dict[str, tuple[str, float]] = {
    "queued": ("twilio_sent_after", 0.3),
    "sending": ("twilio_sent_after", 0.6),
    "sent": ("twilio_sent_after", 1.0),
    "delivered": ("twilio_delivered_after", 1.0),
    "undelivered": ("twilio_delivered_after", 1.0),
    "failed": ("twilio_delivered_after", 1.0),
    "read": ("twilio_read_after", 1.0),
    "email processed": ("sendgrid_processed_after", 1.0),
    "email deferred": ("sendgrid_delivered_after", 0.6),
    "email delivered": ("sendgrid_delivered_after", 1.0),
    "email bounce": ("sendgrid_delivered_after", 1.0),
    "email dropped": ("sendgrid_processed_after", 1.0),
    "email open": ("sendgrid_open_after", 1.0),
    "email click": ("sendgrid_open_after", 1.2),
    "email spamreport": ("sendgrid_open_after", 1.4),
    "email unsubscribe": ("sendgrid_open_after", 1.4),
    "email group_unsubscribe": ("sendgrid_open_after", 1.4),
    "email group_resubscribe": ("sendgrid_open_after", 1.6),
}

# No callback for the status a message is created with; `queued` follows only where that was `accepted` or `scheduled`.
# https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
SMS: tuple[Beat, ...] = (Beat("sent"), Beat("delivered"))
SMS_BY_SERVICE: tuple[Beat, ...] = (Beat("queued"), Beat("sent"), Beat("delivered"))
CHAT: tuple[Beat, ...] = (Beat("sent"), Beat("delivered"), Beat("read"))
EMAIL: tuple[Beat, ...] = (Beat("processed"), Beat("delivered"), Beat("open"))


def after(provider: str, beat: Beat, settings: Settings) -> float:
    """Seconds between acceptance and this beat."""
    setting, part = MOMENTS[f"email {beat.word}" if provider == "sendgrid" else beat.word]
    return float(getattr(settings, setting)) * part * beat.late


def fresh_token(payload: dict[str, Any]) -> dict[str, Any]:
    """The same callback sent anew instead of retried: Twilio gives it another token, SendGrid the same event id."""
    token = "I-Twilio-Idempotency-Token"
    return {**payload, token: str(uuid4())} if token in payload else dict(payload)


@dataclass(frozen=True, slots=True)
class CallbackEffect:
    """How the telling is disturbed: `delay` in seconds, `times` how often each callback comes altogether."""

    kind: str
    delay: float = 10.0
    times: int = 3


def _drop(callbacks: list[Step], effect: CallbackEffect) -> list[Step]:
    return []


def _repeat(callbacks: list[Step], effect: CallbackEffect) -> list[Step]:
    """Every other repetition is a retry (same token), the rest are fresh sendings."""
    repeated: list[Step] = []
    spacing = min(0.05, 5.0 / effect.times)
    for step in callbacks:
        for turn in range(effect.times):
            payload = fresh_token(step.payload) if turn % 2 == 0 and turn else dict(step.payload)
            repeated.append(replace(step, due=step.due + spacing * turn, payload=payload))
    return repeated


def _delay(callbacks: list[Step], effect: CallbackEffect) -> list[Step]:
    return [replace(step, due=step.due + effect.delay) for step in callbacks]


def _reorder(callbacks: list[Step], effect: CallbackEffect) -> list[Step]:
    """Last things first. Nothing is told before it happened: the first callback waits for the last beat."""
    last = max((step.due for step in callbacks), default=0.0)
    return [replace(step, due=last + 0.15 * turn) for turn, step in enumerate(reversed(callbacks))]


CALLBACK_KINDS: dict[str, Callable[[list[Step], CallbackEffect], list[Step]]] = {
    "callback_drop": _drop,
    "callback_repeat": _repeat,
    "callback_delay": _delay,
    "callback_reorder": _reorder,
}


def disturbed(steps: list[Step], effect: CallbackEffect | None) -> list[Step]:
    """The steps with their telling disturbed; what happens to the message stays as it was."""
    if effect is None:
        return steps
    silent = [replace(step, told=0) for step in steps if step.applies]
    callbacks = [replace(step, applies=0) for step in steps if step.told]
    return sorted(silent + CALLBACK_KINDS[effect.kind](callbacks, effect), key=lambda step: step.due)
