"""Deliveries in parts by the month of their event. What there is becomes the first part, as it is."""

from __future__ import annotations

from alembic import op

from bellhop.store import monthly

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

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


def upgrade() -> None:
    # What was unique becomes the primary key. The index by event alone stays with what is old, for programs of the
    # version before; those of this one name the endpoint as well.
    monthly.split(
        "deliveries",
        "event_id",
        ("endpoint_id", "event_id"),
        unique="uq_deliveries_endpoint_id_event_id",
        old=("ix_deliveries_event_id",),
        triggers=TRIGGERS,
    )


def downgrade() -> None:
    monthly.join("deliveries")
    op.execute(
        "alter table deliveries add constraint uq_deliveries_endpoint_id_event_id unique (endpoint_id, event_id)"
    )
    op.execute("create index ix_deliveries_event_id on deliveries (event_id)")
    for trigger in TRIGGERS:
        op.execute(trigger)
