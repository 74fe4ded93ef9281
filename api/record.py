"""Transactions at the edge: the record opened for one piece of work, and opened again after Postgres restarted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

Work = Callable[[AsyncConnection], Awaitable[T]]


class Record:
    """Runs work against Postgres. Work may run twice when the first connection turned out to be dead, so it does
    nothing but talk to the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and commit it."""
        for last in (False, True):
            committing = False
            try:
                async with self._engine.connect() as tx:
                    result = await work(tx)
                    committing = True
                    await tx.commit()
                    return result
            except DBAPIError as error:
                # A lost commit may have happened: that is for the caller to repeat, with its Idempotency-Key.
                if last or committing or not error.connection_invalidated:
                    raise
        raise AssertionError("unreachable")

    async def read(self, work: Work[T]) -> T:
        """Run `work` that only reads; each statement sees what was committed before it."""
        for last in (False, True):
            try:
                async with self._reading.connect() as tx:
                    return await work(tx)
            except DBAPIError as error:
                if last or not error.connection_invalidated:
                    raise
        raise AssertionError("unreachable")
