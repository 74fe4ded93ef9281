"""Messages that lie in their conversation until the other side polls them, and has confirmed them."""

from __future__ import annotations

from alembic import op

from bellhop.store import online_indexes

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_UNCONFIRMED = (
    "on messages (scope_id, direction, id) where channel = 'inbox' and confirmed_at is null and erased_at is null "
    "and stage in ('sent', 'delivered', 'read')"
)


def upgrade() -> None:
    op.execute("alter table messages add column if not exists confirmed_at timestamptz")
    # What every property has from the beginning, those of before have from now on.
    op.execute(
        "insert into senders (scope_id, account_id, channel, address, is_default) "
        "select scope_id, id, 'inbox', 'inbox', true from provider_accounts where provider = 'in_app' "
        "on conflict do nothing"
    )
    online_indexes.build("ix_messages_unconfirmed", _UNCONFIRMED)


def downgrade() -> None:
    online_indexes.drop("ix_messages_unconfirmed")
    # The versions before know no such channel: nobody sends there.
    op.execute("delete from senders where channel = 'inbox'")
    for table in ("messages", "message_steps", "conversations"):
        op.execute(f"update {table} set channel = 'in_app' where channel = 'inbox'")
    op.drop_column("messages", "confirmed_at")
