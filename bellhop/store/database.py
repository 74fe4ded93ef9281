"""Transactions at the edge: Postgres opened for one piece of work, again after it restarted, and given up when it does
not answer at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.store.compiled import CompiledStatement
from bellhop.store.connections import room
from bellhop.store.held_connections import held_connections

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds one piece of work may take. Longer than the database's limit on waiting for a lock and ours on waiting for a
connection, together: those speak first. This one is for a server that is frozen, whose own limits are frozen, too."""
BULK_TIMEOUT = 40.0
"""The same for work that may touch a great many rows: beyond the database's limit on one statement."""

Work = Callable[[AsyncConnection], Awaitable[T]]


DRAWS = 5
"""How often work is done that draws something at random, and draws what another has: twice in a row is a fault."""


class DrawnTwice(Exception):
    """What a piece of work drew at random is another's already: with something else it would have been done."""


class DatabaseTimeout(Exception):
    """Postgres did not answer in time. The work was called off; whether it had been done by then is not known."""


def unavailable(error: BaseException) -> bool:
    """True when a database error is about the database rather than about what was asked of it."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, ProgrammingError):
        # 42P01 and 42703: a table or column is missing, since migrations have not run yet.
        return getattr(error.orig, "sqlstate", None) in ("42P01", "42703")
    if isinstance(error, InternalError):
        # 25006: this server is a standby, or has just become one.
        return getattr(error.orig, "sqlstate", None) == "25006"
    # A full disk (53100), no connection left (53300, or of our own), locks and statements that took too long, and
    # whatever else is about the server.
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout, DatabaseTimeout))


def about_one_statement(error: BaseException) -> bool:
    """True for what is `unavailable` and yet may be about what was asked alone: a lock or a statement that took too
    long, a deadlock, no answer in time."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return isinstance(error, (PoolTimeout, DatabaseTimeout)) or state in ("55P03", "57014", "40P01", "40001")


def cut_off(error: BaseException) -> bool:
    """Whether the connection was lost with the statement, which may or may not have been done."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


class Autocommit:
    """Runs statements that are a transaction each: one round trip instead of three."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._held = held_connections(engine)

    async def run(self, statement: CompiledStatement[T], **values: object) -> T:
        """Run it, once; with the `values` of its parameters. See `cut_off` for one that was lost on its way."""
        async with self._held.autocommit() as connection:
            return await statement(connection, **values)


class Database:
    """Runs work against Postgres. Work may run twice, when the first connection turned out to be dead or it drew what
    another has, so it does nothing but talk to the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._held = held_connections(engine)
        self._autocommit = Autocommit(engine)
        # The pool gives a connection to whoever asks at the right moment, and one who has waited can go away with
        # nothing while others come and go (tried: a flood of one callback). Here it is first come, first served.
        connections, self._pool_timeout = room(engine)
        self._turns = asyncio.Semaphore(connections)
        self._called_off: set[asyncio.Task[Any]] = set()

    async def write(self, work: Work[T], *, timeout: float = TIMEOUT) -> T:
        """Run `work` in one transaction and commit it. Where it raises DrawnTwice it is rolled back and run anew."""
        return await self._in_time(self._drawn(work), timeout)

    async def read(self, work: Work[T], *, timeout: float = TIMEOUT) -> T:
        """Run `work` that only reads; each statement sees what was committed before it."""
        return await self._in_time(self._read(work), timeout)

    async def single(self, statement: CompiledStatement[T], *, timeout: float = TIMEOUT, **values: object) -> T:
        """Run one statement that is a transaction by itself. It is not run again: see `cut_off`."""
        return await self._in_time(self._single(statement, values), timeout)

    async def _in_time(self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        """As `asyncio.timeout` would do it, but without waiting until the driver has tried to call the statement off,
        which takes it ten seconds when nobody answers."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait((task,), timeout=timeout)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return task.result()
        self._called_off.add(task)
        task.add_done_callback(self._forget)
        task.cancel()
        raise DatabaseTimeout

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._called_off.discard(task)
        if not task.cancelled():
            task.exception()  # seen: nobody awaits it any more

    async def _drawn(self, work: Work[T]) -> T:
        for _ in range(DRAWS - 1):
            with suppress(DrawnTwice):
                return await self._write(work)
        return await self._write(work)

    async def _write(self, work: Work[T]) -> T:
        for last in (False, True):
            committing = False
            try:
                async with self._turn(), self._held.transaction() as tx:
                    result = await work(tx)
                    committing = True
                return result
            except DBAPIError as error:
                # A lost commit may have happened: that is for the caller to repeat, with its Idempotency-Key.
                if last or committing or not error.connection_invalidated:
                    raise
        raise AssertionError("unreachable")

    async def _read(self, work: Work[T]) -> T:
        for last in (False, True):
            try:
                async with self._turn(), self._held.autocommit() as tx:
                    return await work(tx)
            except DBAPIError as error:
                if last or not error.connection_invalidated:
                    raise
        raise AssertionError("unreachable")

    async def _single(self, statement: CompiledStatement[T], values: dict[str, object]) -> T:
        async with self._turn():
            return await self._autocommit.run(statement, **values)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One of as many turns as there are connections; the pool's own error to who waits longer than it would let
        them."""
        if self._turns.locked():
            try:
                async with asyncio.timeout(self._pool_timeout):
                    await self._turns.acquire()
            except TimeoutError:
                raise PoolTimeout("all connections are in use") from None
        else:
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()
