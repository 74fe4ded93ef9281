"""The public objects: a row as the API and the webhooks show it, one form for both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bellhop.domain.failures import error_object
from bellhop.domain.ids import Prefix, render
from bellhop.domain.statuses import STATUS, Stage

Row = Mapping[str, Any]


def timestamp(at: datetime | None) -> str | None:
    """RFC 3339 in UTC at one fixed width (microseconds, `Z`), so that text order is time order."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def message(row: Row, *, stage: Stage | None = None, failure: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The OutboundMessage object. `row`: a messages row with `property_id` beside it.

    `stage` and `failure` show the message as it was when an event was told rather than as it is now.
    """
    shown = stage or Stage(row["stage"])
    metadata = dict(row["metadata"] or {})
    if shown in (Stage.GAVE_UP, Stage.UNDELIVERED):
        told = failure or {"code": row["failure_code"], "provider_code": row["provider_code"]}
        if told.get("code"):
            metadata["error"] = error_object(told["code"], told.get("provider_code"))
    return {
        "id": render(Prefix.MESSAGE, row["id"]),
        "property_id": render(Prefix.PROPERTY, row["property_id"]),
        "guest_id": row["guest_ref"],
        "channel": row["channel"],
        "status": STATUS[shown].value,
        "recipient": row["recipient"],
        "subject": row["subject"],
        "content": row["content"],
        "scheduled_at": timestamp(row["scheduled_at"]),
        "sent_at": timestamp(row["sent_at"]),
        "created_at": timestamp(row["created_at"]),
        "metadata": metadata,
    }


def inbound(row: Row) -> dict[str, Any]:
    """A message a guest sent to the property (`message.received`). `row`: as for `message`."""
    return {
        "id": render(Prefix.INBOUND, row["id"]),
        "property_id": render(Prefix.PROPERTY, row["property_id"]),
        "guest_id": render(Prefix.GUEST, row["guest_id"]) if row["guest_id"] else None,
        "conversation_id": render(Prefix.CONVERSATION, row["conversation_id"]) if row["conversation_id"] else None,
        "channel": row["channel"],
        "sender": row["sender"],
        "recipient": row["recipient"],
        "content": row["content"],
        "created_at": timestamp(row["created_at"]),
    }


def guest(row: Row) -> dict[str, Any]:
    """The Guest object. `row`: a guests row with `property_id` beside it."""
    return {
        "id": render(Prefix.GUEST, row["id"]),
        "property_id": render(Prefix.PROPERTY, row["property_id"]),
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "email": row["email"],
        "phone": row["phone"],
        "language": row["language"],
        "preferences": row["preferences"],
        "metadata": row["metadata"],
        "external_id": row["external_id"],
        "is_active": row["is_active"],
        "first_seen_at": timestamp(row["first_seen_at"]),
        "last_seen_at": timestamp(row["last_seen_at"]),
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def erased(prefix: Prefix, row: Row) -> dict[str, Any]:
    """What is left of a subject whose guest was erased: ids only."""
    return {"id": render(prefix, row["id"]), "property_id": render(Prefix.PROPERTY, row["property_id"])}
