"""Who is in the group that a message goes to, found by an address, and what its provider calls the group."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_groups",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("hashes", ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_groups_message_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_message_groups_scope_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_groups")),
    )
    op.create_index("ix_message_groups_hashes", "message_groups", ["hashes"], postgresql_using="gin")
    op.create_index(
        "ix_message_groups_group_id",
        "message_groups",
        ["scope_id", "group_id", "message_id"],
        postgresql_where=sa.text("group_id is not null"),
    )


def downgrade() -> None:
    op.drop_table("message_groups")
