"""A message has a priority: those that are there have the usual one. Requests are limited per property as well."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("priority", sa.Text(), server_default="normal", nullable=False))
    op.create_check_constraint(op.f("ck_messages_priority"), "messages", "priority in ('urgent', 'normal', 'bulk')")
    op.add_column("scopes", sa.Column("rate_limit", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("scopes", "rate_limit")
    op.drop_column("messages", "priority")
