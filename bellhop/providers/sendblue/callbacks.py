"""Sendblue's callbacks: who made them, and what they say.

A `status_callback` bears no signature, so its address does: the attempt's id beside a keyed hash of it, which nobody
makes without the account's secret. What it says is believed of that attempt alone. The webhook `receive` bears the
account's signing secret in the header `sb-signing-secret`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bellhop.domain.channels import CHANNELS, Channel, Service
from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import Account, CallbackRequest, Inbound, Receipt
from bellhop.domain.failures import FailureCode
from bellhop.domain.inbound_details import Group, InboundDetails, Media
from bellhop.domain.statuses import Stage
from bellhop.providers.reading import clean, fingerprint, from_json, uuid_of
from bellhop.providers.sendblue.codes import STAGES, code_of

KEPT = (
    "status", "error_code", "error_key", "error_message", "error_reason", "error_detail", "message_handle", "service",
    "was_downgraded", "date_sent", "date_updated", "send_style", "message_type", "group_id", "opted_out",
)  # fmt: skip
"""What a receipt keeps of a callback: what became of the message, not its text and not whom it went to."""


def token(secret: str, attempt_id: object) -> str:
    """What stands beside an attempt's id in its callback address."""
    return hmac.digest(secret.encode(), f"status callback of attempt {attempt_id}".encode(), hashlib.sha256).hex()[:40]


def genuine(account: Account, request: CallbackRequest) -> bool:
    """Whether Sendblue made it for this account, by its current or previous secret."""
    if request.path == "status":
        attempt, given = request.query.get("attempt", ""), request.query.get("token", "").encode()
        secrets = _secrets(account, "api_secret_key")
        matches = [hmac.compare_digest(token(secret, attempt).encode(), given) for secret in secrets]
        return bool(attempt) and any(matches)
    given = request.headers.get("sb-signing-secret", "").encode()
    matches = [hmac.compare_digest(secret.encode(), given) for secret in _secrets(account, "signing_secret")]
    return any(matches)


def _secrets(account: Account, name: str) -> list[str]:
    both = (account.credentials.get(name), account.previous_credentials.get(name))
    return [secret for secret in both if secret]


def fields_of(request: CallbackRequest) -> dict[str, Any]:
    """The JSON object a callback is. Raises ValueError."""
    body = from_json(request.body)
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body


def receipt(fields: Mapping[str, Any], query: Mapping[str, str]) -> Receipt:
    """A status callback. Raises ValueError on what is none."""
    attempt = uuid_of(query.get("attempt"))
    if attempt is None:
        raise ValueError("no attempt in the address: not a request of Sendblue's")
    return fact(fields, attempt)


def fact(fields: Mapping[str, Any], attempt_id: UUID | None) -> Receipt:
    """One status of one message, however it came: told or asked, it is the same fact under one key."""
    handle, word = text(fields, "message_handle"), text(fields, "status")
    if not handle or not word:
        raise ValueError("no message_handle or no status: not a message of Sendblue's")
    stage = STAGES.get(word)
    failed = stage is Stage.UNDELIVERED
    number = fields.get("error_code") or None
    key = fields.get("error_key") or fields.get("error_reason")
    row = code_of(number, key) if failed else None
    # Of a group nobody says whom it is about.
    refused = row is not None and row.failure is FailureCode.OPTED_OUT and group_of(fields) is None
    to = text(fields, "to_number") or text(fields, "number")
    return Receipt(
        dedupe_key=f"{handle}:{word}:{number or ''}",
        word=word,
        stage=stage,
        attempt_id=attempt_id,
        provider_id=handle,
        payload={name: fields[name] for name in KEPT if fields.get(name) is not None},
        code=(row.failure if row else FailureCode.UNDELIVERED) if failed else None,
        provider_code=str(number)[:64] if failed and number else None,
        occurred_at=moment(fields.get("date_updated")),
        effect=Effect.PROVIDER_REFUSAL if refused else None,
        address=to if refused else None,
        address_kind=CHANNELS[Channel.IMESSAGE].address if refused and to else None,
        service=_service(fields, word),
        group_id=group_id(fields),
    )


_SERVICES = {one.value: one for one in Service}
_WENT = frozenset({"SENT", "DELIVERED"})


def _service(fields: Mapping[str, Any], word: str) -> Service | None:
    """By what it went. `service` names it, but is not in every callback (docs.sendblue.com/getting-started/
    sending-messages shows one without). `was_downgraded`: as SMS for want of iMessage; before it has gone, False only
    says that it has not been so far."""
    named, downgraded = _SERVICES.get((text(fields, "service") or "").lower()), fields.get("was_downgraded")
    if downgraded is True and named in (None, Service.IMESSAGE):
        return Service.SMS
    if named is None and downgraded is False and word in _WENT:
        return Service.IMESSAGE
    return named


def inbound(fields: Mapping[str, Any]) -> Inbound:
    """A guest's message. Raises ValueError on what is none."""
    sender = text(fields, "from_number") or text(fields, "number")
    recipient = text(fields, "sendblue_number") or text(fields, "to_number")
    if not sender or not recipient or fields.get("is_outbound") is True:
        raise ValueError("no sender or no line: not a guest's message of Sendblue's")
    handle = text(fields, "message_handle") or fingerprint(fields)
    return Inbound(
        dedupe_key=f"{handle}:inbound",
        channel=Channel.IMESSAGE,
        sender=sender,
        recipient=recipient,
        text=text(fields, "content") or "",
        provider_id=handle,
        # Who else is in a group is no matter of this guest's.
        payload={name: value for name, value in fields.items() if name != "participants"},
        occurred_at=moment(fields.get("date_sent")),
        details=_details(fields),
    )


def _details(fields: Mapping[str, Any]) -> InboundDetails:
    """What came with the text, and by what."""
    url, group_id, downgraded = text(fields, "media_url"), text(fields, "group_id"), fields.get("was_downgraded")
    members = fields.get("participants")
    grouped = text(fields, "message_type") == "group" or group_id is not None
    return InboundDetails(
        media=(Media(url),) if url else (),
        group=Group(group_id, text(fields, "group_display_name"), len(members) if isinstance(members, list) else None)
        if grouped
        else None,
        service=_service(fields, "RECEIVED"),
        was_downgraded=downgraded if isinstance(downgraded, bool) else None,
    )


def group_id(fields: Mapping[str, Any]) -> str | None:
    """What Sendblue calls the group of a message; None: it has none, or does not say it."""
    named = text(fields, "group_id")
    return clean(named[:128]) if named else None


def group_of(fields: Mapping[str, Any]) -> str | None:
    """The group that a message is to, whatever it is called; None: it is to one guest."""
    return group_id(fields) or ("" if text(fields, "message_type") == "group" else None)


def text(fields: Mapping[str, Any], name: str) -> str | None:
    """A field that is some text; None: it is none."""
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def moment(value: object) -> datetime | None:
    """A time of Sendblue's (ISO 8601); None where there is none, or none that has an offset."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
