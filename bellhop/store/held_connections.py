"""Transactions of the hot path, on connections that are kept between them.

What a message costs in Python was for the most part SQLAlchemy's way from its pool to the driver and back: each step of
it (check-out, begin, commit, reset) is a switch of greenlets, 0.6 ms of CPU a transaction, where the driver's own way
takes 0.1. So some of the pool's connections stay checked out while they are in use, and a transaction that goes well is
the driver's alone. One that fails goes back to the pool, which knows what to do with it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn
from weakref import WeakValueDictionary

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

IDLE = 1.0
"""Seconds after which a connection that nobody used goes back to the pool, for those who take theirs from there."""
KEPT = 300.0
"""Seconds after which it does in any case: the pool says when a connection is too old."""
OTHERS = 2
"""Connections that stay with the pool, for whoever takes theirs from there."""


class HeldConnection(AsyncConnection):
    """A connection with its `driver`'s own at hand, which begins its transaction by itself."""

    __slots__ = ("autocommit", "driver", "since", "used")

    driver: psycopg.AsyncConnection[Any]
    autocommit: bool
    since: float
    used: float

    async def open(self) -> None:
        """Check it out. Raises what SQLAlchemy's `connect` does."""
        await self.start()
        driver = (await self.get_raw_connection()).driver_connection
        assert isinstance(driver, psycopg.AsyncConnection)
        self.driver = driver
        self.autocommit = False
        self.since = self.used = time.monotonic()

    async def switch(self, autocommit: bool) -> None:
        """Whether each statement is a transaction by itself from now on."""
        if self.autocommit is not autocommit:
            await self.driver.set_autocommit(autocommit)
            self.autocommit = autocommit

    async def commit(self) -> None:
        """Whatever was done: what compiled statements did, SQLAlchemy does not know of."""
        if self.in_transaction():
            await super().commit()
        else:
            await self._ended(self.driver.commit(), "COMMIT")

    async def rollback(self) -> None:
        """As `commit`."""
        if self.in_transaction():
            await super().rollback()
        elif self.driver.info.transaction_status is not TransactionStatus.IDLE:
            await self._ended(self._rolled_back(), "ROLLBACK")

    async def _rolled_back(self) -> None:
        """The driver forgets with each rollback what is prepared, since tables may be others than before: not here."""
        threshold, self.driver.prepare_threshold = self.driver.prepare_threshold, None
        try:
            await self.driver.execute(b"rollback")
        finally:
            self.driver.prepare_threshold = threshold

    async def _ended(self, ending: Coroutine[Any, Any, None], statement: str) -> None:
        try:
            await ending
        except BaseException as error:  # noqa: BLE001 (it raises again, always)
            await self.run_sync(as_sqlalchemy, error, statement)

    async def give_back(self) -> None:
        """To the pool, which rolls back what is open."""
        if self.autocommit and not self.driver.closed:
            try:
                await self.driver.set_autocommit(False)
            except psycopg.Error:
                await self.invalidate()
        await self.close()


