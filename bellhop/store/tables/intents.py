"""What guests want, as detectors found it in their messages."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from bellhop.store.tables.columns import Personal, key_column, metadata, scope_column, time_column

intents = Table(
    "intents",
    metadata,
    key_column(),
    scope_column(),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False),
    # No foreign keys, as in `messages`; erasure deletes the rows with their messages.
    Column("guest_id", Uuid),
    Column("conversation_id", Uuid),
    Column("type", Text, nullable=False),
    # What the detector took it for, whatever it was corrected to.
    Column("detected_type", Text, nullable=False),
    # Thousandths.
    Column("confidence", SmallInteger, nullable=False),
    Column("evidence", Personal, nullable=False),
    Column("detector", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="open"),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    UniqueConstraint("message_id", "detected_type"),
    Index("ix_intents_listing", "scope_id", "id"),
    Index("ix_intents_of_guest", "scope_id", "guest_id", "id", postgresql_where=text("guest_id is not null")),
    CheckConstraint("status in ('open', 'done', 'wrong')", name="status"),
)
