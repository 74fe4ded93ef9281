"""A guest's message keeps what came with its text: files, a button, a place, a profile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("details", postgresql.JSONB(none_as_null=True)))


def downgrade() -> None:
    op.drop_column("messages", "details")
