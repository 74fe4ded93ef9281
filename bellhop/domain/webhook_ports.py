"""What the endpoint activity needs from the world, as shapes: the outbox (Postgres) and the poster (HTTP). No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from bellhop.domain.rows.conversations import Conversation
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.intents import IntentRow
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.webhooks import EndpointFormat, EndpointRow

SubjectRow = PublicMessage | GuestRow | IntentRow | EndpointRow | Conversation
"""What an event is about, as the database has it."""


NO_TIME = datetime(1, 1, 1, tzinfo=UTC)
"""Before anything."""


class RecordUnavailable(Exception):
    """The record could not be reached just now; the same call may be repeated."""


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """One delivery that is ours to post until `token`, with what is needed to render it."""

    id: UUID
    event_id: UUID
    type: str
    subject: str
    subject_id: UUID
    stage: str | None
    facts: Mapping[str, Any]
    created_at: datetime
    """When the event happened."""
    property_id: UUID
    row: SubjectRow | None = field(repr=False)
    """The subject's row as it is now; None when it is gone or erased: the body then carries ids only."""
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    attempts: int
    """Attempts made before this one."""
    claimed_at: datetime
    token: datetime
    """Until when nobody else takes it; names this claim when the result is written."""
    format: EndpointFormat = EndpointFormat.NATIVE
    asked: Mapping[str, Any] | None = None
    """What the endpoint was asked for, where it was in another vendor's words."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of one POST. `error`: None when delivered, else one of a few short words."""

    status: int | None
    error: str | None
    retry_after: float | None = None
    """Seconds the endpoint asked us to wait (429 and 503)."""


class State(StrEnum):
    """What becomes of a delivery after we had it in hand."""

    DELIVERED = "delivered"
    """The endpoint answered 2xx."""
    PENDING = "pending"
    """It failed and will be tried again."""
    FAILED = "failed"
    """It failed, and that was the last try of the schedule."""
    RELEASED = "released"
    """It was not tried after all, or we cannot say: due again at once, not counted as an attempt."""


@dataclass(frozen=True, slots=True)
class Result:
    """What to write down about one delivery."""

    id: UUID
    event_id: UUID
    token: datetime
    state: State
    pause: float = 0.0
    status: int | None = None
    error: str | None = None
    hold: float = 0.0
    """The endpoint asked for a rest: nothing goes to it for so many seconds."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What the drainer of one endpoint wants of the outbox."""

    endpoint_id: UUID
    results: Sequence[Result] = ()
    """To be written down."""
    room: int = 0
    """Due deliveries to claim, at most."""
    extend: bool = False
    """Say again that somebody drains."""
    since: datetime = NO_TIME
    """Nothing was due before, as of when somebody last looked: what is long gone need not be passed over again."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the outbox answers to a visit: deliveries to post, and what has changed beside them."""

    deliveries: Sequence[PendingDelivery] = ()
    disabled: str | None = None
    """Why the endpoint has just been disabled."""
    wake: set[UUID] = field(default_factory=set)
    """Endpoints that have a delivery about it."""
    written: bool = True
    """False: somebody else has the endpoint locked; neither results nor that somebody drains are written. Bring them
    again."""
    since: datetime | None = None
    """The next visits' `since`; None: as it was."""


class Outbox(Protocol):
    """The pending deliveries of endpoints. Every method raises RecordUnavailable when the record can't be reached."""

    async def open(self, endpoint_id: UUID) -> datetime | None:
        """Say that somebody drains this endpoint, and since when something may be due. None: it is disabled or deleted,
        there is nothing to do."""

    async def step(self, visits: Sequence[Visit]) -> Sequence[Step]:
        """In one transaction, for all of them, each of another endpoint: write the results, then claim due deliveries,
        heads of line only. An answer each. Safe to repeat."""

    async def abandon(self, endpoint_id: UUID) -> bool:
        """Give up some of what a deleted endpoint was still owed. False: nothing is left."""

    async def close(self, endpoint_id: UUID) -> float | None:
        """Say that nobody drains any more, commit, THEN look: seconds to the next due delivery (0: now), or None."""


class Poster(Protocol):
    """The HTTP side."""

    async def post(self, delivery: PendingDelivery, at: datetime) -> Posted:
        """Render, sign as of `at` and POST, once, within the time limit. Never raises, never follows a redirect."""


class Waker(Protocol):
    """Whoever starts endpoint workflows (the dispatcher)."""

    def wake_endpoints(self, endpoints: Collection[UUID]) -> None:
        """Deliveries were committed for these endpoints: wake those among them that nobody drains. Returns at once."""
