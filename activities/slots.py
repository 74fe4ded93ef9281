"""Waiting for a slot, and making the call in a thread that is free: each environment has its own of both."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from bellhop.domain.slots import HANGS, Carrier, Slot, Slots

R = TypeVar("R")


class _Environment:
    def __init__(self, threads: int, slow: float, name: str, hangs: float) -> None:
        self.slots = Slots(threads, slow, time.monotonic, hangs)
        # As many as there are slots: whoever has one finds a thread free. They are made when they are needed.
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.waiting: dict[UUID, deque[tuple[Carrier, asyncio.Future[Slot]]]] = {}


class CallSlots:
    """One per process and event loop. `threads`: calls at a time in each environment; `slow`: seconds from which on a
    call counts as slow; `hangs`: from which on as one that is not answered; `name`: of the threads."""

    def __init__(self, threads: int, slow: float, name: str = "provider", hangs: float = HANGS) -> None:
        self._threads = threads
        self._slow = slow
        self._hangs = hangs
        self._name = name
        self._environments: dict[str, _Environment] = {}

    def take(self, carrier: Carrier) -> Slot | None:
        """A slot, if there is one now and nobody waits for it."""
        here = self._of(carrier)
        return None if here.waiting.get(carrier.account_id) else here.slots.take(carrier)

    async def wait(self, carrier: Carrier, seconds: float | None) -> Slot | None:
        """A slot, in the order of those who wait for one of this account; None: there was none for so long."""
        here = self._of(carrier)
        found: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        line = here.waiting.setdefault(carrier.account_id, deque())
        line.append((carrier, found))
        self._hand_out(here)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(found)
        except TimeoutError:
            if found.done():
                return found.result()
            return None
        except asyncio.CancelledError:
            if found.done() and not found.cancelled():
                self.give_back(found.result())
            raise
        finally:
            if not found.done():
                found.cancel()
                line.remove((carrier, found))
                if not line:
                    here.waiting.pop(carrier.account_id, None)

    def turn(self, carrier: Carrier) -> float:
        """See `Slots.turn`."""
        return self._of(carrier).slots.turn(carrier)

    async def call(self, slot: Slot, work: Callable[[], R]) -> R:
        """Run `work`, which calls the provider, in a thread; how long it takes decides how many slots there are."""
        here = self._of(slot.carrier)
        here.slots.begins(slot)
        try:
            return await asyncio.get_running_loop().run_in_executor(here.pool, work)
        finally:
            here.slots.ends(slot)

    def give_back(self, slot: Slot) -> None:
        """It is needed no longer: whoever waits gets it."""
        here = self._of(slot.carrier)
        here.slots.give_back(slot)
        self._hand_out(here)

    def close(self) -> None:
        """Calls under way are left to end by themselves; what has not begun never does."""
        for here in self._environments.values():
            here.pool.shutdown(wait=False, cancel_futures=True)

    def _of(self, carrier: Carrier) -> _Environment:
        here = self._environments.get(carrier.environment)
        if here is None:
            here = _Environment(self._threads, self._slow, f"{self._name}-{carrier.environment}", self._hangs)
            self._environments[carrier.environment] = here
        return here

    def _hand_out(self, here: _Environment) -> None:
        """Give free slots to those who wait: accounts in turn, each one's in their order."""
        again = True
        while again and here.waiting:
            again = False
            for account_id in list(here.waiting):
                line = here.waiting.pop(account_id)
                carrier, found = line[0]
                slot = here.slots.take(carrier)
                if slot is not None:
                    line.popleft()
                    found.set_result(slot)
                    again = True
                if line:
                    # Behind the others: the next slot that is free is theirs first.
                    here.waiting[account_id] = line
