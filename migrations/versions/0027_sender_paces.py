"""The rate of a sender, and what waits for its turn there."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    online_indexes.run(
        """
        create table if not exists sender_paces (
          id uuid not null default uuidv7(),
          provider text not null,
          identity text not null,
          environment text not null,
          channel text not null,
          address text not null,
          free_at timestamptz not null default now(),
          released_until timestamptz,
          last_scope_id uuid,
          constraint pk_sender_paces primary key (id),
          constraint uq_sender_paces_provider_identity_environment_channel_address
            unique (provider, identity, environment, channel, address)
        )
        """
    )
    online_indexes.run("alter table senders add column if not exists rate double precision")
    online_indexes.run("alter table senders add column if not exists pace_id uuid")
    online_indexes.run("alter table senders drop constraint if exists fk_senders_pace_id")
    online_indexes.run(
        "alter table senders add constraint fk_senders_pace_id foreign key (pace_id) references sender_paces (id)"
    )
    online_indexes.run("alter table senders drop constraint if exists ck_senders_rate")
    online_indexes.run(
        "alter table senders add constraint ck_senders_rate check (rate > 0 and (rate is null) = (pace_id is null))"
    )
    online_indexes.build("ix_senders_pace_id", "on senders (pace_id) where pace_id is not null")
    online_indexes.run("alter table messages add column if not exists pace_id uuid")
    online_indexes.build(
        "ix_messages_paced", "on messages (pace_id, priority, scope_id, due_at, id) where waits_for = 'paced'"
    )


def downgrade() -> None:
    online_indexes.drop("ix_messages_paced")
    # What waits for a turn waits for nobody then: the plain sweep would not know what for.
    online_indexes.run(
        "update messages set waits_for = null, parked_at = null, wake_due_at = clock_timestamp() where waits_for = 'paced'"
    )
    online_indexes.run("alter table messages drop column if exists pace_id")
    online_indexes.drop("ix_senders_pace_id")
    online_indexes.run("alter table senders drop constraint if exists ck_senders_rate")
    online_indexes.run("alter table senders drop constraint if exists fk_senders_pace_id")
    online_indexes.run("alter table senders drop column if exists pace_id")
    online_indexes.run("alter table senders drop column if exists rate")
    online_indexes.run("drop table if exists sender_paces")
