"""A guest's text finds the property that wrote to its address last, whichever that is; texts of nobody's are found."""

from __future__ import annotations

from alembic import op

from bellhop.store import online_indexes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    online_indexes.build("ix_messages_written", "on messages (address_hash, id) where address_hash is not null")
    online_indexes.drop("ix_messages_address")
    online_indexes.build(
        "ix_receipts_unmatched",
        "on receipts (received_at) where word = 'inbound' and message_id is null and payload is not null",
    )


def downgrade() -> None:
    op.drop_index("ix_receipts_unmatched", table_name="receipts")
    op.create_index("ix_messages_address", "messages", ["scope_id", "address_hash"])
    op.drop_index("ix_messages_written", table_name="messages")
