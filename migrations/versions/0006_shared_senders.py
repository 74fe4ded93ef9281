"""A guest's text finds the property that wrote to its address last, whichever that is; texts of nobody's are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_messages_written",
        "messages",
        ["address_hash", "id"],
        postgresql_where=sa.text("address_hash is not null"),
    )
    op.drop_index("ix_messages_address", table_name="messages")
    op.create_index(
        "ix_receipts_unmatched",
        "receipts",
        ["received_at"],
        postgresql_where=sa.text("word = 'inbound' and message_id is null and payload is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_receipts_unmatched", table_name="receipts")
    op.create_index("ix_messages_address", "messages", ["scope_id", "address_hash"])
    op.drop_index("ix_messages_written", table_name="messages")
