"""What a message waits for, where that is somebody and not its time: such messages are parked, and nobody looks at them
until they are released."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_DUE = "stage = 'queued' and direction = 'outbound'"


def upgrade() -> None:
    online_indexes.run("alter table messages add column if not exists waits_for text")
    online_indexes.run("alter table messages add column if not exists parked_at timestamptz")
    online_indexes.run("alter table messages drop constraint if exists ck_messages_waits_for")
    # Checked against what is there without a lock that stops writers.
    online_indexes.run(
        "alter table messages add constraint ck_messages_waits_for"
        " check (waits_for in ('paused', 'no_sender', 'account_held', 'paced')) not valid"
    )
    online_indexes.run("alter table messages validate constraint ck_messages_waits_for")
    online_indexes.build("ix_messages_parked", "on messages (scope_id, channel, due_at, id) where waits_for is not null")
    online_indexes.build("ix_messages_next", f"on messages (due_at, id) where {_DUE} and waits_for is null")
    online_indexes.drop("ix_messages_due")


def downgrade() -> None:
    online_indexes.build("ix_messages_due", f"on messages (due_at) where {_DUE}")
    online_indexes.drop("ix_messages_next")
    online_indexes.drop("ix_messages_parked")
    online_indexes.run("alter table messages drop constraint if exists ck_messages_waits_for")
    online_indexes.run("alter table messages drop column if exists parked_at")
    online_indexes.run("alter table messages drop column if exists waits_for")
