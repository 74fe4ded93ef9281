"""How often each account at a provider was asked about messages, whose turn it is, and an index of what is to be asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from bellhop.store import online_indexes

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # First: where it is cut off, nothing else has been done.
    online_indexes.build("ix_attempts_ask_at", "on attempts (ask_at) where state = 'unknown'")
    account = ("provider", "identity", "environment")
    op.create_table(
        "question_budgets",
        *(sa.Column(name, sa.Text(), nullable=False) for name in account),
        sa.Column("asked", ARRAY(sa.DateTime(timezone=True)), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("uncounted_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(*account, name=op.f("pk_question_budgets")),
    )
    op.create_table(
        "waiting_questions",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in account),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("asked_from", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("comes_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_waiting_questions")),
    )
    op.create_index("ix_waiting_questions_turn", "waiting_questions", [*account, "rank", "since", "message_id"])


def downgrade() -> None:
    op.drop_table("waiting_questions")
    op.drop_table("question_budgets")
    online_indexes.drop("ix_attempts_ask_at")
