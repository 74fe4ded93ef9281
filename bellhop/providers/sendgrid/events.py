"""What SendGrid's events say, of the Event Webhook and of the Email Activity alike.

twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.consents import OF_A_GROUP
from bellhop.domain.delivery_ports import Receipt
from bellhop.domain.statuses import Stage
from bellhop.providers.package import Meaning
from bellhop.providers.reading import fingerprint, uuid_of
from bellhop.providers.sendgrid import activity
from bellhop.providers.sendgrid.codes import DROPPED, EVENTS, MACHINE_OPEN, NOTHING, REASONS


def _text(event: Mapping[str, object], name: str) -> str | None:
    value = event.get(name)
    return value if isinstance(value, str) and value else None


def _meaning(event: Mapping[str, object], word: str) -> tuple[Meaning, str | None]:
    """The row for an event, and SendGrid's code for a failure: an enhanced status (RFC 3463) or the reason's name."""
    status = _text(event, "status")
    code = status if status and re.fullmatch(r"\d\.\d{1,3}\.\d{1,3}", status) else None
    if word == "bounce" and event.get("type") == "blocked":
        word = "bounce, blocked"
    if word == "dropped":
        given = (_text(event, "reason") or "").lower()
        # "Spam Content (if Spam Checker app is enabled)": what follows in brackets varies.
        reason = next((each for each in (given, given.split("(")[0].strip()) if each in REASONS), None)
        return REASONS.get(reason or "", DROPPED), reason or code or "dropped"
    return EVENTS.get(word, NOTHING), code


def receipt(event: Mapping[str, object]) -> Receipt:
    word = _text(event, "event") or "unknown"
    if word == "open" and event.get("sg_machine_open") is True:
        word = MACHINE_OPEN
    meaning, code = _meaning(event, word)
    message = _text(event, "sg_message_id")
    failed = meaning.stage is Stage.UNDELIVERED
    address = _text(event, "email") if meaning.effect else None
    return Receipt(
        dedupe_key=_text(event, "sg_event_id") or fingerprint(event),
        word=word,
        stage=meaning.stage,
        attempt_id=uuid_of(event.get("attempt_id")),
        # X-Message-Id with the filter's and the receiver's suffix; some asynchronous bounces have none.
        provider_id=re.split(r"\.(?:filter|recv)", message)[0] if message else None,
        payload=dict(event),
        code=meaning.code,
        provider_code=code if failed else None,
        occurred_at=_time(event.get("timestamp")),
        effect=meaning.effect,
        effect_group=_group(event) if meaning.effect in OF_A_GROUP else None,
        address=address,
        address_kind=CHANNELS[Channel.EMAIL].address if address else None,
    )


def _group(event: Mapping[str, object]) -> str | None:
    """The unsubscribe group of an event: a number, as SendGrid has it."""
    given = event.get("asm_group_id")
    return str(given)[:40] if isinstance(given, int | str) and not isinstance(given, bool) and given != "" else None


def reported(message: Mapping[str, Any], detail: Mapping[str, Any], attempt_id: UUID | None) -> Receipt:
    """What the Email Activity says, as the webhook would have said it; no address and no text in the payload."""
    event = activity.event(message, detail)
    found = receipt({**event, "attempt_id": str(attempt_id or ""), "email": message.get("to_email")})
    return replace(
        found,
        dedupe_key=f"activity:{found.provider_id}:{found.word}:{found.provider_code or ''}",
        payload={"asked": True, "status": str(message.get("status")), "event": found.word,
                 "code": found.provider_code, "sg_message_id": str(message["msg_id"])},
    )  # fmt: skip


def _time(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
