"""Which addresses were answered a STOP, START or HELP lately: so that nobody is answered on and on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keyword_answers",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("keyword", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_keyword_answers_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyword_answers")),
    )
    op.create_index("ix_keyword_answers_given", "keyword_answers", ["scope_id", "address_hash", "created_at"])
    op.create_index("ix_keyword_answers_created_at", "keyword_answers", ["created_at"])


def downgrade() -> None:
    op.drop_table("keyword_answers")
