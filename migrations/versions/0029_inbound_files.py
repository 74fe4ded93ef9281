"""Files that guests send: what is yet to be fetched from a provider, and deleted there once a guest is erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assets", sa.Column("received", sa.Boolean(), server_default="false", nullable=False))
    op.create_table(
        "inbound_files",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('pending', 'kept', 'failed', 'erasing')", name=op.f("ck_inbound_files_state")
        ),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_inbound_files_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_files")),
        sa.UniqueConstraint("message_id", "position", name=op.f("uq_inbound_files_message_id_position")),
    )
    op.create_index(
        "ix_inbound_files_due",
        "inbound_files",
        ["next_at", "id"],
        postgresql_where=sa.text("next_at is not null"),
    )


def downgrade() -> None:
    op.drop_table("inbound_files")
    op.drop_column("assets", "received")
