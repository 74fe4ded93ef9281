"""Nothing that is asked every minute reads a whole history: lists by channel and status, receipts and texts by what they
name, erasures by the addresses in payloads that are nobody's."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ADDRESSES_IN = r"""
create or replace function addresses_in(kept jsonb) returns text[] language sql immutable parallel safe as $$
  select coalesce(array_agg(distinct rtrim(found[1], '.')), '{}') from regexp_matches(
    regexp_replace(lower(replace(replace(kept::text, '%40', '@'), '%2B', '+')), '\\[bfnrt]', ' ', 'g'),
    '([^][\:space\:]"''<>(){}[,;\:=&?/\\|]+@[^][\:space\:]"''<>(){}[,;\:=&?/\\|@]+|[0-9]{6,})', 'g') as found
$$
"""
_INDEXES = {
    "ix_messages_status": "on messages (scope_id, channel, stage, id) "
    "where direction = 'outbound' and erased_at is null",
    "ix_messages_of_guest": "on messages (scope_id, guest_id, id) where guest_id is not null",
    "ix_receipts_addresses": "on receipts using gin (addresses_in(payload)) "
    "where message_id is null and payload is not null",
    "ix_deliveries_not_delivered": "on deliveries (endpoint_id, event_id) where state in ('failed', 'abandoned')",
    "ix_history_erasures_created_at": "on history_erasures (created_at, workflow_id)",
    "ix_api_keys_scope_ids": "on api_keys (scope_ids, id)",
}
_UNIQUE = {
    "uq_attempts_by_provider_id": "on attempts (provider_id, account_id)",
    "uq_receipts_dedupe_key": "on receipts (dedupe_key, account_id)",
    "uq_contact_points_address": "on contact_points (address_hash, kind, scope_id, guest_id) nulls not distinct",
}
_OLD_UNIQUE = {
    "receipts": ("uq_receipts_account_id_dedupe_key", "(account_id, dedupe_key)"),
    "contact_points": (
        "uq_contact_points_scope_id_kind_address_hash_guest_id",
        "nulls not distinct (scope_id, kind, address_hash, guest_id)",
    ),
}


def upgrade() -> None:
    online_indexes.run(_ADDRESSES_IN)
    for name, definition in _INDEXES.items():
        online_indexes.build(name, definition)
    for name, definition in _UNIQUE.items():
        online_indexes.build(name, definition, unique=True)
    online_indexes.drop("ix_messages_guest")
    online_indexes.drop("uq_attempts_provider_id")
    for table, (name, _) in _OLD_UNIQUE.items():
        online_indexes.run(f"alter table {table} drop constraint if exists {name}")


def downgrade() -> None:
    for table, (name, columns) in _OLD_UNIQUE.items():
        online_indexes.run(f"alter table {table} drop constraint if exists {name}")
        online_indexes.run(f"alter table {table} add constraint {name} unique {columns}")
    online_indexes.build("uq_attempts_provider_id", "on attempts (account_id, provider_id)", unique=True)
    online_indexes.build("ix_messages_guest", "on messages (scope_id, guest_id, id)")
    for name in (*_INDEXES, *_UNIQUE):
        online_indexes.drop(name)
    online_indexes.run("drop function if exists addresses_in(jsonb)")
