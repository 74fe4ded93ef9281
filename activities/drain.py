"""Draining an endpoint: posting its pending deliveries, in order within a subject, until nothing more is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from temporalio import activity

from activities.drain_loop import DrainLoop, Pace
from activities.faults import redact_errors
from bellhop.domain.answers import Drained
from bellhop.domain.webhook_ports import Outbox, Poster, Waker
from bellhop.temporal.contract import DRAIN

BEAT = 1.0
"""Seconds between two heartbeats."""
LAST_POST = 75.0
"""Seconds of the activity's limit that are left for what is in hand when it stops."""


class EndpointActivities:
    """What the endpoint workflow asks for. `pauses`: the retry schedule, seconds after each failure."""

    def __init__(
        self, outbox: Outbox, poster: Poster, waker: Waker, pauses: Sequence[float], pace: Pace | None = None
    ) -> None:
        self._outbox = outbox
        self._loop = DrainLoop(outbox, poster, waker, pauses, pace or Pace())

    @activity.defn(name=DRAIN)
    @redact_errors
    async def drain(self, endpoint: str) -> Drained:
        """Deliver everything due for the endpoint (its row's key) and say when to come again."""
        key, stop_at = UUID(endpoint), time.monotonic() + self._works()
        while True:
            since = await self._outbox.open(key)
            if since is None:
                while await self._outbox.abandon(key):
                    activity.heartbeat()
                return Drained(None)
            if not await self._until_over(key, since, stop_at):
                # Time is up, not the work. `draining_until` stays: the workflow comes again at once.
                return Drained(0.0)
            after = await self._outbox.close(key)
            if after is None or after > 0:
                return Drained(after)

    def _works(self) -> float:
        limit = activity.info().start_to_close_timeout
        longest = limit.total_seconds() - LAST_POST if limit else self._loop.pace.works
        # Workflows of an earlier version give it a minute and a half.
        return min(self._loop.pace.works, longest) if longest > 0 else self._loop.pace.works

    async def _until_over(self, endpoint: UUID, since: datetime, stop_at: float) -> bool:
        drain = self._loop.begin(endpoint, since, stop_at)
        shutdown = asyncio.create_task(activity.wait_for_worker_shutdown())
        try:
            while not drain.over.done():
                activity.heartbeat()
                waiting: set[asyncio.Future[Any]] = {drain.over} if shutdown.done() else {drain.over, shutdown}
                await asyncio.wait(waiting, timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
                if shutdown.done():
                    self._loop.stop(drain)
            return drain.over.result()
        finally:
            shutdown.cancel()
            await self._loop.release(drain)
