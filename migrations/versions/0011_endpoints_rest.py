"""An endpoint that asks for a rest: its own row says so, not those of its deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("endpoints", sa.Column("rests_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("endpoints", "rests_until")
