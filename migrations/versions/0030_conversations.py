"""Conversations are one per stay, else per guest and family of channels; they are listed, assigned, closed and noted."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

COLUMNS = {
    "family": "text not null default 'phone'",
    "channel": "text",
    "place": "uuid not null default uuidv7()",
    "inbound_place": "uuid",
    "read_id": "uuid",
    "read_at": "timestamptz",
    "closed_at": "timestamptz",
    "snoozed_until": "timestamptz",
    "assigned_to": "text",
    "tags": "text[] not null default '{}'",
    "updated_at": "timestamptz not null default now()",
}
FAMILY = """
    update conversations set family = case points.kind when 'email' then 'email'
        when 'phone' then 'phone' when 'whatsapp_user_id' then 'phone' else 'app' end
    from contact_points points where points.id = conversations.contact_point_id and conversations.guest_id is not null
"""
# There was one for each of a guest's addresses. Whoever comes second here is added to the first.
FIRST = """
    select id, first_value(id) over (partition by coalesce(guest_id, contact_point_id), family order by id) as first
    from conversations where stay_id is null
"""
# Only guests' messages were in conversations before. They count as read: nobody could say so.
NEWEST = """
    update conversations set channel = newest.channel, place = newest.id, inbound_place = newest.id,
      read_id = newest.id, read_at = now()
    from (
      select conversations.id as conversation_id, messages.id, messages.channel from conversations
      cross join lateral (
        select id, channel from messages where conversation_id = conversations.id order by id desc limit 1) messages
      where conversations.channel is null) newest
    where conversations.id = newest.conversation_id
"""


def upgrade() -> None:
    # Begun again from here when it was cut off.
    for name, kind in COLUMNS.items():
        online_indexes.run(f"alter table conversations add column if not exists {name} {kind}")
    online_indexes.run("alter table stays add column if not exists ended_at timestamptz")
    online_indexes.run(
        "update stays set ended_at = updated_at where ended_at is null and status in ('departed', 'cancelled', 'no_show')"
    )
    online_indexes.build("ix_messages_conversation", "on messages (conversation_id, id) where conversation_id is not null")
    online_indexes.build(
        "ix_messages_answers",
        "on messages (conversation_id, id) where conversation_id is not null and direction = 'inbound'",
    )
    online_indexes.run(FAMILY)
    online_indexes.run("update conversations set contact_point_id = null where guest_id is not null")
    for table in ("messages", "intents"):
        online_indexes.run(
            f"update {table} set conversation_id = others.first from ({FIRST}) others "
            f"where {table}.conversation_id = others.id and others.first <> others.id"
        )
    online_indexes.run(
        f"delete from conversations using ({FIRST}) others "
        "where conversations.id = others.id and others.first <> others.id"
    )
    online_indexes.run(NEWEST)
    online_indexes.run(
        "alter table conversations add column if not exists about_id uuid "
        "generated always as (coalesce(stay_id, guest_id, contact_point_id)) stored"
    )
    for name, rule in (
        ("uq_conversations_about_id_family", "unique (about_id, family)"),
        ("ck_conversations_family", "check (family in ('stay', 'phone', 'email', 'app'))"),
    ):
        online_indexes.run(f"alter table conversations drop constraint if exists {name}")
        online_indexes.run(f"alter table conversations add constraint {name} {rule}")
    online_indexes.run("alter table conversations drop constraint if exists uq_conversations_stay_id")
    online_indexes.build("ix_conversations_listing", "on conversations (scope_id, place)")
    for name in ("stay_id", "contact_point_id", "guest_id"):
        online_indexes.drop(f"ix_conversations_{name}")
        online_indexes.build(f"ix_conversations_{name}", f"on conversations ({name}) where {name} is not null")
    online_indexes.run(
        """
        create table if not exists conversation_notes (
          id uuid not null default uuidv7(),
          scope_id uuid not null,
          conversation_id uuid not null,
          author text,
          key_id uuid,
          content text not null,
          created_at timestamptz not null default now(),
          constraint pk_conversation_notes primary key (id),
          constraint fk_conversation_notes_scope_id foreign key (scope_id) references scopes (id),
          constraint fk_conversation_notes_conversation_id foreign key (conversation_id)
            references conversations (id) on delete cascade
        )
        """
    )
    online_indexes.build(
        "ix_conversation_notes_conversation_id", "on conversation_notes (conversation_id, id)"
    )


def downgrade() -> None:
    online_indexes.run("drop table if exists conversation_notes")
    # An older version looks for them by address alone.
    online_indexes.run("update messages set conversation_id = null where conversation_id is not null")
    online_indexes.run("update intents set conversation_id = null where conversation_id is not null")
    online_indexes.run("delete from conversations")
    for name in ("stay_id", "contact_point_id", "guest_id", "listing"):
        online_indexes.drop(f"ix_conversations_{name}")
    for name in ("contact_point_id", "guest_id"):
        online_indexes.build(f"ix_conversations_{name}", f"on conversations ({name})")
    for name in ("uq_conversations_about_id_family", "ck_conversations_family", "uq_conversations_stay_id"):
        online_indexes.run(f"alter table conversations drop constraint if exists {name}")
    online_indexes.run("alter table conversations add constraint uq_conversations_stay_id unique (stay_id)")
    online_indexes.run("alter table conversations drop column if exists about_id")
    for name in COLUMNS:
        online_indexes.run(f"alter table conversations drop column if exists {name}")
    online_indexes.run("alter table stays drop column if exists ended_at")
    for name in ("ix_messages_answers", "ix_messages_conversation"):
        online_indexes.drop(name)
