"""What guests wrote while nobody could take it is asked for at the provider: up to when it was, by account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbound_lists",
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("received_until", sa.DateTime(timezone=True)),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("provider", "identity", "environment", name="pk_inbound_lists"),
    )


def downgrade() -> None:
    op.drop_table("inbound_lists")
