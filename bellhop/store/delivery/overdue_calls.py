"""Calls that nobody follows up in time: their workflows wait behind thousands of others, or are lost."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Float, Integer, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.delivery_ports import SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.groups import left
from bellhop.domain.next_parts import open_calls
from bellhop.domain.rows.delivery import AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement
from bellhop.store.database import Autocommit
from bellhop.store.delivery import attempt_rows, outcome_resolution, pending_wakes
from bellhop.store.messages import progress, steps

LATE = 5.0
"""Seconds after which a question is overdue that a workflow should have asked."""
LONGEST = 7 * 86_400.0
"""Seconds after which nobody asks any more, whatever becomes of the message."""

# By their own indexes, whatever else there is; the longest overdue first.
_OVERDUE = CompiledStatement(
    text(
        """
        select message_id from (
          (select attempt.message_id, attempt.lease_until as due
          from attempts attempt join messages message on message.id = attempt.message_id
          where attempt.state = 'in_flight' and attempt.lease_until < now() - make_interval(secs => :margin)
            and message.stage = 'queued'
          order by attempt.lease_until limit :most)
          union all
          (select attempt.message_id, attempt.ask_at as due
          from attempts attempt join messages message on message.id = attempt.message_id
          where attempt.state = 'unknown' and attempt.ask_at < now() - make_interval(secs => :late)
            and attempt.ask_at > now() - make_interval(secs => :longest) and message.stage = 'queued'
          order by attempt.ask_at limit :most)
        ) overdue
        group by message_id order by min(due) limit :most
        """
    ).bindparams(
        bindparam("margin", type_=Float),
        bindparam("late", value=LATE, type_=Float),
        bindparam("longest", value=LONGEST, type_=Float),
        bindparam("most", type_=Integer),
    ),
    value=UUID,
)
_MESSAGE = CompiledStatement(
    text("select message_id from attempts where id = :attempt").bindparams(bindparam("attempt", type_=Uuid)),
    value=UUID,
)
_NOT_WRITTEN = SendResult(SendKind.RETRY, code=FailureCode.PROVIDER_ERROR, text="cut off before it was written")
_WAKE = CompiledStatement(
    text("update messages set wake_due_at = clock_timestamp() where id = :message and stage = 'queued'").bindparams(
        bindparam("message", type_=Uuid)
    )
)


class OverdueCalls:
    """See `cut_off_ports.OpenCalls`. `margin`: seconds after a lease until whatever made the call is surely over;
    `woken`: called after a commit, with a message whose workflow is to be woken."""

    def __init__(self, engine: AsyncEngine, margin: float, woken: Callable[[MessageRow], None]) -> None:
        self._engine = engine
        self._autocommit = Autocommit(engine)
        self._margin = margin
        self._woken = woken

    async def overdue(self, most: int) -> list[UUID]:
        return await self._autocommit.run(_OVERDUE, margin=self._margin, most=most)

    async def lapse(self, message_id: UUID) -> bool:
        async with self._engine.begin() as tx:
            row = await progress.lock(tx, message_id)
            if row is None:
                return False
            row = await steps.at(tx, row)
            rows = await progress.attempts_of(tx, message_id)
            over = [
                one
                for one in open_calls(row, rows)
                if one.state is AttemptState.IN_FLIGHT and (row.now - one.lease_until).total_seconds() > self._margin
            ]
            for attempt in over:
                await outcome_resolution.lease_over(tx, row, attempt)
        return bool(over)

    async def not_written(self, attempt_id: UUID) -> None:
        async with self._engine.begin() as tx:
            rows = await _take_back(tx, attempt_id)
        for row in rows:
            self._woken(row)

    async def wake(self, message_id: UUID) -> None:
        async with self._engine.begin() as tx:
            rows = await pending_wakes.message_rows(tx, [message_id]) if await _WAKE(tx, message=message_id) else []
        for row in rows:
            self._woken(row)


async def _take_back(tx: AsyncConnection, attempt_id: UUID) -> list[MessageRow]:
    """Returns the message, to be woken, where that is news."""
    of_message = await _MESSAGE(tx, attempt=attempt_id)
    row = await progress.lock(tx, of_message[0]) if of_message else None
    if row is None:
        return []
    rows = await progress.attempts_of(tx, row.id)
    attempt = next(one for one in rows if one.id == attempt_id)
    if attempt.state is AttemptState.UNKNOWN and row.stage is Stage.QUEUED and attempt in open_calls(row, rows):
        # Its lease was over before anybody of its machine came back.
        await outcome_resolution.close(tx, attempt, AttemptState.NOT_SENT)
    else:
        erased = row.erased_at is not None or left(row.details)
        if not await attempt_rows.record_failure(tx, attempt, _NOT_WRITTEN, 0.0, erased=erased):
            return []
    return await pending_wakes.message_rows(tx, [row.id]) if await _WAKE(tx, message=row.id) else []
