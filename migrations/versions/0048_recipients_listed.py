"""The recipients of a broadcast, listed."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

LISTING = "ix_broadcast_recipients_listing"


def upgrade() -> None:
    online_indexes.build(LISTING, "on broadcast_recipients (broadcast_id, id)")


def downgrade() -> None:
    online_indexes.drop(LISTING)
