"""A message may have further steps, which follow where the one before surely failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from bellhop.store import online_indexes

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Begun again from here when it was cut off: the index is built outside of the transaction.
    op.execute("alter table messages add column if not exists step smallint not null default 0")
    op.execute("alter table messages add column if not exists plan jsonb")
    op.create_table(
        "message_steps",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True),
        sa.Column("erased_hash", sa.LargeBinary(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), server_default="text/plain", nullable=False),
        sa.Column("body", JSONB(), nullable=True),
        sa.Column("details", JSONB(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_steps_message_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_message_steps_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_steps")),
        sa.UniqueConstraint("message_id", "step", name=op.f("uq_message_steps_message_id_step")),
        if_not_exists=True,
    )
    op.create_index(
        "ix_message_steps_written",
        "message_steps",
        ["address_hash"],
        postgresql_where=sa.text("address_hash is not null"),
        if_not_exists=True,
    )
    online_indexes.build(
        "ix_messages_again",
        "on messages (scope_id, channel, id)"
        " where stage = 'queued' and sent_at is not null and direction = 'outbound' and erased_at is null",
    )


def downgrade() -> None:
    online_indexes.drop("ix_messages_again")
    op.execute("drop table if exists message_steps")
    op.execute("alter table messages drop column if exists plan")
    op.execute("alter table messages drop column if exists step")
