"""Messages that Temporal should be doing something about and may not be: each kind by itself, page by page.

Each is of one kind only. Whoever legitimately waits is of none: what is parked, what has a call under way, or one whose
outcome is to be asked about later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import DateTime, Float, Integer, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.sweeps import SweepKind
from bellhop.store.compiled import CompiledStatement
from bellhop.store.delivery import pending_wakes

_ALWAYS, _FIRST = datetime.min.replace(tzinfo=UTC), UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after this, in the order of times and ids."""

    at: datetime = _ALWAYS
    id: UUID = _FIRST

    def __str__(self) -> str:
        return f"{self.at.isoformat()} {self.id}"


def place(text: str | None) -> Place:
    """The place that `str` wrote; what is none (another version's) is the beginning."""
    at, _, key = (text or "").partition(" ")
    try:
        return Place(datetime.fromisoformat(at), UUID(key))
    except ValueError:
        return Place()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of messages, and where the next begins; None: there is none."""

    rows: list[MessageRow]
    next: Place | None


@dataclass(slots=True)
class _Candidate:
    message_id: UUID
    at: datetime
    id: UUID


def _statement(query: str) -> CompiledStatement[list[_Candidate]]:
    return CompiledStatement(
        text(query).bindparams(
            bindparam("at", type_=DateTime(timezone=True)),
            bindparam("id", type_=Uuid),
            bindparam("ago", type_=Float),
            bindparam("most", type_=Integer),
        ),
        row=_Candidate,
    )


_PENDING = _statement(
    """
    select message.id as message_id, message.wake_due_at as at, message.id
    from messages message
    where message.direction = 'outbound'
      and message.wake_due_at < now() - make_interval(secs => :ago)
      and (message.stage not in ('sent', 'delivered', 'read')
        or message.wake_due_at < now() - make_interval(secs => 4 * :ago))
      and (message.wake_due_at, message.id) > (:at, :id)
    order by message.wake_due_at, message.id limit :most
    """
)
_PAST_DUE = _statement(
    """
    select message.id as message_id, message.due_at as at, message.id
    from messages message
    where message.stage = 'queued' and message.direction = 'outbound' and message.waits_for is null
      and message.wake_due_at is null and message.due_at < now() - make_interval(secs => :ago)
      and (message.due_at, message.id) > (:at, :id)
      and not exists (
        select from attempts attempt
        where attempt.message_id = message.id and (attempt.state = 'in_flight'
          or (attempt.state = 'unknown' and attempt.ask_at > now() - make_interval(secs => :ago)))
      )
    order by message.due_at, message.id limit :most
    """
)
_LAPSED = _statement(
    """
    select attempt.message_id, attempt.lease_until as at, attempt.id
    from attempts attempt join messages message on message.id = attempt.message_id
    where attempt.state = 'in_flight' and attempt.lease_until < now() - make_interval(secs => :ago)
      and (attempt.lease_until, attempt.id) > (:at, :id)
      and message.stage = 'queued' and message.wake_due_at is null
    order by attempt.lease_until, attempt.id limit :most
    """
)


async def pending(tx: AsyncConnection, grace: float, after: Place, most: int) -> Page:
    """Those with a notification of Temporal pending for `grace` seconds; of what has gone out four times as long, since
    signals of receipts are held back while many messages wait (`temporal/held_signals.py`)."""
    return await _page(tx, _PENDING, grace, after, most)


async def past_due(tx: AsyncConnection, grace: float, after: Place, most: int) -> Page:
    """Those whose time has passed with nothing done. A burst may take a while to work off: what is merely late is given
    four times `grace`. Also those whose provider should have been asked by then what became of a call."""
    return await _page(tx, _PAST_DUE, 4 * grace, after, most)


async def lapsed(tx: AsyncConnection, grace: float, after: Place, most: int) -> Page:
    """Those with a call that outlived its lease by `grace`. Of a message that is over (its guest was erased meanwhile)
    nothing is to be found out any more."""
    return await _page(tx, _LAPSED, grace, after, most)


Look = Callable[[AsyncConnection, float, Place, int], Awaitable[Page]]
KINDS: dict[SweepKind, Look] = {
    SweepKind.PENDING: pending,
    SweepKind.PAST_DUE: past_due,
    SweepKind.LAPSED: lapsed,
}


async def _page(
    tx: AsyncConnection, statement: CompiledStatement[list[_Candidate]], ago: float, after: Place, most: int
) -> Page:
    found = await statement(tx, ago=ago, at=after.at, id=after.id, most=most)
    if not found:
        return Page([], None)
    rows = await pending_wakes.message_rows(tx, [candidate.message_id for candidate in found])
    last = found[-1]
    return Page(rows, Place(last.at, last.id) if len(found) == most else None)
