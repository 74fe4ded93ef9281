"""By what a message really went, where a provider chooses: iMessage, RCS or SMS."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("service", sa.Text(), nullable=True))
    op.add_column("attempts", sa.Column("service", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempts", "service")
    op.drop_column("messages", "service")
