"""What a property keeps for fewer days: what is to be forgotten of it is read off indexes by property and time."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    online_indexes.build("ix_receipts_payloads", "on receipts (scope_id, received_at) where payload is not null")
    online_indexes.drop("ix_receipts_received_at")
    online_indexes.build(
        "ix_messages_received", "on messages (scope_id, id) where direction = 'inbound' and erased_at is null"
    )


def downgrade() -> None:
    online_indexes.drop("ix_messages_received")
    online_indexes.build("ix_receipts_received_at", "on receipts (received_at) where payload is not null")
    online_indexes.drop("ix_receipts_payloads")
