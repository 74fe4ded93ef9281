"""Who waits for the first attempt: whether they are many, since what can wait (signals of receipts, webhooks) does so
meanwhile; and when those are due that wait for their time in a worker (`activities/run_up.py`)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import Integer, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.priorities import KEYS, Priority
from bellhop.domain.run_up import Coming, ComingMessages
from bellhop.store.compiled import CompiledStatement
from bellhop.store.database import Autocommit

log = structlog.get_logger()

CROWD = 20
"""More messages that wait than this are a crowd: what can wait is held back."""
WAITED_FOR = 30.0
"""Seconds. Who has waited longer than this is waited for no longer: something else is wrong with it. Nor is anything
held back longer than this, however long the crowd lasts."""
FEW = 20
"""So much that could wait within a second is no sign of a crowd: nobody asks."""
LOOK_AGAIN = 0.25
"""Seconds for which an answer is good."""

# Up to `most` of those that are due and wait.
_WAITING: CompiledStatement[list[int]] = CompiledStatement(
    text(
        f"""
        select count(*)::int as waiting from (
          select from messages message
          where message.stage = 'queued' and message.direction = 'outbound' and message.waits_for is null
            and message.due_at <= now() and message.due_at > now() - make_interval(secs => {WAITED_FOR})
            and not exists (select from attempts attempt where attempt.message_id = message.id)
          order by message.due_at limit :most
        ) as waiting
        """
    ).bindparams(bindparam("most", type_=Integer)),
    value=int,
)


@dataclass(slots=True)
class _Due:
    message_id: UUID | None
    scope_id: UUID | None
    priority: str | None
    due: float
    now: float


# The last row is there also when there is no message: it says what time it is.
_COMING = CompiledStatement(
    text(
        """
        select message.id as message_id, message.scope_id, message.priority,
          extract(epoch from coalesce(message.due_at, 'epoch'))::float8 as due,
          extract(epoch from clock_timestamp())::float8 as now
        from (values (true)) as always
        left join messages message
          on message.id = any(:ids) and message.stage = 'queued' and message.waits_for is null
        """
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid))),
    row=_Due,
)


class FirstAttempts:
    """Asks the record: see `run_up.ComingTimes`; and whether there is a crowd, a few times a second at most, however
    many ask."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._autocommit = Autocommit(engine)
        self._since: float | None = None
        """Since when there is a crowd."""
        self._asked_at = float("-inf")
        self._lately: deque[float] = deque(maxlen=FEW)

    async def coming(self, message_ids: Collection[UUID]) -> ComingMessages:
        rows = await self._autocommit.run(_COMING, ids=list(message_ids))
        found = [
            Coming(row.message_id, row.scope_id, row.due, KEYS[Priority(row.priority)])
            for row in rows
            if row.message_id is not None and row.scope_id is not None and row.priority is not None
        ]
        return ComingMessages(max(row.now for row in rows), found)

    def add(self, count: int) -> None:
        """So much has just been done, or is to be, that could wait."""
        self._lately.extend([time.monotonic()] * min(count, FEW))

    @property
    def suspected(self) -> bool:
        """Whether there may be a crowd: there was one, or more than a few were added within a second."""
        many = len(self._lately) == FEW and self._lately[0] > time.monotonic() - 1.0
        return many or self._since is not None

    async def crowded(self) -> bool:
        """Whether more than CROWD messages wait for their first attempt, and have for no longer than WAITED_FOR. False
        while nobody can say."""
        now = time.monotonic()
        if now - self._asked_at >= LOOK_AGAIN:
            # Before the question: whoever asks meanwhile is content with the last answer.
            self._asked_at = now
            try:
                (waiting,) = await self._autocommit.run(_WAITING, most=CROWD + 1)
                crowded = waiting > CROWD
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("not known how many messages wait", error=type(error).__name__)
                crowded = False
            self._since = (self._since or now) if crowded else None
        return self._since is not None and now - self._since < WAITED_FOR
