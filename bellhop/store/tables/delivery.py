"""Provider accounts and senders, attempts, receipts, and histories to be erased."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from bellhop.store.tables.columns import (
    Personal,
    PersonalJSON,
    Secret,
    json_column,
    key_column,
    metadata,
    scope_column,
    time_column,
)

provider_accounts = Table(
    "provider_accounts",
    metadata,
    key_column(),
    scope_column(),
    Column("provider", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    json_column("credentials", Secret()),
    json_column("previous_credentials", Secret()),
    Column("health", Text, nullable=False, server_default="ok"),
    Column("held_code", Text),
    time_column("held_since"),
    time_column("probe_at"),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    UniqueConstraint("scope_id", "provider", "identity"),
    Index("ix_provider_accounts_identity", "provider", "identity"),
    CheckConstraint("health in ('ok', 'held')", name="health"),
)

account_versions = Table(
    "account_versions",
    metadata,
    # Of each account at a provider, whosever rows of it there are: the transaction that last changed what its callbacks
    # are verified with. Written by triggers, so that no process goes on with what it remembers of it.
    Column("provider", Text, primary_key=True),
    Column("identity", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

# The same transaction writes it once, however many of its rows it changes.
ACCOUNT_VERSIONS = (
    """
create or replace function note_account_version() returns trigger language plpgsql as $$
declare
  changed provider_accounts;
begin
  foreach changed in array case tg_op
    when 'INSERT' then array[new] when 'DELETE' then array[old] else array[old, new] end
  loop
    insert into account_versions as known (provider, identity, version)
    values (changed.provider, changed.identity, pg_current_xact_id()::text::bigint)
    on conflict (provider, identity) do update set version = excluded.version
      where known.version <> excluded.version;
  end loop;
  return null;
end
$$
""",
    """
create or replace trigger provider_accounts_made after insert or delete on provider_accounts
for each row execute function note_account_version()
""",
    """
create or replace trigger provider_accounts_changed
after update of scope_id, provider, identity, base_url, credentials, previous_credentials on provider_accounts
for each row when (
  (old.scope_id, old.provider, old.identity, old.base_url, old.credentials, old.previous_credentials) is distinct from
  (new.scope_id, new.provider, new.identity, new.base_url, new.credentials, new.previous_credentials)
) execute function note_account_version()
""",
)
for _statement in ACCOUNT_VERSIONS:
    event.listen(provider_accounts, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]

senders = Table(
    "senders",
    metadata,
    key_column(),
    scope_column(),
    Column("account_id", Uuid, ForeignKey("provider_accounts.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("name", Text),
    json_column("capabilities"),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    # Calls a second, and what counts them for all scopes that send from there; null: nothing of ours limits it.
    Column("rate", Float),
    Column("pace_id", Uuid, ForeignKey("sender_paces.id")),
    time_column("created_at", now=True),
    UniqueConstraint("scope_id", "channel", "address"),
    Index("ix_senders_address", "address"),
    Index("ix_senders_pace_id", "pace_id", postgresql_where=text("pace_id is not null")),
    CheckConstraint("rate > 0 and (rate is null) = (pace_id is null)", name="rate"),
)

sender_paces = Table(
    "sender_paces",
    metadata,
    # A sender that has a rate, at its provider, whosever rows of it there are: they share its pace.
    key_column(),
    Column("provider", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    # When it is free for the next call.
    time_column("free_at", now=True),
    # Somebody releases what waits for it, or has been told to, and is to be heard of until then; null: nobody waits.
    time_column("released_until"),
    # The scopes that share it take turns: whose the last one was.
    Column("last_scope_id", Uuid),
    UniqueConstraint("provider", "identity", "environment", "channel", "address"),
)

attempts = Table(
    "attempts",
    metadata,
    key_column(),
    scope_column(),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("step", SmallInteger, nullable=False, server_default=text("0")),
    # How many reminders of the message had begun: what reminds of a step may be live beside it.
    Column("reminder", SmallInteger, nullable=False, server_default=text("0")),
    Column("account_id", Uuid, ForeignKey("provider_accounts.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="in_flight"),
    # What the provider has said about this part: null, sent, undelivered, delivered or read. Only moves up.
    # gave_up, ours: nothing more is done for this part, which is one of several devices.
    Column("stage", Text),
    time_column("lease_until", null=False),
    time_column("ask_at"),
    Column("asked", SmallInteger, nullable=False, server_default=text("0")),
    Column("sender", Text, nullable=False),
    Column("provider_id", Text),
    Column("body", Personal),
    # The approved template as which it went out, at the provider; `body` is what that says. Null: it went as it is.
    Column("content_sid", Text),
    # By what the provider says that it went, where it chooses between several.
    Column("service", Text),
    Column("failure_code", Text),
    Column("provider_code", Text),
    Column("error_text", Personal),
    time_column("created_at", now=True),
    time_column("settled_at"),
    # I2: the database itself refuses a second live attempt at the same part of the same message, whatever its step; but
    # a reminder, which is sent beside what it reminds of, has one of its own.
    Index(
        "uq_attempts_live",
        "message_id",
        "part",
        "reminder",
        unique=True,
        postgresql_where=text("state in ('in_flight', 'accepted', 'unknown')"),
    ),
    Index("ix_attempts_message_id", "message_id"),
    # By the provider's id first: a callback names that, and an account that is everybody's does not narrow it down.
    Index("uq_attempts_by_provider_id", "provider_id", "account_id", unique=True),
    Index("ix_attempts_lease", "lease_until", postgresql_where=text("state = 'in_flight'")),
    Index("ix_attempts_ask_at", "ask_at", postgresql_where=text("state = 'unknown'")),
    CheckConstraint(
        "state in ('in_flight', 'accepted', 'unknown', 'not_sent', 'undelivered', 'abandoned')", name="state"
    ),
)

# Every e-mail address in a JSON value's text, and every run of digits that may be a telephone number.
ADDRESSES_IN = r"""
create or replace function addresses_in(kept jsonb) returns text[] language sql immutable parallel safe as $$
  select coalesce(array_agg(distinct rtrim(found[1], '.')), '{}') from regexp_matches(
    regexp_replace(lower(replace(replace(kept::text, '%40', '@'), '%2B', '+')), '\\[bfnrt]', ' ', 'g'),
    '([^][:space:]"''<>(){}[,;:=&?/\\|]+@[^][:space:]"''<>(){}[,;:=&?/\\|@]+|[0-9]{6,})', 'g') as found
