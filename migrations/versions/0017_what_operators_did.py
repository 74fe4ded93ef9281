"""What operators do is on record, and a message names the failed one that it sends again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bellhop.store import online_indexes

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Begun again from here when it was cut off: the index is built outside of the transaction.
    op.execute("alter table messages add column if not exists resend_of uuid")
    op.create_table(
        "operator_actions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("action in ('pause', 'resume', 'hold', 'mend', 'resend')", name=op.f("ck_operator_actions_action")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_operator_actions_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_actions")),
        if_not_exists=True,
    )
    op.create_index("ix_operator_actions_subject", "operator_actions", ["subject_id", "id"], if_not_exists=True)
    op.create_index("ix_operator_actions_scope", "operator_actions", ["scope_id", "id"], if_not_exists=True)
    online_indexes.build("ix_messages_resend_of", "on messages (resend_of) where resend_of is not null")


def downgrade() -> None:
    online_indexes.drop("ix_messages_resend_of")
    op.execute("drop table if exists operator_actions")
    op.execute("alter table messages drop column if exists resend_of")
