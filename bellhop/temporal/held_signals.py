"""Signals of receipts, held back while many messages wait for their first attempt.

A receipt is in the record when its workflow is signalled: what is late is only that the workflow goes on. What would
make a message go out (a step that follows) is never held back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from bellhop.domain.answers import Next
from bellhop.store.delivery.first_attempts import LOOK_AGAIN, WAITED_FOR, FirstAttempts
from bellhop.store.delivery.receipts import Signal

MOST_HELD = 20_000
"""Beyond so many the oldest goes out."""


class HeldSignals:
    """One per dispatcher. `send` sends one signal, and returns at once; it hears whether that one was held."""

    def __init__(self, first_attempts: FirstAttempts, send: Callable[[Signal, bool], None]) -> None:
        self._first_attempts = first_attempts
        self._send = send
        self._held: deque[tuple[float, Signal]] = deque()
        self._releasing: asyncio.Task[None] | None = None

    def add(self, signals: Sequence[Signal]) -> None:
        """Send these, now or when the crowd is gone."""
        now = time.monotonic()
        for signal in signals:
            self._first_attempts.add(1)
            if signal.answer.next in (Next.CLOSE, Next.TRACK) and (self._held or self._first_attempts.suspected):
                self._held.append((now, signal))
            else:
                self._send(signal, False)
        if self._held and (self._releasing is None or self._releasing.done()):
            self._releasing = asyncio.create_task(self._release())

    async def close(self) -> None:
        """Send what is held."""
        if self._releasing is not None:
            self._releasing.cancel()
            with suppress(asyncio.CancelledError):
                await self._releasing
        while self._held:
            self._send(self._held.popleft()[1], False)

    async def _release(self) -> None:
        while self._held:
            crowded = await self._first_attempts.crowded()
            longest = time.monotonic() - WAITED_FOR
            while self._held and (not crowded or self._held[0][0] < longest or len(self._held) > MOST_HELD):
                self._send(self._held.popleft()[1], True)
            if self._held:
                await asyncio.sleep(LOOK_AGAIN)
