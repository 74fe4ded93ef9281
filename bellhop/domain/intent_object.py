"""The public object of an intent: one form for the API, the webhooks and the command line."""

from __future__ import annotations

from typing import Any

from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.intents import IntentRow
from bellhop.domain.serializers import timestamp


def intent(row: IntentRow) -> dict[str, Any]:
    """The Intent object (`guest.intent.created`)."""
    return {
        "id": render(Prefix.INTENT, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "guest_id": render(Prefix.GUEST, row.guest_id) if row.guest_id else None,
        "conversation_id": render(Prefix.CONVERSATION, row.conversation_id) if row.conversation_id else None,
        "message_id": render(Prefix.INBOUND, row.message_id),
        "type": row.type.value,
        "detected_type": row.detected_type.value,
        "confidence": row.confidence / 1000,
        "evidence": row.evidence,
        "detector": row.detector.value,
        "status": row.status.value,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }
