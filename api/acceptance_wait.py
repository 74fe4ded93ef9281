"""The short wait of an immediate send for its provider: one query for all that wait, and none during a backlog."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.engine import messages
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.database import DatabaseTimeout

EVERY = 0.02
MOST = 64
VAIN = 3
"""So many waits in a row that ran out mean a backlog."""
PAUSE = 5.0
"""Seconds without waiting after that; then one wait tries again."""


class AcceptanceWait:
    """One per process. Holds no connection between its looks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiters: dict[UUID, asyncio.Future[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._vain = 0
        self._not_before = 0.0

    async def outcome(self, request: Request, scope: Scope, row: MessageRow, seconds: float) -> MessageRow:
        """The message just accepted for `request`, as it is once its provider has answered or `seconds` are over."""
        # A request that only waits holds no admission slot.
        request.scope["bellhop.slot"].release()
        if not await self.until_settled(row.id, seconds):
            return row
        try:
            return await messages.get(self._engine, scope, row.id)
        except NotFound:
            # Erased in the meantime: the answer is what was accepted.
            return row

    async def until_settled(self, message_id: UUID, seconds: float) -> bool:
        """Wait until the message is no longer queued. False when it still is, or when waiting seemed vain."""
        if seconds <= 0 or len(self._waiters) >= MOST or time.monotonic() < self._not_before:
            return False
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[message_id] = waiter
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            self._vain += 1
            if self._vain >= VAIN:
                self._not_before = time.monotonic() + PAUSE
            return False
        finally:
            self._waiters.pop(message_id, None)
        self._vain = 0
        return True

    async def close(self) -> None:
        """Let all who wait go."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        for waiter in self._waiters.values():
            if not waiter.done():
                waiter.set_result(None)

    async def _watch(self) -> None:
        while self._waiters:
            await asyncio.sleep(EVERY)
            asked = list(self._waiters)
            try:
                found = await messages.stages(self._engine, asked)
            except (SQLAlchemyError, DatabaseTimeout):
                # The waits run out by themselves meanwhile.
                await asyncio.sleep(0.25)
                continue
            for message_id, stage in found.items():
                waiter = self._waiters.get(message_id)
                if stage is not Stage.QUEUED and waiter is not None and not waiter.done():
                    waiter.set_result(None)
