"""How many requests are worked on at a time: the rest wait in line, and who would wait too long is told so at once.

Without a line every request gets a little done and, beyond what the machine can do, none gets done before its caller
has given up and asks again; seen in a storm of repeats after an outage. In line, those who are let in are served at
full speed, and those who are not have cost next to nothing.
"""

from __future__ import annotations

import asyncio

PLACES = 24
"""Requests worked on at a time by one process: enough to keep its connections to the database busy."""
PATIENCE = 2.0
"""Seconds in line. Longer than any burst takes that can be worked off before its callers give up."""


class Overloaded(Exception):
    """The line is too long."""


class Place:
    """A place among those worked on."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places: asyncio.Semaphore | None = places

    def leave(self) -> None:
        """Let the next one in: this request is done, or only waits from here on. Safe to call twice."""
        if self._places is not None:
            self._places.release()
            self._places = None


class Admission:
    """One per process."""

    def __init__(self, places: int = PLACES, patience: float = PATIENCE) -> None:
        self._places = asyncio.Semaphore(places)
        self._patience = patience

    async def enter(self) -> Place:
        """A place, first come, first served. Raises Overloaded."""
        if not self._places.locked():
            await self._places.acquire()
            return Place(self._places)
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise Overloaded from None
        return Place(self._places)
