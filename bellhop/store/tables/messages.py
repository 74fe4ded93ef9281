"""Messages both ways, and what they are made of."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from bellhop.store.tables.columns import (
    Personal,
    PersonalJSON,
    json_column,
    key_column,
    metadata,
    scope_column,
    time_column,
)

messages = Table(
    "messages",
    metadata,
    key_column(),
    scope_column(),
    Column("direction", Text, nullable=False, server_default="outbound"),
    Column("channel", Text, nullable=False),
    Column("recipient", Personal),
    Column("address_hash", LargeBinary),
    Column("sender", Personal),
    Column("guest_ref", Text),
    Column("guest_id", Uuid),
    Column("conversation_id", Uuid),
    Column("stay_id", Uuid),
    Column("subject", Personal),
    Column("content", Personal),
    Column("content_type", Text, nullable=False, server_default="text/plain"),
    Column("body", PersonalJSON),
    # Inbound only: files, button, place, profile (bellhop/domain/inbound_details.py).
    Column("details", PersonalJSON),
    Column("category", Text, nullable=False, server_default="transactional"),
    Column("priority", Text, nullable=False, server_default="normal"),
    Column("reference", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    json_column("metadata", PersonalJSON()),
    time_column("scheduled_at"),
    # Its sender's own limit; `expires_at` is the earlier of that and of how long messages are valid.
    time_column("valid_until"),
    # Seconds after it is due that `valid_until` is, where it was given so; null: it was given as a time.
    Column("validity", Integer),
    Column("ignore_quiet_hours", Boolean, nullable=False, server_default=text("false")),
    Column("ignore_frequency_cap", Boolean, nullable=False, server_default=text("false")),
    time_column("due_at", now=True),
    time_column("expires_at"),
    Column("stage", Text, nullable=False, server_default="queued"),
    # Our own decision: queued (none), cancelled or gave_up. `stage` follows from it and from the attempts.
    Column("decision", Text, nullable=False, server_default="queued"),
    Column("failure_code", Text),
    Column("provider_code", Text),
    Column("provider", Text),
    # The endpoint that is told of this message alone; where it is told is in `details`.
    Column("callback_id", Uuid),
    # The failed message that this one sends again.
    Column("resend_of", Uuid),
    # By what it went, where a provider chooses: see `channels.Service`.
    Column("service", Text),
    Column("held_account_id", Uuid),
    # What it waits for that is no time, and since when: see store/delivery/parked.py. Null: it is not parked.
    Column("waits_for", Text),
    time_column("parked_at"),
    # The pace of the sender that it waits for; once it waits no more: whose turn it has been given.
    Column("pace_id", Uuid),
    # How many provider calls the text takes: decided at acceptance, one attempt each.
    Column("parts", SmallInteger, nullable=False, server_default=text("1")),
    # Which of its steps it is at, and all of them (bellhop/domain/steps.py); null: there is only the first, this row.
    Column("step", SmallInteger, nullable=False, server_default=text("0")),
    Column("plan", JSONB(none_as_null=True)),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    # When its next step follows, a reminder, unless it is read; null: none does, or what it reminds of is not sent.
    time_column("remind_at"),
    time_column("sent_at"),
    time_column("delivered_at"),
    time_column("read_at"),
    # Where the other side polls: when it said that it has it.
    time_column("confirmed_at"),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    # The pending notification: Temporal is to be notified (a start or a signal) of a change made then; null once it has
    # been. Of a guest's message: it is yet to be looked at for intents. Recovery reads it. By clock_timestamp(), under
    # the row's lock: a later one is never the earlier time, which `clear` relies on.
    time_column("wake_due_at"),
    time_column("erased_at"),
    # Of an erased outbound message the `address_hash` it had: what is said of the address later still binds.
    Column("erased_hash", LargeBinary),
    Index("ix_messages_listing", "scope_id", "id"),
    Index(
        "ix_messages_status",
        "scope_id",
        "channel",
        "stage",
        "id",
        postgresql_where=text("direction = 'outbound' and erased_at is null"),
    ),
    Index(
        "ix_messages_again",
        "scope_id",
        "channel",
        "id",
        postgresql_where=text(
            "stage = 'queued' and sent_at is not null and direction = 'outbound' and erased_at is null"
        ),
    ),
    Index(
        "ix_messages_received",
        "scope_id",
        "id",
        postgresql_where=text("direction = 'inbound' and erased_at is null"),
    ),
    # What the other side is yet to confirm.
    Index(
        "ix_messages_unconfirmed",
        "scope_id",
        "direction",
        "id",
        postgresql_where=text(
            "channel = 'inbox' and confirmed_at is null and erased_at is null "
            "and stage in ('sent', 'delivered', 'read')"
        ),
    ),
    Index("ix_messages_of_guest", "scope_id", "guest_id", "id", postgresql_where=text("guest_id is not null")),
    Index(
        "ix_messages_conversation",
        "conversation_id",
        "id",
        postgresql_where=text("conversation_id is not null"),
    ),
    # What a guest has written in it: who has not read it, and where they wrote last.
    Index(
        "ix_messages_answers",
        "conversation_id",
        "id",
        postgresql_where=text("conversation_id is not null and direction = 'inbound'"),
    ),
    Index("ix_messages_written", "address_hash", "id", postgresql_where=text("address_hash is not null")),
    Index("ix_messages_resend_of", "resend_of", postgresql_where=text("resend_of is not null")),
    Index("ix_messages_wake", "wake_due_at", postgresql_where=text("wake_due_at is not null")),
    Index(
        "ix_messages_next",
        "due_at",
        "id",
        postgresql_where=text("stage = 'queued' and direction = 'outbound' and waits_for is null"),
    ),
    Index("ix_messages_parked", "scope_id", "channel", "due_at", "id", postgresql_where=text("waits_for is not null")),
    Index(
        "ix_messages_paced",
        "pace_id",
        "priority",
        "scope_id",
        "due_at",
        "id",
        postgresql_where=text("waits_for = 'paced'"),
    ),
    Index("ix_messages_held", "held_account_id", postgresql_where=text("held_account_id is not null")),
    CheckConstraint("direction in ('outbound', 'inbound')", name="direction"),
    CheckConstraint("decision in ('queued', 'cancelled', 'gave_up')", name="decision"),
    CheckConstraint("priority in ('urgent', 'normal', 'bulk')", name="priority"),
    CheckConstraint("waits_for in ('paused', 'no_sender', 'account_held', 'paced')", name="waits_for"),
)

# What a message says, and to whom, at each step after its first.
message_steps = Table(
    "message_steps",
    metadata,
    key_column(),
    scope_column(),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False),
    Column("step", SmallInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Personal),
    Column("address_hash", LargeBinary),
    # Of an erased message, as in `messages`.
    Column("erased_hash", LargeBinary),
    Column("subject", Personal),
    Column("content", Personal),
    Column("content_type", Text, nullable=False, server_default="text/plain"),
    Column("body", PersonalJSON),
    Column("details", PersonalJSON),
    Column("provider", Text),
    UniqueConstraint("message_id", "step"),
    Index("ix_message_steps_written", "address_hash", postgresql_where=text("address_hash is not null")),
)

# Of a message to a group: who is in it, by their addresses' hashes, and what its provider calls it. The numbers are in
# the message's `details` (bellhop/domain/groups.py).
message_groups = Table(
    "message_groups",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    scope_column(),
    Column("hashes", ARRAY(LargeBinary), nullable=False),
    Column("group_id", Text),
    Index("ix_message_groups_hashes", "hashes", postgresql_using="gin"),
    Index(
        "ix_message_groups_group_id",
        "scope_id",
        "group_id",
        "message_id",
        postgresql_where=text("group_id is not null"),
    ),
)

# What became of each message of a batch, by its place: ids, and why others were refused. Kept while its
# Idempotency-Key is.
message_batches = Table(
    "message_batches",
    metadata,
    key_column(),
    scope_column(),
    json_column("outcomes"),
    time_column("created_at", now=True),
    Index("ix_message_batches_created_at", "created_at"),
)

templates = Table(
    "templates",
    metadata,
    key_column(),
    scope_column(),
    Column("name", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("channel", Text),
    # subject, content, content_type, parameters; whatsapp: what `content_templates` has it go out as there.
    json_column("body"),
    time_column("created_at", now=True),
    time_column("archived_at"),
    UniqueConstraint("scope_id", "name", "locale", "version"),
)

content_templates = Table(
    "content_templates",
    metadata,
    # What a provider says of the approved templates that ours name: read from time to time.
    Column("scope_id", Uuid, ForeignKey("scopes.id"), primary_key=True),
    Column("content_sid", Text, primary_key=True),
    Column("status", Text),
    Column("category", Text),
    Column("rejection_reason", Text),
    # Their names.
    Column("variables", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # When it answered last; null: it has not yet.
    time_column("checked_at"),
    # When somebody last began to ask: nobody else does for a while.
    time_column("asked_at", now=True),
    Index("ix_content_templates_asked_at", "asked_at"),
)
