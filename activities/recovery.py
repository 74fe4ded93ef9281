"""`sweep`: wake what a killed process or an unreachable Temporal left behind."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from activities.faults import told_plainly
from bellhop import wire


class Sweeper(Protocol):
    """Finds and wakes what was left behind; safe at any moment, and twice."""

    async def sweep(self) -> int:
        """Returns how much was woken."""


class RecoveryActivities:
    """The activity around a Sweeper."""

    def __init__(self, sweeper: Sweeper) -> None:
        self._sweeper = sweeper

    @activity.defn(name=wire.SWEEP)
    @told_plainly
    async def sweep(self) -> int:
        """One sweep."""
        return await self._sweeper.sweep()
