"""Large batches of receipts are stored as they come in and applied in chunks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def upgrade() -> None:
    op.create_table(
        "unapplied_receipts",
        sa.Column("id", sa.Uuid, server_default=sa.text("uuidv7()")),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("account_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("items", JSONB, nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
        _time("due_at"),
        _time("received_at"),
        sa.PrimaryKeyConstraint("id", name="pk_unapplied_receipts"),
    )
    op.create_index("ix_unapplied_receipts_due_at", "unapplied_receipts", ["due_at", "id"])


def downgrade() -> None:
    op.drop_table("unapplied_receipts")
