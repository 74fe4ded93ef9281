"""What lies in guests' inboxes, and the sessions in which they read it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Sequence, SmallInteger, Table, Uuid, text

from bellhop.store.tables.columns import key_column, metadata, scope_column, time_column

positions = Sequence("inbox_positions", metadata=metadata)

inbox = Table(
    "inbox",
    metadata,
    # In the order in which they were laid in.
    key_column(),
    scope_column(),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False, unique=True),
    # Which of the message's steps it is, whose text it shows.
    Column("step", SmallInteger, nullable=False, server_default=text("0")),
    # No foreign key: it would lock the guest under the message's lock. Erasure deletes the rows.
    Column("guest_id", Uuid, nullable=False),
    # Where in the guest's stream it comes: moved to the end when the guest has read it, so that their other devices
    # learn of it. Taken and committed under a lock of the guest's, so that of one guest none becomes visible late.
    Column("position", BigInteger, positions, server_default=positions.next_value(), nullable=False),
    time_column("expires_at", null=False),
    Index("ix_inbox_position", "guest_id", "position"),
    Index("ix_inbox_listing", "guest_id", "id"),
    Index("ix_inbox_expires_at", "expires_at"),
)

guest_sessions = Table(
    "guest_sessions",
    metadata,
    key_column(),
    scope_column(),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE"), nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    time_column("created_at", now=True),
    time_column("expires_at", null=False),
    time_column("revoked_at"),
    Index("ix_guest_sessions_guest_id", "guest_id"),
    Index("ix_guest_sessions_expires_at", "expires_at"),
)
