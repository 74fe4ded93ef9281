"""A step may remind of the one before, which is still alive: each has a live attempt of its own."""

from __future__ import annotations

from alembic import op

from bellhop.store import online_indexes

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

LIVE = "where state in ('in_flight', 'accepted', 'unknown')"


def upgrade() -> None:
    # Begun again from here when it was cut off: indexes are built outside of the transaction.
    op.execute("alter table messages add column if not exists remind_at timestamptz")
    op.execute("alter table attempts add column if not exists reminder smallint not null default 0")
    # The old one guards until the new one does.
    online_indexes.build("uq_attempts_live_beside", f"on attempts (message_id, part, reminder) {LIVE}", unique=True)
    online_indexes.drop("uq_attempts_live")
    op.execute("alter index if exists uq_attempts_live_beside rename to uq_attempts_live")


def downgrade() -> None:
    # What has a reminder that is live beside it can't be told to an older version.
    op.execute(
        "update attempts set state = 'abandoned' where reminder > 0 and state in ('in_flight', 'accepted', 'unknown')"
    )
    online_indexes.build("uq_attempts_live_alone", f"on attempts (message_id, part) {LIVE}", unique=True)
    online_indexes.drop("uq_attempts_live")
    op.execute("alter index if exists uq_attempts_live_alone rename to uq_attempts_live")
    op.execute("alter table attempts drop column if exists reminder")
    op.execute("alter table messages drop column if exists remind_at")
