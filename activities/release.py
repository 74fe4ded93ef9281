"""`release`: let parked messages go on once what they waited for is over, at a pace that leaves room for the others."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Protocol
from uuid import UUID

from temporalio import activity

from activities.faults import redact_errors
from activities.recovery import beating
from bellhop.domain.channels import Channel
from bellhop.domain.rows.delivery import Backlog
from bellhop.temporal import contract

WORKS = 15.0
"""Seconds one call goes on for: then others that wait for a turn get it."""
PAUSE = 0.25
"""Seconds between two batches, give or take a quarter, where the pace allows as many."""


class Releases(Protocol):
    """Releases parked messages and wakes their workflows; safe at any moment, and twice."""

    async def release(self, backlog: Backlog, most: int) -> int:
        """Release the next, at most `most`. Returns how many."""


class ReleaseActivities:
    """The activity around `Releases`. `rate`: messages a second of one backlog."""

    def __init__(self, releases: Releases, rate: float) -> None:
        self._releases = releases
        self._most = max(1, round(rate * PAUSE))
        self._pause = self._most / rate

    @activity.defn(name=contract.RELEASE)
    @redact_errors
    async def release(self, scope: str, channel: str) -> bool:
        """Release for a while. False: nothing is left that can go on."""
        backlog = Backlog(UUID(scope), Channel(channel))
        end = time.monotonic() + WORKS
        async with beating():
            while await self._releases.release(backlog, self._most):
                await asyncio.sleep(self._pause * random.uniform(0.75, 1.25))
                if time.monotonic() >= end:
                    return True
        return False