class HeldConnections:
    """Those of one engine: as many as its pool has, but for OTHERS; who asks first is served first. Where the pool is
    as small as that, or of another kind, none is held, and each transaction is the pool's."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._room, self._patience = 0, 0.0
        if isinstance(engine.pool, QueuePool):
            self._room, self._patience = max(0, engine.pool.size() - OTHERS), engine.pool.timeout()
        self._free: list[HeldConnection] = []
        self._held = 0
        self._waiting: deque[asyncio.Future[HeldConnection | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._disposed_at = float("-inf")
        event.listen(engine.sync_engine, "engine_disposed", self._disposed)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at its end. Raises what SQLAlchemy's would."""
        if not self._room:
            async with self._engine.begin() as tx:
                yield tx
            return
        held = await self._take()
        try:
            await held.switch(False)
            yield held
            await held.commit()
        except BaseException as error:
            await self._drop(held, error)
            raise
        self._put(held)

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """Statements that are a transaction each. Raises what SQLAlchemy's would."""
        if not self._room:
            async with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as tx:
                yield tx
            return
        held = await self._take()
        try:
            await held.switch(True)
            yield held
            if held.in_transaction():
                await held.rollback()
        except BaseException as error:
            await self._drop(held, error)
            raise
        self._put(held)

    async def _take(self) -> HeldConnection:
        if not (held := await self._turn()):
            held = HeldConnection(self._engine)
            try:
                await held.open()
            except BaseException:
                self._give(None)
                raise
        return held

    async def _turn(self) -> HeldConnection | None:
        """None: a new one is to be opened."""
        if not self._waiting:
            if self._free:
                return self._free.pop()
            if self._held < self._room:
                self._held += 1
                return None
        mine: asyncio.Future[HeldConnection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        try:
            async with asyncio.timeout(self._patience):
                return await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled():
                self._give(mine.result())
            elif mine in self._waiting:
                self._waiting.remove(mine)
            if isinstance(error, TimeoutError):
                raise PoolTimeout("all connections are in use") from None
            raise

    def _give(self, held: HeldConnection | None) -> None:
        """To whoever has waited longest. None: leave to open one."""
        while self._waiting:
            if not (first := self._waiting.popleft()).done():
                first.set_result(held)
                return
        if held is None:
            self._held -= 1
            return
        self._free.append(held)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(IDLE, self._look)

    def _put(self, held: HeldConnection) -> None:
        held.used = time.monotonic()
        if held.used - held.since > KEPT or held.since < self._disposed_at:
            self._close(held)
        else:
            self._give(held)

    async def _drop(self, held: HeldConnection, error: BaseException) -> None:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            # The pool has been told, and opens anew what it is given back.
            self._close_all(self._free)
        await asyncio.shield(self._close(held))

    def _look(self) -> None:
        self._timer = None
        now = time.monotonic()
        self._close_all([held for held in self._free if now - held.used >= IDLE])
        if self._free:
            self._timer = asyncio.get_running_loop().call_later(IDLE, self._look)

    def _close_all(self, idle: list[HeldConnection]) -> None:
        gone = list(map(id, idle))
        for held in (free := self._free):
            if id(held) in gone:
                self._close(held)
        self._free = [held for held in free if id(held) not in gone]

    def _close(self, held: HeldConnection) -> asyncio.Task[None]:
        task = asyncio.create_task(self._closed(held))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    async def _closed(self, held: HeldConnection) -> None:
        try:
            with suppress(SQLAlchemyError, psycopg.Error, OSError):
                await held.give_back()
        finally:
            self._give(None)

    def _disposed(self, _: Engine) -> None:
        """Close what is not in use, as the pool does: called in its greenlet."""
        self._disposed_at = time.monotonic()
        free, self._free = self._free, []
        self._held -= len(free)
        for held in free:
            if held.sync_connection is not None:
                held.sync_connection.invalidate()
                held.sync_connection.close()


_OF: WeakValueDictionary[int, HeldConnections] = WeakValueDictionary()


def held_connections(engine: AsyncEngine) -> HeldConnections:
    """Those of this engine, for whoever works on it."""
    key = id(engine.sync_engine)
    if (found := _OF.get(key)) is None:
        found = _OF[key] = HeldConnections(engine)
    return found


def as_sqlalchemy(connection: Connection, error: BaseException, statement: str) -> NoReturn:
    """Raise what SQLAlchemy would of the driver's `error`: its own kinds, a dead connection given up, and with it the
    pool's older ones."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        # What follows the first line quotes the row: a guest's data.
        error.args = (error.diag.message_primary,)
    try:
        raise error
    except BaseException:  # noqa: BLE001 (it raises again, always)
        # Private, and all there is: the public way leads through `execute`. test_compiled.py would notice a change.
        connection._handle_dbapi_exception(error, statement, None, None, None)
