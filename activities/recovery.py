"""`sweep`: wake what a killed process or an unreachable Temporal left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from temporalio import activity

from activities.faults import redact_errors
from bellhop.domain.answers import Swept
from bellhop.domain.sweeps import SweepKind
from bellhop.temporal import contract

BEAT = 1.5


class Sweeper(Protocol):
    """Finds and wakes what was left behind; safe at any moment, and twice."""

    async def sweep(self) -> int:
        """Look for every kind of work. Returns how much was woken."""

    async def look(self, kind: SweepKind, after: str | None) -> Swept:
        """Look for one kind, from where the last look ended."""


class RecoveryActivities:
    """The activity around a Sweeper."""

    def __init__(self, sweeper: Sweeper) -> None:
        self._sweeper = sweeper

    @activity.defn(name=contract.SWEEP)
    @redact_errors
    async def sweep(self) -> int:
        """One sweep for every kind of work."""
        async with beating():
            return await self._sweeper.sweep()

    @activity.defn(name=contract.SWEEP_KIND)
    @redact_errors
    async def sweep_kind(self, kind: str, after: str | None) -> Swept:
        """One sweep for one kind, from where the last one ended."""
        return await self._sweeper.look(SweepKind(kind), after)


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
