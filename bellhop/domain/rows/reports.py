"""Rows behind reports: figures of a span, what reconciliation compares, what the doctor finds. Times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

# --- the ledger of a span -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageFigures:
    """Outbound messages accepted in the span: those of one channel, or of all (`channel` None)."""

    channel: str | None
    accepted: int
    read: int
    delivered: int
    sent: int
    failed: int
    cancelled: int
    unknown: int
    """A provider was called and did not say whether it took them."""
    waiting: int
    held: int
    retrying: int
    due: int
    erased: int
    unknown_longest: float | None
    overdue: int
    overdue_worst: float | None
    count: int
    """How many have a lateness: `p50` to `worst`."""
    p50: float | None
    p95: float | None
    p99: float | None
    worst: float | None

    @property
    def pending(self) -> int:
        """Nobody has them yet."""
        return self.waiting + self.held + self.retrying + self.due


@dataclass(frozen=True, slots=True)
class FailureFigures:
    """Failed messages of one code: those of one channel, or of all (`channel` None)."""

    channel: str | None
    failure_code: str
    count: int


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """Webhook deliveries first owed in the span."""

    owed: int
    delivered: int
    pending: int
    failed: int
    abandoned: int
    pending_longest: float | None
    count: int
    """How many have a lateness: `p50` to `worst`."""
    p50: float | None
    p95: float | None
    p99: float | None
    worst: float | None


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """Short links of messages accepted in the span."""

    made: int
    followed: int
    """How many of them a person followed, as far as that can be told."""
    clicks: int
    """By people."""
    bot_clicks: int


@dataclass(frozen=True, slots=True)
class SpanFigures:
    """Everything of a span at one moment, `now`."""

    now: datetime
    messages: list[MessageFigures]
    """One per channel, and one of all."""
    failures: list[FailureFigures]
    webhooks: DeliveryFigures
    links: LinkFigures


# --- reconciliation -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReconciledAttempt:
    """An attempt as reconciliation compares it."""

    id: UUID
    scope_id: UUID
    message_id: UUID
    part: int
    account_id: UUID
    provider: str
    state: str
    stage: str | None
    provider_id: str | None
    sender: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """A provider account whose list is asked for. `credentials` are secret: its repr shows none of them."""

    id: UUID
    provider: str
    identity: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    senders: list[str]
    leads: bool
    """A channel sends through it now."""


# --- what the doctor finds ----------------------------------------------------------------------------------------
# Ids are as the API shows them. `seconds`: since when, of the first.


@dataclass(frozen=True, slots=True)
class StuckMessages:
    """Messages that something keeps from moving on."""

    count: int
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MessagesWithoutSender:
    """Messages of a scope on a channel on which it has no sender."""

    count: int
    message: str
    seconds: float
    property: str
    environment: str
    channel: str


@dataclass(frozen=True, slots=True)
class PacedMessages:
    """Messages of a scope that wait for their turn at a sender. `rate`: its calls a second."""

    count: int
    message: str
    seconds: float
    property: str
    environment: str
    channel: str
    rate: str


@dataclass(frozen=True, slots=True)
class UnknownOutcomes:
    """Messages of which one provider did not say whether it took them."""

    count: int
    message: str
    seconds: float
    provider: str


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """A provider account that is held, and how many messages wait for it."""

    property: str
    environment: str
    provider: str
    identity: str
    code: str
    seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class PausedScope:
    """A scope that sends nothing because somebody said so, and how many of its messages are past due."""

    property: str
    environment: str
    seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class ParkedMessages:
    """Parked messages of a scope that can go on, and for how long the first of them has been parked."""

    count: int
    seconds: float
    property: str
    environment: str


@dataclass(frozen=True, slots=True)
class LiveAccount:
    """An account of a live environment, and where it calls."""

    property: str
    provider: str
    identity: str
    base_url: str


@dataclass(frozen=True, slots=True)
class IdleEndpoint:
    """A webhook endpoint that takes nothing or is switched off, and how many deliveries it is owed."""

    property: str
    environment: str
    endpoint: str
    seconds: float
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class UndrainedDeliveries:
    """Deliveries that are due and that nobody makes."""

    count: int
    endpoints: int
    seconds: float


@dataclass(frozen=True, slots=True)
class UnmatchedTexts:
    """Guests' texts to senders of an account that are no property's."""

    count: int
    provider: str
    identity: str
    seconds: float


@dataclass(frozen=True, slots=True)
class UnreadList:
    """An account whose list of guests' messages has not been read for long. `count`: the properties that have it."""

    count: int
    provider: str
    identity: str
    seconds: float


@dataclass(frozen=True, slots=True)
class WaitingQuestions:
    """Questions about messages that wait for their turn at an account, and for how long the first has."""

    count: int
    provider: str
    identity: str
    environment: str
    seconds: float


@dataclass(frozen=True, slots=True)
class UnappliedReceipts:
    """Large batches of receipts that were acknowledged and not applied, in chunks."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PendingErasures:
    """Histories that Temporal still has of erased messages."""

    count: int
    seconds: float
