"""Conversations with guests, and what the property notes beside them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Computed, ForeignKey, Index, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from bellhop.store.tables.columns import Personal, key_column, metadata, scope_column, time_column

conversations = Table(
    "conversations",
    metadata,
    key_column(),
    scope_column(),
    # One of these three. A stay may have several guests; an address is there while nobody knows whose it is.
    Column("stay_id", Uuid, ForeignKey("stays.id", ondelete="CASCADE")),
    Column("contact_point_id", Uuid, ForeignKey("contact_points.id", ondelete="CASCADE")),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE")),
    # With whom: one conversation each, of a guest and of an address one per family of channels.
    Column("about_id", Uuid, Computed("coalesce(stay_id, guest_id, contact_point_id)", persisted=True)),
    Column("family", Text, nullable=False, server_default="phone"),
    # That of its newest message.
    Column("channel", Text),
    # Where it stands in the list, by its newest message: a UUIDv7, made under the row's lock.
    Column("place", Uuid, nullable=False, server_default=text("uuidv7()")),
    # The `place` that the guest's last message gave it; beyond `read_id` it is unread.
    Column("inbound_place", Uuid),
    # The last of the guest's messages that the property has read.
    Column("read_id", Uuid),
    time_column("read_at"),
    time_column("closed_at"),
    time_column("snoozed_until"),
    Column("assigned_to", Personal),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    time_column("last_message_at"),
    UniqueConstraint("about_id", "family"),
    Index("ix_conversations_listing", "scope_id", "place"),
    Index("ix_conversations_stay_id", "stay_id", postgresql_where=text("stay_id is not null")),
    Index(
        "ix_conversations_contact_point_id", "contact_point_id", postgresql_where=text("contact_point_id is not null")
    ),
    Index("ix_conversations_guest_id", "guest_id", postgresql_where=text("guest_id is not null")),
    CheckConstraint("family in ('stay', 'phone', 'email', 'app')", name="family"),
)

conversation_notes = Table(
    "conversation_notes",
    metadata,
    key_column(),
    scope_column(),
    Column("conversation_id", Uuid, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    # Who wrote it, as the property calls them; the key that it was written with.
    Column("author", Personal),
    Column("key_id", Uuid),
    Column("content", Personal, nullable=False),
    time_column("created_at", now=True),
    Index("ix_conversation_notes_conversation_id", "conversation_id", "id"),
)
