"""Releasing parked messages: a batch is written, then the workflows of its messages are woken."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.rows.delivery import Backlog, PacedBacklog
from bellhop.store.delivery import paces, parked
from bellhop.temporal.dispatcher import TemporalDispatcher


class PostgresReleases:
    """activities.release.Releases over Postgres and Temporal."""

    def __init__(self, engine: AsyncEngine, dispatcher: TemporalDispatcher) -> None:
        self._engine = engine
        self._dispatcher = dispatcher

    async def release(self, backlog: Backlog, most: int) -> int:
        """Release the next that can go on, the oldest first, at most `most`. Returns how many. Should the process die
        after the commit, recovery wakes them: their notification is pending."""
        async with self._engine.begin() as tx:
            rows = await parked.release(tx, backlog, most)
        for row in rows:
            self._dispatcher.woken(row)
        return len(rows)

    async def release_paced(self, backlog: PacedBacklog) -> float | None:
        """Release whose turn it is at a sender. Returns the seconds until the next turn; None: nobody waits for one. A
        process that dies after the commit loses nothing, as above."""
        async with self._engine.begin() as tx:
            rows, pause = await paces.release(tx, backlog.pace_id)
        for row in rows:
            self._dispatcher.woken(row)
        return pause
