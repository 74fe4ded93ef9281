"""Deliveries that are pending, in a table of their own that stays small: triggers keep it, whoever writes deliveries."""

from __future__ import annotations

from alembic import op

from bellhop.store import online_indexes

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TABLE = """
create table if not exists pending_deliveries (
  delivery_id uuid not null constraint pk_pending_deliveries primary key,
  endpoint_id uuid not null,
  event_id uuid not null,
  subject_id uuid not null,
  attempts smallint not null,
  next_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
"""
INDEXES = (
    "create index if not exists ix_pending_deliveries_due on pending_deliveries (endpoint_id, next_at)",
    "create index if not exists ix_pending_deliveries_order on pending_deliveries (endpoint_id, subject_id, event_id)",
)
KEEP = """
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
"""
TRIGGERS = (
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
COPY = """
insert into pending_deliveries (delivery_id, endpoint_id, event_id, subject_id, attempts, next_at)
select id, endpoint_id, event_id, subject_id, attempts, next_at from deliveries where state = 'pending'
on conflict (delivery_id) do nothing
"""


def upgrade() -> None:
    # What follows is safe to repeat: the indexes that it makes needless are dropped outside of the transaction. The
    # triggers keep writers away until what is pending is copied, which is read off those indexes.
    for statement in (TABLE, *INDEXES, KEEP, *TRIGGERS, COPY):
        op.execute(statement)
    online_indexes.drop("ix_deliveries_pending")
    online_indexes.drop("ix_deliveries_order")


def downgrade() -> None:
    online_indexes.build("ix_deliveries_pending", "on deliveries (endpoint_id, next_at) where state = 'pending'")
    online_indexes.build(
        "ix_deliveries_order", "on deliveries (endpoint_id, subject_id, event_id) where state = 'pending'"
    )
    for trigger in ("deliveries_made", "deliveries_changed", "deliveries_gone"):
        op.execute(f"drop trigger if exists {trigger} on deliveries")
    op.execute("drop function if exists keep_pending_deliveries()")
    op.execute("drop table if exists pending_deliveries")
