"""Events remember the transaction that wrote them, so that streams of conversations have an order; a guest's message can be
moved to another guest."""

from __future__ import annotations

from alembic import op

from bellhop.store import online_indexes

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

ACTIONS = "'pause', 'resume', 'hold', 'mend', 'resend'"


def upgrade() -> None:
    # Begun again from here when it was cut off. The default comes after the column: events that are there keep null.
    op.execute("alter table events add column if not exists xact bigint")
    op.execute("alter table events alter column xact set default (pg_current_xact_id()::text::bigint)")
    online_indexes.build("ix_events_stream", "on events (scope_id, xact, id) where xact is not null")
    op.execute("alter table operator_actions drop constraint if exists ck_operator_actions_action")
    op.create_check_constraint(op.f("ck_operator_actions_action"), "operator_actions", f"action in ({ACTIONS}, 'move')")


def downgrade() -> None:
    op.execute("delete from operator_actions where action = 'move'")
    op.execute("alter table operator_actions drop constraint if exists ck_operator_actions_action")
    op.create_check_constraint(op.f("ck_operator_actions_action"), "operator_actions", f"action in ({ACTIONS})")
    online_indexes.drop("ix_events_stream")
    op.execute("alter table events drop column if exists xact")
