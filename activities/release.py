"""`release`: let parked messages go on once what they waited for is over, at a pace that leaves room for the others;
`release_paced`: one after the other as their sender takes them."""

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
from bellhop.domain.rows.delivery import Backlog, PacedBacklog
from bellhop.temporal import contract

WORKS = 15.0
"""Seconds one call goes on for: then others that wait for a turn get it."""
PAUSE = 0.25
"""Seconds between two batches, give or take a quarter, where the pace allows as many."""

PACED_WORKS = 45.0
"""The same where each sender has a releaser of its own, which takes nobody's place."""
QUIET = 0.5
"""Seconds after which somebody may have come to wait who had not been seen when the last one went."""


class Releases(Protocol):
    """Releases parked messages and wakes their workflows; safe at any moment, and twice."""

    async def release(self, backlog: Backlog, most: int) -> int:
        """Release the next, at most `most`. Returns how many."""

    async def release_paced(self, backlog: PacedBacklog) -> float | None:
        """Release whose turn it is. Returns the seconds until the next turn; None: nobody waits for one."""


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

    @activity.defn(name=contract.RELEASE_PACED)
    @redact_errors
    async def release_paced(self, pace: str) -> bool:
        """Give out the turns of a sender for a while. False: nobody waits for one."""
        backlog = PacedBacklog(UUID(pace))
        end, quiet = time.monotonic() + PACED_WORKS, False
        async with beating():
            while (left := end - time.monotonic()) > 0:
                pause = await self._releases.release_paced(backlog)
                if pause is None and quiet:
                    return False
                quiet = pause is None
                await asyncio.sleep(min(left, QUIET if pause is None else pause * random.uniform(1.0, 1.1)))
        return True
