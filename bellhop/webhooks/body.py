"""The body of a webhook as customers see it: rendered when it is sent, from the subject as it then is."""

from __future__ import annotations

import json
from typing import Any

from bellhop.domain import serializers
from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix, render
from bellhop.domain.statuses import RANK, Stage
from bellhop.domain.webhook_ports import Owed

PREFIX: dict[str, Prefix] = {
    "message": Prefix.MESSAGE,
    "inbound": Prefix.INBOUND,
    "guest": Prefix.GUEST,
    "endpoint": Prefix.ENDPOINT,
    "conversation": Prefix.CONVERSATION,
}


def body(owed: Owed) -> bytes:
    """`{id, type, property_id, created_at, data}` as the exact bytes that are signed and sent."""
    content = {
        "id": render(Prefix.EVENT, owed.event_id),
        "type": owed.type,
        "property_id": render(Prefix.PROPERTY, owed.property_id),
        "created_at": serializers.timestamp(owed.created_at),
        "data": data(owed),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def data(owed: Owed) -> dict[str, Any]:
    """The object an event is about, as it was when the event was told; ids only when it is gone or erased."""
    if owed.row is None or owed.type == EventType.GUEST_DELETED:
        return serializers.erased(PREFIX[owed.subject], {"id": owed.subject_id, "property_id": owed.property_id})
    match owed.subject:
        case "message":
            return _message(owed, owed.row)
        case "inbound":
            return serializers.inbound(owed.row)
        case "guest":
            return serializers.guest(owed.row)
        case "endpoint":
            return {
                "id": render(Prefix.ENDPOINT, owed.subject_id),
                "property_id": render(Prefix.PROPERTY, owed.property_id),
                "url": owed.row["url"],
                "is_active": False,
                "disabled_reason": owed.facts.get("reason"),
                "disabled_at": serializers.timestamp(owed.created_at),
            }
        case _:
            return serializers.erased(PREFIX[owed.subject], {"id": owed.subject_id, "property_id": owed.property_id})


def _message(owed: Owed, row: serializers.Row) -> dict[str, Any]:
    # An event names the stage it tells; its once-only mark is the public status, in which two ways to fail are one.
    stage = Stage(owed.facts["stage"]) if "stage" in owed.facts else None
    failure = owed.facts if owed.facts.get("code") else None
    shown = serializers.message(row, stage=stage, failure=failure)
    if stage is not None:
        if RANK[stage] < RANK[Stage.SENT]:
            shown["sent_at"] = None  # it was sent later, if at all
        elif shown["sent_at"] is None:
            shown["sent_at"] = serializers.timestamp(owed.created_at)
    return shown
