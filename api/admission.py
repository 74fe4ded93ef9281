"""Admission control: how many requests are worked on at a time. The rest queue, and are refused after PATIENCE.

Without it every request gets a little done and, beyond what the machine can do, none gets done before its caller has
given up and asks again; seen in a storm of repeats after an outage. With it, those admitted are served at full speed,
and those refused have cost next to nothing.
"""

from __future__ import annotations

import asyncio

SLOTS = 24
"""Requests worked on at a time by one process: enough to keep its connections to the database busy."""
PATIENCE = 2.0
"""Seconds in the queue. Longer than any burst takes that can be worked off before its callers give up."""


class Overloaded(Exception):
    """No slot became free in time."""


class Slot:
    """One of as many requests as are worked on at a time."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots: asyncio.Semaphore | None = slots

    def release(self) -> None:
        """Let the next request in: this one is done, or only waits from here on. Safe to call twice."""
        if self._slots is not None:
            self._slots.release()
            self._slots = None


class Admission:
    """One per process."""

    def __init__(self, slots: int = SLOTS, patience: float = PATIENCE) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._patience = patience

    async def enter(self) -> Slot:
        """A slot, first come, first served. Raises Overloaded."""
        if not self._slots.locked():
            await self._slots.acquire()
            return Slot(self._slots)
        try:
            async with asyncio.timeout(self._patience):
                await self._slots.acquire()
        except TimeoutError:
            raise Overloaded from None
        return Slot(self._slots)
