"""What is said of an address after its guest was erased still binds: the hash stays with what was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("erased_hash", sa.LargeBinary))


def downgrade() -> None:
    op.drop_column("messages", "erased_hash")
