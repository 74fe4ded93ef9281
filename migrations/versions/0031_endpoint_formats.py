"""Endpoints that are sent another vendor's objects, and those that single messages name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("endpoints", sa.Column("format", sa.Text(), server_default="native", nullable=False))
    op.add_column("endpoints", sa.Column("channels", sa.ARRAY(sa.Text()), nullable=True))
    op.add_column("messages", sa.Column("callback_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    # The versions before know one format: nothing of the others goes to them.
    op.execute("update endpoints set is_active = false, deleted_at = now() where format <> 'native'")
    op.drop_column("messages", "callback_id")
    op.drop_column("endpoints", "channels")
    op.drop_column("endpoints", "format")
