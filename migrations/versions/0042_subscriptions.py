"""What an endpoint that another vendor's client made was asked for, in that vendor's words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("endpoints", sa.Column("asked", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("endpoints", "asked")
