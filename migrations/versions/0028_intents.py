"""What guests want: the intents that detectors find in their messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "intents",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("guest_id", sa.Uuid(), nullable=True),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("detected_type", sa.Text(), nullable=False),
        sa.Column("confidence", sa.SmallInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("detector", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('open', 'done', 'wrong')", name=op.f("ck_intents_status")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_intents_message_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_intents_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intents")),
        sa.UniqueConstraint("message_id", "detected_type", name=op.f("uq_intents_message_id_detected_type")),
    )
    op.create_index("ix_intents_listing", "intents", ["scope_id", "id"])
    op.create_index(
        "ix_intents_of_guest", "intents", ["scope_id", "guest_id", "id"], postgresql_where=sa.text("guest_id is not null")
    )


def downgrade() -> None:
    # Guests' messages have nothing pending in the versions before.
    op.execute("update messages set wake_due_at = null where direction = 'inbound' and wake_due_at is not null")
    op.drop_table("intents")
