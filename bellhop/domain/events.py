"""Event types: what endpoints can subscribe to, and which stage of a message tells which."""

from __future__ import annotations

from enum import StrEnum

from bellhop.domain.statuses import Stage


class EventType(StrEnum):
    """The `type` of a module webhook. One sentence each says exactly when it applies."""

    MESSAGE_SENT = "message.sent"
    """The delivery provider accepted the message."""
    MESSAGE_DELIVERED = "message.delivered"
    """The channel's provider confirmed delivery."""
    MESSAGE_FAILED = "message.failed"
    """Delivery failed; `metadata.error` says why."""
    MESSAGE_FALLBACK = "message.fallback"
    """A way of the message has failed or is not read, and its next one follows; `step` says which and why."""
    MESSAGE_READ = "message.read"
    """The guest opened or read the message."""
    MESSAGE_CANCELLED = "message.cancelled"
    """The property withdrew the message before it was sent."""
    MESSAGE_RECEIVED = "message.received"
    """A guest wrote to the property."""
    CONVERSATION_UPDATED = "conversation.updated"
    """A conversation was assigned, tagged, put aside, closed or opened again; a message alone is not reported so."""
    GUEST_CREATED = "guest.created"
    """A new guest profile was created."""
    GUEST_UPDATED = "guest.updated"
    """A guest profile was modified."""
    GUEST_DELETED = "guest.deleted"
    """A guest and all data about them were erased."""
    GUEST_INTENT_CREATED = "guest.intent.created"
    """An intent was detected in a conversation."""
    ENDPOINT_DISABLED = "endpoint.disabled"
    """A webhook endpoint was switched off because it is gone or has only failed for days; the others are told."""


OF_STAGE: dict[Stage, EventType] = {
    Stage.SENT: EventType.MESSAGE_SENT,
    Stage.DELIVERED: EventType.MESSAGE_DELIVERED,
    Stage.READ: EventType.MESSAGE_READ,
    Stage.UNDELIVERED: EventType.MESSAGE_FAILED,
    Stage.GAVE_UP: EventType.MESSAGE_FAILED,
    Stage.CANCELLED: EventType.MESSAGE_CANCELLED,
}
