"""Admission control: how many requests are worked on at a time. The rest queue, and are refused after PATIENCE.

Without it every request gets a little done and, beyond what the machine can do, none gets done before its caller has
given up and asks again; seen in a storm of repeats after an outage. With it, those admitted are served at full speed,
and those refused have cost next to nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

SLOTS = 24
"""Requests worked on at a time by one process: enough to keep its connections to the database busy."""
PATIENCE = 2.0
"""Seconds in the queue. Longer than any burst takes that can be worked off before its callers give up."""


WAITING = 500
"""Requests in the queue at most: what waits for its turn holds its body and its connection."""
BATCHES = 2
"""Batches of messages accepted at a time by one process."""
BATCH_PATIENCE = 15.0
"""Seconds that one waits for its turn: a batch takes one or two."""
WAITING_FOR_TURNS = 8
"""Batches of one property's environment that wait at most."""


class Overloaded(Exception):
    """No slot became free in time, or too many wait for one."""


class Admission:
    """One per process for each kind of work: none of them waits in another's queue. `waiting`: requests in the queue
    at most."""

    def __init__(self, slots: int = SLOTS, patience: float = PATIENCE, waiting: int = WAITING) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._patience = patience
        self._room = waiting

    async def enter(self) -> None:
        """Take a slot, first come, first served. Raises Overloaded."""
        if not self._slots.locked():
            await self._slots.acquire()
            return
        if not self._room:
            raise Overloaded
        self._room -= 1
        try:
            async with asyncio.timeout(self._patience):
                await self._slots.acquire()
        except TimeoutError:
            raise Overloaded from None
        finally:
            self._room += 1

    def leave(self) -> None:
        """Let the next one in."""
        self._slots.release()


class Turns:
    """Long work: a little of it at a time in one process, and one piece of each property's environment, so that whoever
    asks for much of it waits behind itself and not in front of others."""

    def __init__(self, at_a_time: int, patience: float) -> None:
        self._all = Admission(at_a_time, patience)
        self._patience = patience
        self._of: dict[UUID, Admission] = {}
        self._wanted: Counter[UUID] = Counter()

    @asynccontextmanager
    async def turn(self, whose: UUID) -> AsyncIterator[None]:
        """Wait for one. Raises Overloaded."""
        own = self._of.setdefault(whose, Admission(1, self._patience, WAITING_FOR_TURNS))
        self._wanted[whose] += 1
        try:
            await own.enter()
            try:
                await self._all.enter()
                try:
                    yield
                finally:
                    self._all.leave()
            finally:
                own.leave()
        finally:
            self._wanted[whose] -= 1
            if not self._wanted[whose]:
                del self._wanted[whose], self._of[whose]


class Slot:
    """A request's place among those that are worked on, once it has one."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._taken = False

    async def take(self) -> None:
        """Wait for one. Raises Overloaded."""
        await self._admission.enter()
        self._taken = True

    def release(self) -> None:
        """Let the next request in: this one is done, or only waits from here on. Safe to call twice, or without one."""
        if self._taken:
            self._taken = False
            self._admission.leave()
