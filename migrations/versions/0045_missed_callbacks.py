"""When an API process was last seen, and the accounts whose callbacks came while none was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation", sa.Column("api_seen_at", sa.DateTime(timezone=True), nullable=True))
    account = ("provider", "identity", "environment")
    op.create_table(
        "missed_callbacks",
        *(sa.Column(name, sa.Text(), nullable=False) for name in account),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint(*account, name=op.f("pk_missed_callbacks")),
    )


def downgrade() -> None:
    op.drop_table("missed_callbacks")
    op.drop_column("installation", "api_seen_at")
