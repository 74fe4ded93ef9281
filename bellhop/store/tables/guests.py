"""Guests, their addresses, what they allow, and their stays."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from bellhop.store.tables.columns import (
    Personal,
    PersonalJSON,
    json_column,
    key_column,
    metadata,
    scope_column,
    time_column,
)

guests = Table(
    "guests",
    metadata,
    key_column(),
    scope_column(),
    Column("first_name", Personal, nullable=False),
    Column("last_name", Personal, nullable=False),
    Column("email", Personal),
    Column("email_key", Personal),
    Column("phone", Personal),
    Column("language", Text, nullable=False, server_default="en"),
    Column("timezone", Personal),
    json_column("preferences", PersonalJSON()),
    json_column("metadata", PersonalJSON()),
    Column("external_id", Text),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    # Made of what somebody wrote; the property has not said yet who they are.
    Column("is_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("search_text", Personal, nullable=False, server_default=""),
    time_column("first_seen_at", now=True),
    time_column("last_seen_at", now=True),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    UniqueConstraint("scope_id", "email_key"),
    UniqueConstraint("scope_id", "external_id"),
    Index("ix_guests_listing", "scope_id", "id"),
)

contact_points = Table(
    "contact_points",
    metadata,
    key_column(),
    scope_column(),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE")),
    Column("kind", Text, nullable=False),
    Column("address", Personal, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    time_column("last_inbound_at"),
    time_column("invalid_since"),
    time_column("created_at", now=True),
    # By the address first: whose it is, of a thousand scopes that share a sender, is asked for each inbound message.
    Index(
        "uq_contact_points_address",
        "address_hash",
        "kind",
        "scope_id",
        "guest_id",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_contact_points_guest_id", "guest_id"),
)

devices = Table(
    "devices",
    metadata,
    key_column(),
    scope_column(),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE"), nullable=False),
    Column("platform", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("token", Personal, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("environment", Text),
    Column("bundle_id", Text),
    Column("locale", Personal),
    Column("app_version", Text),
    # By clock_timestamp(): whether an app registered again since a provider's word is told by it.
    time_column("registered_at", null=False),
    # Its token does not fit its app and environment: nothing goes to it until it registers anew.
    time_column("suppressed_at"),
    time_column("created_at", now=True),
    UniqueConstraint("scope_id", "token_hash"),
    Index("ix_devices_guest_id", "guest_id", "registered_at"),
    CheckConstraint("platform in ('ios', 'android', 'web')", name="platform"),
    CheckConstraint("kind in ('fcm_token', 'fcm_fid', 'apns')", name="kind"),
    CheckConstraint("environment in ('sandbox', 'production')", name="environment"),
)

consents = Table(
    "consents",
    metadata,
    key_column(),
    scope_column(),
    Column("kind", Text, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    # Everything a property sends, or one group of a provider's.
    Column("purpose", Text, nullable=False, server_default="all"),
    Column("action", Text, nullable=False),
    # An `Effect`, or what a process of an older version writes, which knows the action alone.
    Column("cause", Text, nullable=False, server_default="unstated"),
    # Which of our senders it was said to, or of; both empty: none, or nobody knows.
    Column("channel", Text, nullable=False, server_default=""),
    Column("sender", Text, nullable=False, server_default=""),
    Column("source", Text, nullable=False),
    Column("evidence_id", Uuid),
    # Who set it, where a person did: a key's id, or whoever ran the command.
    Column("actor", Text),
    Column("reason", Personal),
    # When it was said; `created_at`: when it came to be known.
    time_column("occurred_at", now=True),
    time_column("created_at", now=True),
    Index(
        "ix_consents_said_to",
        *("scope_id", "kind", "address_hash", "cause", "purpose", "channel", "sender", "occurred_at", "id"),
    ),
    CheckConstraint("action in ('opt_out', 'opt_in')", name="action"),
)

keyword_answers = Table(
    "keyword_answers",
    metadata,
    # To whom we answered a STOP, START or HELP lately: so that nobody is answered on and on. Kept for two days.
    key_column(),
    scope_column(),
    Column("address_hash", LargeBinary, nullable=False),
    Column("keyword", Text, nullable=False),
    Column("message_id", Uuid, nullable=False),
    time_column("created_at", now=True),
    Index("ix_keyword_answers_given", "scope_id", "address_hash", "created_at"),
    Index("ix_keyword_answers_created_at", "created_at"),
)

stays = Table(
    "stays",
    metadata,
    key_column(),
    scope_column(),
    Column("source", Text, nullable=False),
    Column("reservation", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="booked"),
    # Days where the property is.
    Column("arrival", Date),
    Column("departure", Date),
    Column("room", Personal),
    json_column("details", PersonalJSON()),
    # When it was last said to be over: departed, cancelled, no show.
    time_column("ended_at"),
    time_column("created_at", now=True),
    time_column("updated_at", now=True),
    UniqueConstraint("scope_id", "source", "reservation"),
    Index("ix_stays_listing", "scope_id", "id"),
    Index("ix_stays_arrival", "scope_id", text("coalesce(arrival, departure)")),
    Index("ix_stays_departure", "scope_id", text("coalesce(departure, arrival)")),
    CheckConstraint("status in ('booked', 'in_house', 'departed', 'cancelled', 'no_show')", name="status"),
)

stay_guests = Table(
    "stay_guests",
    metadata,
    Column("stay_id", Uuid, ForeignKey("stays.id", ondelete="CASCADE"), primary_key=True),
    Column("guest_id", Uuid, ForeignKey("guests.id", ondelete="CASCADE"), primary_key=True),
    # The one who booked is the first.
    Column("position", SmallInteger, nullable=False),
    Index("ix_stay_guests_guest_id", "guest_id"),
)
