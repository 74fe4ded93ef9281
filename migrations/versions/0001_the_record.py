"""the record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def _id() -> sa.Column[object]:
    return sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False)


def upgrade() -> None:
    op.create_table('api_keys',
    _id(),
    sa.Column('scope_ids', postgresql.ARRAY(sa.Uuid()), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('secret_hash', sa.LargeBinary(), nullable=False),
    sa.Column('last4', sa.Text(), nullable=False),
    sa.Column('rights', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('side', sa.Text(), server_default='property', nullable=False),
    sa.Column('rate_limit', sa.Integer(), nullable=True),
    _now('created_at'),
    _time('last_used_at'), _time('expires_at'),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_api_keys_secret_hash')))
    op.create_table('history_erasures',
    sa.Column('workflow_id', sa.Text(), nullable=False),
    _now('created_at'),
    sa.PrimaryKeyConstraint('workflow_id', name=op.f('pk_history_erasures')))
    op.create_table('installation',
    sa.Column('id', sa.SmallInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('secret_check', sa.LargeBinary(), nullable=False),
    _now('created_at'),
    sa.CheckConstraint('id = 1', name=op.f('ck_installation_one_row')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_installation')))
    op.create_table('properties',
    _id(),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), server_default='hotel', nullable=False),
    sa.Column('timezone', sa.Text(), server_default='UTC', nullable=False),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('country', sa.Text(), nullable=True),
    sa.Column('settings', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    _now('created_at'), _now('updated_at'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_properties')),
    sa.UniqueConstraint('slug', name=op.f('uq_properties_slug')))
    op.create_table('rate_windows',
    sa.Column('key_id', sa.Uuid(), nullable=False),
    sa.Column('window_start', sa.BigInteger(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_rate_windows')),
    prefixes=['UNLOGGED']
    )
    op.create_table('scopes',
    _id(),
    sa.Column('property_id', sa.Uuid(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=False),
    sa.Column('settings', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
    _now('created_at'),
    sa.CheckConstraint("environment in ('test', 'live')", name=op.f('ck_scopes_environment')),
    sa.ForeignKeyConstraint(['property_id'], ['properties.id'], name=op.f('fk_scopes_property_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scopes')),
    sa.UniqueConstraint('property_id', 'environment', name=op.f('uq_scopes_property_id_environment')))
    op.create_table('assets',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('content_type', sa.Text(), nullable=True),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('slug', sa.Text(), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=True),
    _now('created_at'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_assets_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assets')),
    sa.UniqueConstraint('slug', name=op.f('uq_assets_slug')))
    op.create_table('consents',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('address_hash', sa.LargeBinary(), nullable=False),
    sa.Column('purpose', sa.Text(), server_default='all', nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('evidence_id', sa.Uuid(), nullable=True),
    _now('created_at'),
    sa.CheckConstraint("action in ('opt_out', 'opt_in')", name=op.f('ck_consents_action')),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_consents_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consents')))
    op.create_index('ix_consents_address', 'consents', ['scope_id', 'kind', 'address_hash', 'id'], unique=False)
    op.create_table('endpoints',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('secret', postgresql.JSONB(), nullable=False),
    sa.Column('previous_secret', postgresql.JSONB(), nullable=True),
    sa.Column('previous_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('events', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{*}'"), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('disabled_reason', sa.Text(), nullable=True),
    _time('disabled_at'), _time('failing_since'),
    sa.Column('draining_until', sa.DateTime(timezone=True), nullable=True),
    _now('created_at'), _now('updated_at'),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_endpoints_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_endpoints')))
    op.create_index('ix_endpoints_scope_id', 'endpoints', ['scope_id'], unique=False)
    op.create_table('events',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=True),
    sa.Column('facts', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    _now('created_at'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_events_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_events')))
    op.create_index('ix_events_subject', 'events', ['subject_id', 'id'], unique=False)
    op.create_index('uq_events_once', 'events', ['subject_id', 'stage'], unique=True, postgresql_where=sa.text('stage is not null'))
    op.create_table('guests',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('first_name', sa.Text(), nullable=False),
    sa.Column('last_name', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('email_key', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), server_default='en', nullable=False),
    sa.Column('preferences', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('metadata', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=True),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('search_text', sa.Text(), server_default='', nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    _now('created_at'), _now('updated_at'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_guests_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_guests')),
    sa.UniqueConstraint('scope_id', 'email_key', name=op.f('uq_guests_scope_id_email_key')),
    sa.UniqueConstraint('scope_id', 'external_id', name=op.f('uq_guests_scope_id_external_id')))
    op.create_index('ix_guests_listing', 'guests', ['scope_id', 'id'], unique=False)
    op.create_table('idempotency',
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=True),
    sa.Column('status_code', sa.SmallInteger(), nullable=False),
    _now('created_at'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_idempotency_scope_id')),
    sa.PrimaryKeyConstraint('scope_id', 'kind', 'key', name=op.f('pk_idempotency')))
    op.create_index('ix_idempotency_created_at', 'idempotency', ['created_at'], unique=False)
    op.create_table('messages',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('direction', sa.Text(), server_default='outbound', nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=True),
    sa.Column('address_hash', sa.LargeBinary(), nullable=True),
    sa.Column('sender', sa.Text(), nullable=True),
    sa.Column('guest_ref', sa.Text(), nullable=True),
    sa.Column('guest_id', sa.Uuid(), nullable=True),
    sa.Column('conversation_id', sa.Uuid(), nullable=True),
    sa.Column('stay_id', sa.Uuid(), nullable=True),
    sa.Column('subject', sa.Text(), nullable=True),
    sa.Column('content', sa.Text(), nullable=True),
    sa.Column('content_type', sa.Text(), server_default='text/plain', nullable=False),
    sa.Column('body', postgresql.JSONB(), nullable=True),
    sa.Column('category', sa.Text(), server_default='transactional', nullable=False),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.Column('tags', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('metadata', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('scheduled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stage', sa.Text(), server_default='queued', nullable=False),
    sa.Column('decision', sa.Text(), server_default='queued', nullable=False),
    sa.Column('failure_code', sa.Text(), nullable=True),
    sa.Column('provider_code', sa.Text(), nullable=True),
    sa.Column('provider', sa.Text(), nullable=True),
    sa.Column('held_account_id', sa.Uuid(), nullable=True),
    sa.Column('parts', sa.SmallInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('tries', sa.SmallInteger(), server_default=sa.text('0'), nullable=False),
    _time('sent_at'), _time('delivered_at'),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    _now('created_at'), _now('updated_at'),
    _time('wake_due_at'), _time('erased_at'),
    sa.CheckConstraint("decision in ('queued', 'cancelled', 'gave_up')", name=op.f('ck_messages_decision')),
    sa.CheckConstraint("direction in ('outbound', 'inbound')", name=op.f('ck_messages_direction')),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_messages_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')))
    op.create_index('ix_messages_address', 'messages', ['scope_id', 'address_hash'], unique=False)
    op.create_index('ix_messages_due', 'messages', ['due_at'], unique=False, postgresql_where=sa.text("stage = 'queued' and direction = 'outbound'"))
    op.create_index('ix_messages_guest', 'messages', ['scope_id', 'guest_id', 'id'], unique=False)
    op.create_index('ix_messages_held', 'messages', ['held_account_id'], unique=False, postgresql_where=sa.text('held_account_id is not null'))
    op.create_index('ix_messages_listing', 'messages', ['scope_id', 'id'], unique=False)
    op.create_index('ix_messages_wake', 'messages', ['wake_due_at'], unique=False, postgresql_where=sa.text('wake_due_at is not null'))
    op.create_table('provider_accounts',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('identity', sa.Text(), nullable=False),
    sa.Column('base_url', sa.Text(), nullable=False),
    sa.Column('credentials', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('previous_credentials', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('health', sa.Text(), server_default='ok', nullable=False),
    sa.Column('held_code', sa.Text(), nullable=True),
    _time('held_since'), _time('probe_at'),
    _now('created_at'), _now('updated_at'),
    sa.CheckConstraint("health in ('ok', 'held')", name=op.f('ck_provider_accounts_health')),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_provider_accounts_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_provider_accounts')),
    sa.UniqueConstraint('scope_id', 'provider', 'identity', name=op.f('uq_provider_accounts_scope_id_provider_identity')))
    op.create_index('ix_provider_accounts_identity', 'provider_accounts', ['provider', 'identity'], unique=False)
    op.create_table('templates',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('locale', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('body', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    _now('created_at'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_templates_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_templates')),
    sa.UniqueConstraint('scope_id', 'name', 'locale', 'version', name=op.f('uq_templates_scope_id_name_locale_version')))
    op.create_table('attempts',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('message_id', sa.Uuid(), nullable=False),
    sa.Column('part', sa.SmallInteger(), nullable=False),
    sa.Column('step', sa.SmallInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='in_flight', nullable=False),
    sa.Column('stage', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ask_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked', sa.SmallInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=True),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('failure_code', sa.Text(), nullable=True),
    sa.Column('provider_code', sa.Text(), nullable=True),
    sa.Column('error_text', sa.Text(), nullable=True),
    _now('created_at'),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state in ('in_flight', 'accepted', 'unknown', 'not_sent', 'undelivered', 'abandoned')", name=op.f('ck_attempts_state')),
    sa.ForeignKeyConstraint(['account_id'], ['provider_accounts.id'], name=op.f('fk_attempts_account_id')),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_attempts_message_id')),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_attempts_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempts')))
    op.create_index('ix_attempts_lease', 'attempts', ['lease_until'], unique=False, postgresql_where=sa.text("state = 'in_flight'"))
    op.create_index('ix_attempts_message_id', 'attempts', ['message_id'], unique=False)
    op.create_index('uq_attempts_live', 'attempts', ['message_id', 'part'], unique=True, postgresql_where=sa.text("state in ('in_flight', 'accepted', 'unknown')"))
    op.create_index('uq_attempts_provider_id', 'attempts', ['account_id', 'provider_id'], unique=True)
    op.create_table('contact_points',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('guest_id', sa.Uuid(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('address_hash', sa.LargeBinary(), nullable=False),
    _time('last_inbound_at'), _time('invalid_since'),
    _now('created_at'),
    sa.ForeignKeyConstraint(['guest_id'], ['guests.id'], name=op.f('fk_contact_points_guest_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_contact_points_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_points')),
    sa.UniqueConstraint('scope_id', 'kind', 'address_hash', 'guest_id', name=op.f('uq_contact_points_scope_id_kind_address_hash_guest_id'), postgresql_nulls_not_distinct=True))
    op.create_index('ix_contact_points_guest_id', 'contact_points', ['guest_id'], unique=False)
    op.create_table('deliveries',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('endpoint_id', sa.Uuid(), nullable=False),
    sa.Column('event_id', sa.Uuid(), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Text(), server_default='pending', nullable=False),
    sa.Column('attempts', sa.SmallInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_attempt_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_status', sa.SmallInteger(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
    _now('created_at'),
    sa.CheckConstraint("state in ('pending', 'delivered', 'failed', 'abandoned')", name=op.f('ck_deliveries_state')),
    sa.ForeignKeyConstraint(['endpoint_id'], ['endpoints.id'], name=op.f('fk_deliveries_endpoint_id')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_deliveries_event_id')),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_deliveries_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('endpoint_id', 'event_id', name=op.f('uq_deliveries_endpoint_id_event_id')))
    op.create_index('ix_deliveries_event_id', 'deliveries', ['event_id'], unique=False)
    op.create_index('ix_deliveries_order', 'deliveries', ['endpoint_id', 'subject_id', 'event_id'], unique=False, postgresql_where=sa.text("state = 'pending'"))
    op.create_index('ix_deliveries_pending', 'deliveries', ['endpoint_id', 'next_at'], unique=False, postgresql_where=sa.text("state = 'pending'"))
    op.create_table('receipts',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=True),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=True),
    sa.Column('message_id', sa.Uuid(), nullable=True),
    sa.Column('word', sa.Text(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=True),
    sa.Column('failure_code', sa.Text(), nullable=True),
    sa.Column('provider_code', sa.Text(), nullable=True),
    sa.Column('provider_id', sa.Text(), nullable=True),
    sa.Column('payload', postgresql.JSONB(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['provider_accounts.id'], name=op.f('fk_receipts_account_id')),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_receipts_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipts')),
    sa.UniqueConstraint('account_id', 'dedupe_key', name=op.f('uq_receipts_account_id_dedupe_key')))
    op.create_index('ix_receipts_message_id', 'receipts', ['message_id'], unique=False)
    op.create_index('ix_receipts_received_at', 'receipts', ['received_at'], unique=False, postgresql_where=sa.text('payload is not null'))
    op.create_table('senders',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('capabilities', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('is_default', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    _now('created_at'),
    sa.ForeignKeyConstraint(['account_id'], ['provider_accounts.id'], name=op.f('fk_senders_account_id')),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_senders_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_senders')),
    sa.UniqueConstraint('scope_id', 'channel', 'address', name=op.f('uq_senders_scope_id_channel_address')))
    op.create_index('ix_senders_address', 'senders', ['address'], unique=False)
    op.create_table('stays',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('guest_id', sa.Uuid(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('reservation', sa.Text(), nullable=False),
    _time('arrives_at'), _time('departs_at'),
    sa.Column('details', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    _now('created_at'),
    sa.ForeignKeyConstraint(['guest_id'], ['guests.id'], name=op.f('fk_stays_guest_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_stays_scope_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stays')),
    sa.UniqueConstraint('scope_id', 'source', 'reservation', name=op.f('uq_stays_scope_id_source_reservation')))
    op.create_index('ix_stays_guest_id', 'stays', ['guest_id'], unique=False)
    op.create_table('conversations',
    _id(),
    sa.Column('scope_id', sa.Uuid(), nullable=False),
    sa.Column('stay_id', sa.Uuid(), nullable=True),
    sa.Column('contact_point_id', sa.Uuid(), nullable=True),
    sa.Column('guest_id', sa.Uuid(), nullable=True),
    _now('created_at'),
    sa.Column('last_message_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_points.id'], name=op.f('fk_conversations_contact_point_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['guest_id'], ['guests.id'], name=op.f('fk_conversations_guest_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['scope_id'], ['scopes.id'], name=op.f('fk_conversations_scope_id')),
    sa.ForeignKeyConstraint(['stay_id'], ['stays.id'], name=op.f('fk_conversations_stay_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversations')),
    sa.UniqueConstraint('stay_id', name=op.f('uq_conversations_stay_id')))
    op.create_index('ix_conversations_contact_point_id', 'conversations', ['contact_point_id'], unique=False)
    op.create_index('ix_conversations_guest_id', 'conversations', ['guest_id'], unique=False)


def downgrade() -> None:
    # Their indexes go with them.
    for table in (
        'conversations', 'stays', 'senders', 'receipts', 'deliveries', 'contact_points', 'attempts',
        'templates', 'provider_accounts', 'messages', 'idempotency', 'guests', 'events',
        'endpoints', 'consents', 'assets', 'scopes', 'rate_windows', 'properties', 'installation',
        'history_erasures', 'api_keys',
    ):
        op.drop_table(table)
