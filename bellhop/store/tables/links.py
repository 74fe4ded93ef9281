"""Short links of messages, and who followed them, without their addresses."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text, UniqueConstraint, Uuid

from bellhop.store.tables.columns import Personal, key_column, metadata, scope_column, time_column

short_links = Table(
    "short_links",
    metadata,
    key_column(),
    scope_column(),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False),
    # Its place among the links of the message.
    Column("position", SmallInteger, nullable=False),
    # Of all properties together: whoever follows a link says nothing else.
    Column("code", Text, nullable=False, unique=True),
    # The whole address, as it went out.
    Column("url", Text, nullable=False),
    Column("target", Personal, nullable=False),
    time_column("created_at", now=True),
    time_column("expires_at", null=False),
    # By people, as far as that can be told, and by machines.
    Column("clicks", Integer, nullable=False, server_default="0"),
    Column("bot_clicks", Integer, nullable=False, server_default="0"),
    # By people.
    time_column("first_clicked_at"),
    time_column("last_clicked_at"),
    # How many of its clicks are in `link_clicks`.
    Column("kept", SmallInteger, nullable=False, server_default="0"),
    UniqueConstraint("message_id", "position"),
    Index("ix_short_links_listing", "scope_id", "id"),
)

link_clicks = Table(
    "link_clicks",
    metadata,
    key_column(),
    scope_column(),
    Column("message_id", Uuid, nullable=False),
    Column("link_id", Uuid, ForeignKey("short_links.id", ondelete="CASCADE"), nullable=False),
    Column("bot", Boolean, nullable=False),
    time_column("clicked_at", null=False),
    Index("ix_link_clicks_message", "message_id", "id"),
    Index("ix_link_clicks_link", "link_id"),
)
