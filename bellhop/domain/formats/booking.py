"""Booking.com's objects: messages and conversations as its platforms read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bellhop.domain.channels import MOST_ATTACHED
from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.conversations import Conversation, Entry
from bellhop.domain.rows.polled import Attachment, Unconfirmed, side_of
from bellhop.domain.serializers import timestamp

TYPES = ("image/png", "image/jpeg")
"""Of the pictures it has."""


@dataclass(frozen=True, slots=True)
class Hotel:
    """The property as a participant. `accommodation`: what it is called there."""

    id: UUID
    accommodation: str
    name: str


def copied(message_id: UUID) -> dict[str, Any]:
    """The `metadata` of a message that says on the guest's own channel what another one says here."""
    return {"booking": {"copy_of": render(Prefix.MESSAGE, message_id)}}


def is_copy(row: Entry) -> bool:
    """Whether a message of a conversation is such a one."""
    own = row.metadata.get("booking")
    return row.direction == "outbound" and isinstance(own, Mapping) and "copy_of" in own


def unconfirmed(row: Unconfirmed, hotel: Hotel) -> dict[str, Any]:
    """A message of `/messages/latest`."""
    ours = row.side is Side.PROPERTY
    return {
        "message_id": str(row.id),
        "reply_to": None,
        "conversation": {
            "id": str(row.conversation_id),
            "accommodation": hotel.accommodation,
            "reservation": row.reservation,
        },
        "content": row.content or "",
        "sender": {
            "participant_id": str(hotel.id if ours else row.guest_id),
            "metadata": {"type": row.side.value, "name": hotel.name if ours else row.name},
        },
        "attachments": attachments(row.details),
        "timestamp": timestamp(row.at),
    }


def conversation(talk: Conversation, reservation: str, entries: list[Entry], hotel: Hotel) -> dict[str, Any]:
    """The conversation of `/messages/conversations`."""
    guests = [
        {
            "id": str(one.guest_id),
            "metadata": {"type": Side.GUEST.value, "accommodation_id": hotel.accommodation, "name": one.name},
        }
        for one in talk.guests
        if one.guest_id is not None
    ]
    own = {"type": Side.PROPERTY.value, "accommodation_id": hotel.accommodation, "name": hotel.name}
    return {
        "id": str(talk.row.id),
        "reservation": reservation,
        "messages": [_entry(row, talk.row.id, hotel) for row in entries],
        "participants": [{"id": str(hotel.id), "metadata": own}, *guests],
    }


def _entry(row: Entry, conversation_id: UUID, hotel: Hotel) -> dict[str, Any]:
    ours = side_of(row.direction) is Side.PROPERTY
    return {
        "id": str(row.id),
        "sender": str(hotel.id if ours else row.guest_id),
        # Its description has a text here, and no null: messages answer the conversation, no single one.
        "reply_to": str(conversation_id),
        "content": row.content or "",
        "attachments": attachments(row.details),
        "timestamp": timestamp(row.sent_at or row.created_at),
    }


def attachments(details: Mapping[str, Any] | None) -> list[str]:
    """The ids of a message's pictures that it could carry."""
    return [
        str(one["asset_id"])
        for one in (details or {}).get("media", [])
        if one.get("asset_id") and one.get("content_type") in TYPES and one.get("size", 0) <= MOST_ATTACHED
    ]


def attachment(row: Attachment) -> dict[str, Any]:
    """What is said of a picture."""
    return {"file_name": row.filename, "file_type": row.content_type, "file_size": row.size}
