"""Templates that WhatsApp approves: where each stands, and as which of them a message went out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "content_templates",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("content_sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("rejection_reason", sa.Text(), nullable=True),
        sa.Column("variables", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_content_templates_scope_id")),
        sa.PrimaryKeyConstraint("scope_id", "content_sid", name=op.f("pk_content_templates")),
    )
    op.create_index("ix_content_templates_asked_at", "content_templates", ["asked_at"])
    op.add_column("attempts", sa.Column("content_sid", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempts", "content_sid")
    op.drop_table("content_templates")
