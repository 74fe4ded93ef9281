"""Properties, their scopes, keys to them, and what an installation is."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from bellhop.store.tables.columns import Personal, json_column, key_column, metadata, scope_column, time_column

installation = Table(
    "installation",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1")),
    Column("secret_check", LargeBinary, nullable=False),
    # The id of the Temporal namespace that has a workflow for every message that needs one. Another one there: all of
    # them are made anew (recovery).
    Column("conductor", Text),
    # When a process of the API was last seen to run.
    time_column("api_seen_at"),
    time_column("created_at", now=True),
    CheckConstraint("id = 1", name="one_row"),
)

properties = Table(
    "properties",
    metadata,
    key_column(),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False, server_default="hotel"),
    Column("timezone", Text, nullable=False, server_default="UTC"),
    Column("currency", Text),
    Column("country", Text),
    # Of versions that had one for both environments; read no longer: `scopes.settings`.
    json_column("settings"),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
)

scopes = Table(
    "scopes",
    metadata,
    key_column(),
    Column("property_id", Uuid, ForeignKey("properties.id"), nullable=False),
    Column("environment", Text, nullable=False),
    json_column("settings"),
    # Of the property's fields those that a key of the test environment has set: they are seen there only.
    json_column("own"),
    time_column("paused_at"),
    # Requests a minute of all its keys together; null: the usual limit.
    Column("rate_limit", Integer),
    time_column("created_at", now=True),
    UniqueConstraint("property_id", "environment"),
    CheckConstraint("environment in ('test', 'live')", name="environment"),
)

api_keys = Table(
    "api_keys",
    metadata,
    key_column(),
    Column("scope_ids", ARRAY(Uuid), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("last4", Text, nullable=False),
    Column("rights", ARRAY(Text), nullable=False),
    Column("side", Text, nullable=False, server_default="property"),
    Column("rate_limit", Integer),
    time_column("created_at", now=True),
    time_column("last_used_at"),
    time_column("expires_at"),
    time_column("revoked_at"),
    Index("ix_api_keys_scope_ids", "scope_ids", "id"),
)

rate_windows = Table(
    "rate_windows",
    metadata,
    # Of a key or, for all keys of a property's environment together, of the scope.
    Column("key_id", Uuid, primary_key=True),
    Column("window_start", BigInteger, nullable=False),
    Column("used", Integer, nullable=False),
    # Counts of the running minute: losing them in a crash costs nothing, writing them ahead would.
    prefixes=["UNLOGGED"],
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("subject_id", Uuid),
    Column("status_code", SmallInteger, nullable=False),
    time_column("created_at", now=True),
    Index("ix_idempotency_created_at", "created_at"),
)

operator_actions = Table(
    "operator_actions",
    metadata,
    key_column(),
    scope_column(),
    Column("action", Text, nullable=False),
    # A property, a provider account or a message.
    Column("subject_id", Uuid, nullable=False),
    # A key's id, or whoever ran the command.
    Column("actor", Text, nullable=False),
    Column("reason", Personal),
    time_column("created_at", now=True),
    Index("ix_operator_actions_subject", "subject_id", "id"),
    Index("ix_operator_actions_scope", "scope_id", "id"),
    CheckConstraint("action in ('pause', 'resume', 'hold', 'mend', 'resend', 'move')", name="action"),
)
