"""Attempts, provider accounts and senders as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bellhop.domain.channels import Channel, Service
from bellhop.domain.statuses import Stage


class AttemptState(StrEnum):
    """What is known of one provider call."""

    IN_FLIGHT = "in_flight"
    """Under way, until its lease ends."""
    ACCEPTED = "accepted"
    """The provider has it."""
    UNKNOWN = "unknown"
    """It may have left, and nobody can say whether the provider has it."""
    NOT_SENT = "not_sent"
    """The provider surely does not have it."""
    UNDELIVERED = "undelivered"
    """The provider took it and could not deliver it."""
    ABANDONED = "abandoned"
    """The outcome stayed unknown, and the property chose to send again."""


LIVE = frozenset({AttemptState.IN_FLIGHT, AttemptState.ACCEPTED, AttemptState.UNKNOWN})
"""States of which the database allows one per part of a message."""


@dataclass(slots=True)
class AttemptRow:
    """A row of `attempts`: one provider call. Its repr shows nothing personal."""

    id: UUID
    scope_id: UUID
    message_id: UUID
    part: int
    """From 0."""
    step: int
    reminder: int
    """How many reminders of its message had begun: beside it each may have a live attempt of its own."""
    account_id: UUID
    provider: str
    state: AttemptState
    stage: Stage | None
    """What the provider has said about this part; it only moves up."""
    lease_until: datetime
    ask_at: datetime | None
    asked: int
    """How often the provider was asked about it, and answered."""
    sender: str
    provider_id: str | None
    body: str | None = field(repr=False)
    """The text as sent."""
    content_sid: str | None
    """The approved template as which it was sent; None: it went as it is."""
    service: Service | None
    """By what the provider says that it went, where it chooses."""
    failure_code: str | None
    provider_code: str | None
    error_text: str | None = field(repr=False)
    created_at: datetime
    settled_at: datetime | None


@dataclass(slots=True)
class AccountRow:
    """A row of `provider_accounts`. Its repr shows no credentials."""

    id: UUID
    scope_id: UUID
    provider: str
    identity: str
    base_url: str
    credentials: dict[str, str] = field(repr=False)
    """As stored: see `domain.credentials`."""
    previous_credentials: dict[str, str] = field(repr=False)
    health: str
    """`ok` or `held`."""
    held_code: str | None
    held_since: datetime | None
    probe_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """Where parked messages are released one after the other: what one scope has on one channel."""

    scope_id: UUID
    channel: Channel


@dataclass(frozen=True, slots=True)
class PacedBacklog:
    """Where messages are released that wait for their turn at a sender, whosever they are."""

    pace_id: UUID


@dataclass(slots=True)
class SenderRow:
    """A row of `senders`: an address or number a scope sends from."""

    id: UUID
    scope_id: UUID
    account_id: UUID
    channel: Channel
    address: str
    name: str | None
    capabilities: dict[str, object]
    is_default: bool
    rate: float | None
    """Calls a second; None: nothing of ours limits it."""
    pace_id: UUID | None
    created_at: datetime


@dataclass(slots=True)
class OwnSender:
    """A sender, and the account it goes through."""

    id: UUID
    account_id: UUID
    provider: str
    channel: Channel
    address: str
    name: str | None
    capabilities: dict[str, object]
    is_default: bool
    rate: float | None
    pace_id: UUID | None

    @property
    def standby(self) -> bool:
        """Whether it takes over where the one before did not take a message."""
        return bool(self.capabilities.get("standby", False))


@dataclass(slots=True)
class AccountSummary:
    """How a provider account stands. No secrets."""

    id: UUID
    provider: str
    identity: str
    health: str
    held_code: str | None
    held_since: datetime | None
    rotating: bool
    """Previous credentials are still accepted on callbacks."""
    waiting: int
    """How many messages it holds."""
    senders: list[SenderRow] = field(default_factory=list)
