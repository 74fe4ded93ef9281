"""`feed_broadcast`: give a broadcast's recipients their messages, a few at a time, at its pace."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol
from uuid import UUID

from temporalio import activity

from activities.faults import redact_errors
from activities.recovery import beating
from bellhop.temporal import contract

WORKS = 15.0
"""Seconds one call goes on for."""
SHORT = 6.0
"""Seconds until the next step that the activity waits itself; longer, its workflow does."""
AT_ONCE = 2
"""Steps at a time of one process: each is a transaction with some dozens of messages."""


class Feeder(Protocol):
    """Goes on with broadcasts; safe at any moment, and twice."""

    async def feed(self, broadcast_id: UUID) -> float | None:
        """One step. Returns the seconds until the next; None: there is nothing to do until it is woken."""


class BroadcastActivities:
    """The activity around a Feeder."""

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder
        self._steps = asyncio.Semaphore(AT_ONCE)

    @activity.defn(name=contract.FEED_BROADCAST)
    @redact_errors
    async def feed(self, broadcast: str) -> float | None:
        """Go on for a while. Returns the seconds until it is to be asked for again; None: not before it is woken."""
        end = time.monotonic() + WORKS
        async with beating():
            while True:
                async with self._steps:
                    wait = await self._feeder.feed(UUID(broadcast))
                if wait is None or wait > SHORT:
                    return wait
                await asyncio.sleep(wait)
                if time.monotonic() >= end:
                    return 0.0
