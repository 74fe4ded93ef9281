"""Broadcasts: one message to many guests, and whose turn has come."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from bellhop.store.tables.columns import (
    Personal,
    PersonalJSON,
    json_column,
    key_column,
    metadata,
    scope_column,
    time_column,
)

broadcasts = Table(
    "broadcasts",
    metadata,
    key_column(),
    scope_column(),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="draft"),
    # What each of them gets, but for to whom: as it was asked for, and as the engine takes it.
    json_column("message", PersonalJSON()),
    # Which guests, as a filter (bellhop/domain/broadcasts.py); null: those that it was made with.
    Column("filter", JSONB(none_as_null=True)),
    # How many of a list are nobody to write to, by why.
    json_column("left_out"),
    # Messages a second; null: as the property has it.
    Column("pace", Float),
    # The last guest of the filter who has been written down as a recipient; all of them have once `resolved_at` is.
    Column("resolved_to", Uuid),
    time_column("resolved_at"),
    time_column("scheduled_at"),
    time_column("started_at"),
    time_column("ended_at"),
    # Why it was paused, where nobody did: a word.
    Column("problem", Text),
    # When the addresses of its recipients were forgotten.
    time_column("forgotten_at"),
    # The last recipient whose message was withdrawn, of a cancelled one.
    Column("withdrawn_to", Uuid),
    # When somebody is to go on with it: what is overdue recovery finds. Null: there is nothing to do.
    time_column("due_at"),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    Index("ix_broadcasts_listing", "scope_id", "id"),
    Index("ix_broadcasts_due", "due_at", "id", postgresql_where=text("due_at is not null")),
    # Whose recipients' addresses are forgotten next.
    Index("ix_broadcasts_ended", "ended_at", postgresql_where=text("ended_at is not null and forgotten_at is null")),
    CheckConstraint(
        "state in ('draft', 'scheduled', 'running', 'paused', 'cancelled', 'finished')",
        name="state",
    ),
)

broadcast_recipients = Table(
    "broadcast_recipients",
    metadata,
    key_column(),
    scope_column(),
    Column("broadcast_id", Uuid, ForeignKey("broadcasts.id"), nullable=False),
    # A guest, or an address that was given as it is.
    Column("guest_id", Uuid),
    Column("recipient", Personal),
    # Of the address that the message goes to, or the one that was given: nobody's phone gets it twice.
    Column("address_hash", LargeBinary),
    Column("state", Text, nullable=False, server_default="pending"),
    # Why not, of one that is refused: a word.
    Column("reason", Text),
    Column("message_id", Uuid),
    Index("ix_broadcast_recipients_next", "broadcast_id", "state", "id"),
    Index("ix_broadcast_recipients_listing", "broadcast_id", "id"),
    Index(
        "ix_broadcast_recipients_guest",
        "broadcast_id",
        "guest_id",
        unique=True,
        postgresql_where=text("guest_id is not null"),
    ),
    Index(
        "ix_broadcast_recipients_address",
        "broadcast_id",
        "address_hash",
        unique=True,
        postgresql_where=text("address_hash is not null"),
    ),
    # What is forgotten of a guest who is erased.
    Index("ix_broadcast_recipients_of_guest", "guest_id", postgresql_where=text("guest_id is not null")),
    Index("ix_broadcast_recipients_hash", "address_hash", postgresql_where=text("address_hash is not null")),
    CheckConstraint("state in ('pending', 'accepted', 'refused')", name="state"),
)
