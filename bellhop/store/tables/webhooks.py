"""Events, the endpoints that want them, and deliveries."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from bellhop.store.tables.columns import Secret, json_column, key_column, metadata, scope_column, time_column

events = Table(
    "events",
    metadata,
    key_column(),
    scope_column(),
    Column("subject", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    # Null where the same thing may happen again (guest.updated); else once per subject.
    Column("stage", Text),
    json_column("facts"),
    # The transaction that wrote it, which streams of conversations go by (store/conversations/event_order.py).
    # Null: written by an older version, or by another server whose dump was restored.
    Column("xact", BigInteger, server_default=text("pg_current_xact_id()::text::bigint")),
    time_column("created_at", now=True),
    Index("ix_events_stream", "scope_id", "xact", "id", postgresql_where=text("xact is not null")),
    Index("uq_events_once", "subject_id", "stage", unique=True, postgresql_where=text("stage is not null")),
    Index("ix_events_subject", "subject_id", "id"),
)

endpoints = Table(
    "endpoints",
    metadata,
    key_column(),
    scope_column(),
    Column("url", Text, nullable=False),
    Column("secret", Secret, nullable=False),
    Column("previous_secret", Secret),
    time_column("previous_until"),
    Column("events", ARRAY(Text), nullable=False, server_default=text("'{*}'")),
    # Whose objects are posted to it (rows.webhooks.EndpointFormat), and of messages on which channels; null: on all.
    Column("format", Text, nullable=False, server_default="native"),
    Column("channels", ARRAY(Text)),
    # What it was asked for in that vendor's words, where its clients are shown that again (formats/bird.py).
    Column("asked", JSONB),
    Column("description", Text),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("disabled_reason", Text),
    time_column("disabled_at"),
    time_column("failing_since"),
    time_column("draining_until"),
    # It asked for a rest (Retry-After): until then nothing is posted to it.
    time_column("rests_until"),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    time_column("deleted_at"),
    Index("ix_endpoints_scope_id", "scope_id"),
)

# In parts by the month of their event (store/months.py).
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, nullable=False, server_default=text("uuidv7()")),
    scope_column(),
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id"), nullable=False),
    Column("event_id", Uuid, ForeignKey("events.id"), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    time_column("next_at", now=True),
    time_column("last_attempt_at"),
    Column("last_status", SmallInteger),
    Column("last_error", Text),
    time_column("delivered_at"),
    time_column("created_at", now=True),
    PrimaryKeyConstraint("endpoint_id", "event_id"),
    Index(
        "ix_deliveries_not_delivered",
        "endpoint_id",
        "event_id",
        postgresql_where=text("state in ('failed', 'abandoned')"),
    ),
    CheckConstraint("state in ('pending', 'delivered', 'failed', 'abandoned')", name="state"),
    postgresql_partition_by="RANGE (event_id)",
)

pending_deliveries = Table(
    "pending_deliveries",
    metadata,
    # Of each delivery that is pending a row, which goes when it is not: what is looked at all the time stays small,
    # whatever has been delivered before. Triggers on `deliveries` keep it.
    Column("delivery_id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    # When it is to be posted; while somebody has it in hand, when that ends.
    time_column("next_at", null=False),
    Index("ix_pending_deliveries_due", "endpoint_id", "next_at"),
    Index("ix_pending_deliveries_order", "endpoint_id", "subject_id", "event_id"),
    # Rows come and go: dead ones are swept when there are a thousand, not when they are a fifth.
    postgresql_with={"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 1000},
)

PENDING_DELIVERIES = (
    """
create or replace function keep_pending_deliveries() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or new.state <> 'pending' then
    delete from pending_deliveries where delivery_id = old.id;
  else
    insert into pending_deliveries (delivery_id, endpoint_id, event_id, subject_id, attempts, next_at)
    values (new.id, new.endpoint_id, new.event_id, new.subject_id, new.attempts, new.next_at)
    on conflict (delivery_id) do update set attempts = excluded.attempts, next_at = excluded.next_at;
  end if;
  return null;
end
$$
""",
    """
create or replace trigger deliveries_made after insert on deliveries
for each row when (new.state = 'pending') execute function keep_pending_deliveries()
""",
    """
create or replace trigger deliveries_changed after update of state, attempts, next_at on deliveries
for each row when (old.state = 'pending' or new.state = 'pending') execute function keep_pending_deliveries()
""",
    """
create or replace trigger deliveries_gone after delete on deliveries
for each row when (old.state = 'pending') execute function keep_pending_deliveries()
""",
)
for _statement in PENDING_DELIVERIES:
    event.listen(deliveries, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
