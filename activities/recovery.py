"""`sweep`: wake what a killed process or an unreachable Temporal left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from temporalio import activity

from activities.faults import redact_errors
from bellhop.temporal import contract

BEAT = 1.5


class Sweeper(Protocol):
    """Finds and wakes what was left behind; safe at any moment, and twice."""

    async def sweep(self) -> int:
        """Returns how much was woken."""


class RecoveryActivities:
    """The activity around a Sweeper."""

    def __init__(self, sweeper: Sweeper) -> None:
        self._sweeper = sweeper

    @activity.defn(name=contract.SWEEP)
    @redact_errors
    async def sweep(self) -> int:
        """One sweep."""
        async with beating():
            return await self._sweeper.sweep()


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """While this lasts, tell Temporal that this process lives; how long the work may take is the activity's own
    time-out."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
