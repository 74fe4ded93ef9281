"""Which of the property's senders a consent was said to. Of those that are there nobody knows."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

SAID = "ix_consents_said"
SAID_TO = "ix_consents_said_to"


def upgrade() -> None:
    for name in ("channel", "sender"):
        online_indexes.run(f"alter table consents add column if not exists {name} text not null default ''")
    online_indexes.build(
        SAID_TO,
        "on consents (scope_id, kind, address_hash, cause, purpose, channel, sender, occurred_at, id)",
    )
    online_indexes.drop(SAID)


def downgrade() -> None:
    online_indexes.build(SAID, "on consents (scope_id, kind, address_hash, cause, purpose, occurred_at, id)")
    online_indexes.drop(SAID_TO)
    for name in ("channel", "sender"):
        online_indexes.run(f"alter table consents drop column if exists {name}")