$$
"""
event.listen(metadata, "before_create", DDL(ADDRESSES_IN.replace("%", "%%")))  # type: ignore[no-untyped-call]

receipts = Table(
    "receipts",
    metadata,
    key_column(),
    Column("scope_id", Uuid, ForeignKey("scopes.id")),
    Column("account_id", Uuid, ForeignKey("provider_accounts.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("attempt_id", Uuid),
    Column("message_id", Uuid),
    Column("word", Text, nullable=False),
    Column("stage", Text),
    Column("failure_code", Text),
    Column("provider_code", Text),
    Column("provider_id", Text),
    Column("payload", PersonalJSON),
    time_column("occurred_at"),
    time_column("received_at", now=True),
    Index("uq_receipts_dedupe_key", "dedupe_key", "account_id", unique=True),
    Index("ix_receipts_message_id", "message_id"),
    Index("ix_receipts_payloads", "scope_id", "received_at", postgresql_where=text("payload is not null")),
    # Guests' texts that are nobody's: few.
    Index(
        "ix_receipts_unmatched",
        "received_at",
        postgresql_where=text("word = 'inbound' and message_id is null and payload is not null"),
    ),
    # Whom the payloads name that are nobody's: what the erasure of a guest looks for.
    Index(
        "ix_receipts_addresses",
        text("addresses_in(payload)"),
        postgresql_using="gin",
        postgresql_where=text("message_id is null and payload is not null"),
    ),
)

unapplied_receipts = Table(
    "unapplied_receipts",
    metadata,
    # What was acknowledged and is yet to be applied: a part of a large batch of verified receipts. Usually empty.
    key_column(),
    Column("provider", Text, nullable=False),
    Column("identity", Text, nullable=False),
    # The provider_accounts whose credentials signed it.
    Column("account_ids", ARRAY(Uuid), nullable=False),
    Column("items", PersonalJSON, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    time_column("due_at", now=True),
    time_column("received_at", now=True),
    Index("ix_unapplied_receipts_due_at", "due_at", "id"),
)

inbound_lists = Table(
    "inbound_lists",
    metadata,
    # Of each account at a provider, not of each property's row of it.
    Column("provider", Text, primary_key=True),
    Column("identity", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    # Everything that guests wrote before is known; null: the provider has no list of it.
    time_column("received_until"),
    # When a process last began to ask: no other does for a while.
    time_column("asked_at", now=True),
)

history_erasures = Table(
    "history_erasures",
    metadata,
    # Temporal histories to delete once Temporal can be reached (I7).
    Column("workflow_id", Text, primary_key=True),
    time_column("created_at", now=True),
    Index("ix_history_erasures_created_at", "created_at", "workflow_id"),
)

question_budgets = Table(
    "question_budgets",
    metadata,
    # Of each account at a provider, not of each property's row of it.
    Column("provider", Text, primary_key=True),
    Column("identity", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    # When the last questions were asked: as many as may be in one span.
    Column("asked", ARRAY(DateTime(timezone=True)), nullable=False, server_default=text("'{}'")),
    # The provider lets this account ask nothing: until then it is not counted how often it does.
    time_column("uncounted_until"),
)

waiting_questions = Table(
    "waiting_questions",
    metadata,
    # Messages whose turn it is not yet to be asked about. Small: what was asked, or answered otherwise, is removed.
    Column("message_id", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    time_column("since", null=False),
    Column("calls", Integer, nullable=False),
    # When it was told to wait for the first time, and until when.
    time_column("asked_from", now=True),
    time_column("comes_at", null=False),
    Index("ix_waiting_questions_turn", "provider", "identity", "environment", "rank", "since", "message_id"),
)

missed_callbacks = Table(
    "missed_callbacks",
    metadata,
    # Accounts at providers whose callbacks came while no API process ran, until they have been asked for them.
    Column("provider", Text, primary_key=True),
    Column("identity", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    time_column("since", null=False),
    time_column("until", null=False),
    time_column("due_at", now=True),
)
