"""Files that messages carry, and which message carries which."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from bellhop.store.tables.columns import Personal, key_column, metadata, scope_column, time_column

assets = Table(
    "assets",
    metadata,
    key_column(),
    scope_column(),
    # `storing`: its bytes are being written. `gone`: they are to be removed, and the row with them.
    Column("state", Text, nullable=False, server_default="storing"),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("filename", Personal),
    # Whose it is: a guest's, if its uploader said so; a message's, if it was fetched for one.
    Column("guest_id", Uuid),
    Column("message_id", Uuid),
    # A guest sent it. What guests send has room of its own.
    Column("received", Boolean, nullable=False, server_default="false"),
    time_column("created_at", now=True),
    time_column("expires_at", null=False),
    Index("ix_assets_scope", "scope_id", "id"),
    Index("ix_assets_guest", "guest_id", postgresql_where=text("guest_id is not null")),
    Index("ix_assets_message", "message_id", postgresql_where=text("message_id is not null")),
    Index("ix_assets_expires", "expires_at", postgresql_where=text("state <> 'gone'")),
    Index("ix_assets_gone", "id", postgresql_where=text("state = 'gone'")),
    CheckConstraint("state in ('storing', 'stored', 'gone')", name="state"),
)

media_links = Table(
    "media_links",
    metadata,
    key_column(),
    scope_column(),
    Column("message_id", Uuid, nullable=False),
    # Its place among the files of the message.
    Column("position", SmallInteger, nullable=False),
    # Null: it has yet to be fetched.
    Column("asset_id", Uuid),
    # As it is called to whoever gets it, ending as its type does.
    Column("filename", Personal),
    UniqueConstraint("message_id", "position"),
    Index("ix_media_links_asset", "asset_id", postgresql_where=text("asset_id is not null")),
)

inbound_files = Table(
    "inbound_files",
    metadata,
    key_column(),
    scope_column(),
    Column("message_id", Uuid, nullable=False),
    # Its place among the files of the message.
    Column("position", SmallInteger, nullable=False),
    # Whose credentials it is fetched and deleted with.
    Column("account_id", Uuid, nullable=False),
    # Where the provider has it; null once nobody is to fetch it from there.
    Column("source", Personal),
    # What the provider deletes it by: its ids alone.
    Column("provider_id", Text),
    Column("state", Text, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    # When it is to be fetched, or deleted at the provider; null: there is nothing to do.
    time_column("next_at"),
    time_column("created_at", now=True),
    UniqueConstraint("message_id", "position"),
    Index("ix_inbound_files_due", "next_at", "id", postgresql_where=text("next_at is not null")),
    CheckConstraint("state in ('pending', 'kept', 'failed', 'erasing')", name="state"),
)
