"""The record: every table, in one place. Migrations build exactly this (a test compares the two).

Keys are UUIDv7 made by the database, so they sort by its clock. Personal data stands in columns of type `Personal`
or `PersonalJSON` and nowhere else; events, deliveries and idempotency hold ids, enums and times.
Lock order everywhere: guest → message → attempt.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Personal(TypeDecorator[str]):
    """Text about a person. Plain today; the one place where a key per guest would go."""

    impl = Text
    cache_ok = True


class PersonalJSON(TypeDecorator[Any]):
    """Structured data about a person, under the same rule as `Personal`."""

    impl = JSONB(none_as_null=True)
    cache_ok = True


class Secret(TypeDecorator[Any]):
    """Credentials: never rendered, never logged, read only by the rooms that sign or call."""

    impl = JSONB(none_as_null=True)
    cache_ok = True


def _key() -> Column[Any]:
    return Column("id", Uuid, primary_key=True, server_default=text("uuidv7()"))


def _time(name: str, *, now: bool = False, null: bool = True) -> Column[Any]:
    return Column(
        name, DateTime(timezone=True), nullable=null and not now, server_default=text("now()") if now else None
    )


def _scope() -> Column[Any]:
    return Column("scope_id", Uuid, ForeignKey("scopes.id"), nullable=False)


def _json(name: str, kind: type[TypeEngine[Any]] | TypeEngine[Any] | None = None) -> Column[Any]:
    return Column(name, kind or JSONB, nullable=False, server_default=text("'{}'::jsonb"))


installation = Table(
    "installation",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1")),
    Column("secret_check", LargeBinary, nullable=False),
    # The id of the Temporal namespace that has a workflow for every message that needs one. Another one there: all of
    # them are made anew (recovery).
    Column("conductor", Text),
    _time("created_at", now=True),
    CheckConstraint("id = 1", name="one_row"),
)

properties = Table(
    "properties",
    metadata,
    _key(),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False, server_default="hotel"),
    Column("timezone", Text, nullable=False, server_default="UTC"),
    Column("currency", Text),
    Column("country", Text),
    _json("settings"),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    _time("created_at", now=True),
    _time("updated_at", now=True),
)

scopes = Table(
    "scopes",
    metadata,
    _key(),
    Column("property_id", Uuid, ForeignKey("properties.id"), nullable=False),
    Column("environment", Text, nullable=False),
    _json("settings"),
    _time("paused_at"),
    _time("created_at", now=True),
    UniqueConstraint("property_id", "environment"),
    CheckConstraint("environment in ('test', 'live')", name="environment"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _key(),
    Column("scope_ids", ARRAY(Uuid), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("last4", Text, nullable=False),
    Column("rights", ARRAY(Text), nullable=False),
    Column("side", Text, nullable=False, server_default="property"),
    Column("rate_limit", Integer),
    _time("created_at", now=True),
    _time("last_used_at"),
    _time("expires_at"),
    _time("revoked_at"),
)

rate_windows = Table(
    "rate_windows",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("window_start", BigInteger, nullable=False),
    Column("used", Integer, nullable=False),
    # Counts of the running minute: losing them in a crash costs nothing, writing them ahead would.
    prefixes=["UNLOGGED"],
)

provider_accounts = Table(
    "provider_accounts",
    metadata,
    _key(),
    _scope(),
    Column("provider", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    _json("credentials", Secret()),
    _json("previous_credentials", Secret()),
    Column("health", Text, nullable=False, server_default="ok"),
    Column("held_code", Text),
    _time("held_since"),
    _time("probe_at"),
    _time("created_at", now=True),
    _time("updated_at", now=True),
    UniqueConstraint("scope_id", "provider", "identity"),
    Index("ix_provider_accounts_identity", "provider", "identity"),
    CheckConstraint("health in ('ok', 'held')", name="health"),
)

senders = Table(
    "senders",
    metadata,
    _key(),
    _scope(),
    Column("account_id", Uuid, ForeignKey("provider_accounts.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("name", Text),
    _json("capabilities"),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    _time("created_at", now=True),
    UniqueConstraint("scope_id", "channel", "address"),
    Index("ix_senders_address", "address"),
)

guests = Table(
    "guests",
    metadata,
    _key(),
    _scope(),
    Column("first_name", Personal, nullable=False),
    Column("last_name", Personal, nullable=False),
    Column("email", Personal),
    Column("email_key", Personal),
    Column("phone", Personal),
    Column("language", Text, nullable=False, server_default="en"),
    _json("preferences", PersonalJSON()),
    _json("metadata", PersonalJSON()),
    Column("external_id", Text),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("search_text", Personal, nullable=False, server_default=""),
    _time("first_seen_at", now=True),
    _time("last_seen_at", now=True),
    _time("created_at", now=True),
    _time("updated_at", now=True),
    UniqueConstraint("scope_id", "email_key"),
    UniqueConstraint("scope_id", "external_id"),
    Index("ix_guests_listing", "scope_id", "id"),
)

contact_points = Table(
    "contact_points",
    metadata,
    _key(),
    _scope(),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE")),
    Column("kind", Text, nullable=False),
    Column("address", Personal, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    _time("last_inbound_at"),
    _time("invalid_since"),
    _time("created_at", now=True),
    UniqueConstraint("scope_id", "kind", "address_hash", "guest_id", postgresql_nulls_not_distinct=True),
    Index("ix_contact_points_guest_id", "guest_id"),
)

consents = Table(
    "consents",
    metadata,
    _key(),
    _scope(),
    Column("kind", Text, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    # Null: whatever the property sends from. A number's STOP at a carrier is about that sender too.
    Column("purpose", Text, nullable=False, server_default="all"),
    Column("action", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("evidence_id", Uuid),
    _time("created_at", now=True),
    Index("ix_consents_address", "scope_id", "kind", "address_hash", "id"),
    CheckConstraint("action in ('opt_out', 'opt_in')", name="action"),
)

stays = Table(
    "stays",
    metadata,
    _key(),
    _scope(),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE")),
    Column("source", Text, nullable=False),
    Column("reservation", Text, nullable=False),
    _time("arrives_at"),
    _time("departs_at"),
    _json("details", PersonalJSON()),
    _time("created_at", now=True),
    UniqueConstraint("scope_id", "source", "reservation"),
    Index("ix_stays_guest_id", "guest_id"),
)

conversations = Table(
    "conversations",
    metadata,
    _key(),
    _scope(),
    Column("stay_id", Uuid, ForeignKey("stays.id", ondelete="CASCADE")),
    Column("contact_point_id", Uuid, ForeignKey("contact_points.id", ondelete="CASCADE")),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE")),
    _time("created_at", now=True),
    _time("last_message_at"),
    UniqueConstraint("stay_id"),
    Index("ix_conversations_contact_point_id", "contact_point_id"),
    Index("ix_conversations_guest_id", "guest_id"),
)

messages = Table(
    "messages",
    metadata,
    _key(),
    _scope(),
    Column("direction", Text, nullable=False, server_default="outbound"),
    Column("channel", Text, nullable=False),
    Column("recipient", Personal),
    Column("address_hash", LargeBinary),
    Column("sender", Personal),
    Column("guest_ref", Text),
    Column("guest_id", Uuid),
    Column("conversation_id", Uuid),
    Column("stay_id", Uuid),
    Column("subject", Personal),
    Column("content", Personal),
    Column("content_type", Text, nullable=False, server_default="text/plain"),
    Column("body", PersonalJSON),
    Column("category", Text, nullable=False, server_default="transactional"),
    Column("reference", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    _json("metadata", PersonalJSON()),
    _time("scheduled_at"),
    _time("due_at", now=True),
    _time("expires_at"),
    Column("stage", Text, nullable=False, server_default="queued"),
    # Our own decision: queued (none), cancelled or gave_up. `stage` follows from it and from the attempts.
    Column("decision", Text, nullable=False, server_default="queued"),
    Column("failure_code", Text),
    Column("provider_code", Text),
    Column("provider", Text),
    Column("held_account_id", Uuid),
    # How many provider calls the text takes: decided at acceptance, one attempt each.
    Column("parts", SmallInteger, nullable=False, server_default=text("1")),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    _time("sent_at"),
    _time("delivered_at"),
    _time("read_at"),
    _time("created_at", now=True),
    _time("updated_at", now=True),
    # Temporal is owed a start or a signal since then; null when it has been told. Recovery reads it.
    # By clock_timestamp(), under the row's lock: a later debt is never the older one, which `clear` relies on.
    _time("wake_due_at"),
    _time("erased_at"),
    Index("ix_messages_listing", "scope_id", "id"),
    Index("ix_messages_guest", "scope_id", "guest_id", "id"),
    Index("ix_messages_address", "scope_id", "address_hash"),
    Index("ix_messages_wake", "wake_due_at", postgresql_where=text("wake_due_at is not null")),
    Index("ix_messages_due", "due_at", postgresql_where=text("stage = 'queued' and direction = 'outbound'")),
    Index("ix_messages_held", "held_account_id", postgresql_where=text("held_account_id is not null")),
    CheckConstraint("direction in ('outbound', 'inbound')", name="direction"),
    CheckConstraint("decision in ('queued', 'cancelled', 'gave_up')", name="decision"),
)

attempts = Table(
    "attempts",
    metadata,
    _key(),
    _scope(),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("step", SmallInteger, nullable=False, server_default=text("0")),
    Column("account_id", Uuid, ForeignKey("provider_accounts.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="in_flight"),
    # What the provider has said about this part: null, sent, undelivered, delivered or read. Only moves up.
    Column("stage", Text),
    _time("lease_until", null=False),
    _time("ask_at"),
    Column("asked", SmallInteger, nullable=False, server_default=text("0")),
    Column("sender", Text, nullable=False),
    Column("provider_id", Text),
    Column("body", Personal),
    Column("failure_code", Text),
    Column("provider_code", Text),
    Column("error_text", Personal),
    _time("created_at", now=True),
    _time("settled_at"),
    # I2: the database itself refuses a second live attempt at the same part of the same message.
    Index(
        "uq_attempts_live",
        "message_id",
        "part",
        unique=True,
        postgresql_where=text("state in ('in_flight', 'accepted', 'unknown')"),
    ),
    Index("ix_attempts_message_id", "message_id"),
    Index("uq_attempts_provider_id", "account_id", "provider_id", unique=True),
    Index("ix_attempts_lease", "lease_until", postgresql_where=text("state = 'in_flight'")),
    CheckConstraint(
        "state in ('in_flight', 'accepted', 'unknown', 'not_sent', 'undelivered', 'abandoned')", name="state"
    ),
)

receipts = Table(
    "receipts",
    metadata,
    _key(),
    Column("scope_id", Uuid, ForeignKey("scopes.id")),
    Column("account_id", Uuid, ForeignKey("provider_accounts.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("attempt_id", Uuid),
    Column("message_id", Uuid),
    Column("word", Text, nullable=False),
    Column("stage", Text),
    Column("failure_code", Text),
    Column("provider_code", Text),
    Column("provider_id", Text),
    Column("payload", PersonalJSON),
    _time("occurred_at"),
    _time("received_at", now=True),
    UniqueConstraint("account_id", "dedupe_key"),
    Index("ix_receipts_message_id", "message_id"),
    Index("ix_receipts_received_at", "received_at", postgresql_where=text("payload is not null")),
)

events = Table(
    "events",
    metadata,
    _key(),
    _scope(),
    Column("subject", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    # Null where the same thing may happen again (guest.updated); else once per subject.
    Column("stage", Text),
    _json("facts"),
    _time("created_at", now=True),
    Index("uq_events_once", "subject_id", "stage", unique=True, postgresql_where=text("stage is not null")),
    Index("ix_events_subject", "subject_id", "id"),
)

endpoints = Table(
    "endpoints",
    metadata,
    _key(),
    _scope(),
    Column("url", Text, nullable=False),
    Column("secret", Secret, nullable=False),
    Column("previous_secret", Secret),
    _time("previous_until"),
    Column("events", ARRAY(Text), nullable=False, server_default=text("'{*}'")),
    Column("description", Text),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("disabled_reason", Text),
    _time("disabled_at"),
    _time("failing_since"),
    _time("draining_until"),
    _time("created_at", now=True),
    _time("updated_at", now=True),
    _time("deleted_at"),
    Index("ix_endpoints_scope_id", "scope_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _key(),
    _scope(),
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id"), nullable=False),
    Column("event_id", Uuid, ForeignKey("events.id"), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    _time("next_at", now=True),
    _time("last_attempt_at"),
    Column("last_status", SmallInteger),
    Column("last_error", Text),
    _time("delivered_at"),
    _time("created_at", now=True),
    UniqueConstraint("endpoint_id", "event_id"),
    Index("ix_deliveries_pending", "endpoint_id", "next_at", postgresql_where=text("state = 'pending'")),
    Index("ix_deliveries_order", "endpoint_id", "subject_id", "event_id", postgresql_where=text("state = 'pending'")),
    Index("ix_deliveries_event_id", "event_id"),
    CheckConstraint("state in ('pending', 'delivered', 'failed', 'abandoned')", name="state"),
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
    _time("created_at", now=True),
    Index("ix_idempotency_created_at", "created_at"),
)

history_erasures = Table(
    "history_erasures",
    metadata,
    # Temporal histories to delete once Temporal can be reached (I7).
    Column("workflow_id", Text, primary_key=True),
    _time("created_at", now=True),
)

templates = Table(
    "templates",
    metadata,
    _key(),
    _scope(),
    Column("name", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("channel", Text),
    _json("body"),
    _time("created_at", now=True),
    UniqueConstraint("scope_id", "name", "locale", "version"),
)

assets = Table(
    "assets",
    metadata,
    _key(),
    _scope(),
    Column("kind", Text, nullable=False),
    Column("content_type", Text),
    Column("url", Text),
    Column("slug", Text, unique=True),
    Column("size", BigInteger),
    _time("created_at", now=True),
)
