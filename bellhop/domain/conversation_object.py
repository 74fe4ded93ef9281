"""The public objects of conversations: one form for the API, the webhooks and the command line."""

from __future__ import annotations

from typing import Any

from bellhop.domain import serializers
from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix, optional, render
from bellhop.domain.rows.conversations import Conversation, Entry, NoteRow
from bellhop.domain.serializers import timestamp


def conversation(whole: Conversation) -> dict[str, Any]:
    """The Conversation object (`conversation.updated`)."""
    row = whole.row
    guests = [
        {
            "side": Side.GUEST.value,
            "guest_id": optional(Prefix.GUEST, one.guest_id),
            "name": one.name,
            "address": one.address,
        }
        for one in whole.guests
    ]
    return {
        "id": render(Prefix.CONVERSATION, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "stay_id": optional(Prefix.STAY, row.stay_id),
        "guest_id": optional(Prefix.GUEST, row.guest_id),
        "family": row.family,
        "channel": row.channel.value if row.channel else None,
        "status": row.status.value,
        "snoozed_until": timestamp(row.snoozed_until),
        "closed_at": timestamp(row.closed_at),
        "assigned_to": row.assigned_to,
        "tags": row.tags,
        "participants": [
            {"side": Side.PROPERTY.value, "guest_id": None, "name": None, "address": None},
            *guests,
        ],
        "unread": row.unread,
        "read_marks": {
            Side.PROPERTY.value: {"message_id": optional(Prefix.INBOUND, row.read_id), "at": timestamp(row.read_at)},
            Side.GUEST.value: {"message_id": optional(Prefix.MESSAGE, row.seen_id), "at": timestamp(row.seen_at)},
        },
        "last_message": entry(whole.last) if whole.last else None,
        "last_message_at": timestamp(row.last_message_at),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }


def entry(row: Entry) -> dict[str, Any]:
    """A message of a conversation: the object it is, and which way it went."""
    shown = serializers.inbound(row) if row.direction == "inbound" else serializers.message(row)
    return {**shown, "direction": row.direction}


def note(row: NoteRow) -> dict[str, Any]:
    """The Note object."""
    return {
        "id": render(Prefix.NOTE, row.id),
        "conversation_id": render(Prefix.CONVERSATION, row.conversation_id),
        "author": row.author,
        "key_id": optional(Prefix.KEY, row.key_id),
        "content": row.content,
        "created_at": timestamp(row.created_at),
    }
