"""The installation notes which Temporal namespace conducts its messages: another one is told of all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation", sa.Column("conductor", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("installation", "conductor")
