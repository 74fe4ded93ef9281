"""The record: every table, one file a subject. Migrations build exactly this (a test compares the two).

Keys are UUIDv7 made by the database, so they sort by its clock. Personal data stands in columns of type `Personal`
or `PersonalJSON` and nowhere else; events, deliveries and idempotency hold ids, enums and times.
The order of locks is in docs/architecture.md.
"""

from __future__ import annotations

from bellhop.store.tables.access import (
    api_keys,
    idempotency,
    installation,
    operator_actions,
    properties,
    rate_windows,
    scopes,
)
from bellhop.store.tables.broadcasts import broadcast_recipients, broadcasts
from bellhop.store.tables.columns import Personal, PersonalJSON, Secret, metadata
from bellhop.store.tables.conversations import conversation_notes, conversations
from bellhop.store.tables.delivery import (
    account_versions,
    attempts,
    history_erasures,
    inbound_lists,
    missed_callbacks,
    provider_accounts,
    question_budgets,
    receipts,
    sender_paces,
    senders,
    unapplied_receipts,
    waiting_questions,
)
from bellhop.store.tables.guests import (
    consents,
    contact_points,
    devices,
    guests,
    keyword_answers,
    stay_guests,
    stays,
)
from bellhop.store.tables.inbox import guest_sessions, inbox
from bellhop.store.tables.intents import intents
from bellhop.store.tables.links import link_clicks, short_links
from bellhop.store.tables.media import assets, inbound_files, media_links
from bellhop.store.tables.messages import (
    content_templates,
    message_batches,
    message_groups,
    message_steps,
    messages,
    templates,
)
from bellhop.store.tables.webhooks import deliveries, endpoints, events, pending_deliveries

__all__ = [
    "Personal",
    "PersonalJSON",
    "Secret",
    "account_versions",
    "api_keys",
    "assets",
    "attempts",
    "broadcast_recipients",
    "broadcasts",
    "consents",
    "contact_points",
    "content_templates",
    "conversation_notes",
    "conversations",
    "deliveries",
    "devices",
    "endpoints",
    "events",
    "guest_sessions",
    "guests",
    "history_erasures",
    "idempotency",
    "inbound_files",
    "inbound_lists",
    "inbox",
    "installation",
    "intents",
    "keyword_answers",
    "link_clicks",
    "media_links",
    "message_batches",
    "message_groups",
    "message_steps",
    "messages",
    "metadata",
    "missed_callbacks",
    "operator_actions",
    "pending_deliveries",
    "properties",
    "provider_accounts",
    "question_budgets",
    "rate_windows",
    "receipts",
    "scopes",
    "sender_paces",
    "senders",
    "short_links",
    "stay_guests",
    "stays",
    "templates",
    "unapplied_receipts",
    "waiting_questions",
]
