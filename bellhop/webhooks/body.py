"""The body of a webhook as customers see it: rendered when it is sent, from the subject as it then is."""

from __future__ import annotations

import json
from typing import Any

from bellhop.domain import serializers
from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.webhooks import EndpointRow
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
    content = serializers.event(owed.event_id, owed.type, owed.property_id, owed.created_at, data(owed))
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def data(owed: Owed) -> dict[str, Any]:
    """The object an event is about, as it was when the event was told; ids only when it is gone or erased."""
    row = owed.row
    if row is None or owed.type == EventType.GUEST_DELETED:
        return serializers.erased(PREFIX[owed.subject], owed.subject_id, owed.property_id)
    if isinstance(row, GuestRow):
        return serializers.guest(row)
    if isinstance(row, EndpointRow):
        return serializers.disabled_endpoint(row, owed.facts.get("reason"), owed.created_at)
    return serializers.inbound(row) if owed.subject == "inbound" else _message(owed, row)


def _message(owed: Owed, row: PublicMessage) -> dict[str, Any]:
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
