"""A message may say until when it is of use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("valid_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("messages", "valid_until")
