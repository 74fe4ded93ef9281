"""Where messages wait for their time whose workflows were started a little before it; and then, when many are due at
once, for their turn: the most urgent first, and each property in turn.

They wait in memory, without a thread, a slot, a connection or a lock. Nothing is decided here: `claim` asks the record
whether a message may go out, by the record's own clock. A killed process costs them the rest of their workflow task.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import structlog

from bellhop.domain.run_up import Coming, ComingMessages, ComingTimes

log = structlog.get_logger()

LINGERS = 4.0
"""Seconds for which one that is handed over stays here while others wait for their turn: that its workflow goes on
costs as much as handing over one more."""
GO_ON = 70.0
"""So many of them a second go on then: one takes as much CPU as two or three that are handed over, and what falls due
meanwhile is not to wait for all of them."""
ALL_ON = 9.0
"""Seconds after its time at which one goes on at the latest: soon after, its workflow task would have to say that it
lives (`bellhop/domain/run_up.py`), which costs as much."""
TICK = 0.02
"""Seconds between two looks at the clock while somebody waits; questions to the record are gathered for as long."""
LOOK_AGAIN = 0.25
"""Seconds between two questions whether a message was moved to earlier, cancelled or erased."""
ASKED_A_SECOND = 1_000.0
"""So many messages are asked about: the more wait, the rarer."""
ANSWERED_WITHIN = 5.0
"""Seconds: who has no answer by then does not wait here."""
MARGIN = 0.001
"""Seconds after its time by our reckoning: one that is early by the record's clock would have to wait once more."""
UNKNOWN = Coming(UUID(int=0), UUID(int=0), 0.0, 3)


@dataclass(slots=True, eq=False)
class _One:
    message_id: UUID
    number: int
    may_go: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    coming: Coming = UNKNOWN
    claims: bool = False
    """It may go, and its call has not begun."""


class RunUp:
    """One per process and event loop. `claiming`: messages at a time that may go and have not begun their call, of
    which there are as many as there are slots; `longest`: seconds: whose time is farther off does not wait here."""

    def __init__(self, times: ComingTimes, claiming: int, longest: float) -> None:
        self._times = times
        self._free = claiming
        self._longest = longest
        self._new: list[_One] = []
        self._waiting: set[_One] = set()
        self._by_time: list[tuple[float, int, _One]] = []
        self._ready: dict[int, dict[UUID, list[tuple[float, int, _One]]]] = {}
        self._numbers = itertools.count()
        self._ahead: deque[float] = deque(maxlen=8)
        """By how much the record's clock is ahead of ours: what the last questions said, each of them too little."""
        self._asked_at = 0.0
        self._goes_on = 0.0
        """When the last of those goes on that were handed over."""
        self._asking: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    @asynccontextmanager
    async def turn(self, message_id: str) -> AsyncIterator[Callable[[], None]]:
        """Begins when it is the message's time and its turn, or when there is nothing to wait for. What it gives is
        called when its provider is: then another may go."""
        one = _One(UUID(message_id), next(self._numbers))
        if self._closed:
            self._make_ready(one)
        else:
            self._new.append(one)
            if self._watching is None or self._watching.done():
                self._watching = asyncio.create_task(self._watch())
        try:
            await one.may_go
            yield partial(self._calls, one)
        finally:
            self._waiting.discard(one)
            self._calls(one)
        if self._ready and not self._closed:
            await asyncio.sleep(self._lingers(one))

    def _lingers(self, one: _One) -> float:
        now = asyncio.get_running_loop().time()
        latest = one.coming.due - max(self._ahead, default=0.0) + ALL_ON
        self._goes_on = max(now + LINGERS, min(self._goes_on + 1 / GO_ON, latest))
        return self._goes_on - now

    def close(self) -> None:
        """Nobody waits here any more: this process is about to end, and others will see to them."""
        self._closed = True
        for one in [*self._new, *self._waiting]:
            self._make_ready(one)
        self._new.clear()

    def _calls(self, one: _One) -> None:
        if one.claims:
            one.claims = False
            self._free += 1
            self._hand_out()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        # What was said before may be long ago.
        self._ahead.clear()
        while self._new or self._waiting or self._asking is not None:
            if self._asking is None:
                again = loop.time() - self._asked_at >= max(LOOK_AGAIN, len(self._waiting) / ASKED_A_SECOND)
                if self._new or again:
                    asked, self._new = self._new, []
                    if again:
                        self._asked_at = loop.time()
                        asked += self._waiting
                    self._asking = asyncio.create_task(self._ask(asked))
            now = loop.time() + max(self._ahead, default=0.0) - MARGIN
            while self._by_time and self._by_time[0][0] <= now:
                due, _, one = heapq.heappop(self._by_time)
                if one in self._waiting and one.coming.due == due:
                    self._make_ready(one)
            soonest = self._by_time[0][0] - now if self._by_time else TICK
            await asyncio.sleep(min(TICK, max(0.0, soonest)))

    async def _ask(self, asked: list[_One]) -> None:
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                found = await self._times.coming({one.message_id for one in asked})
            self._sort_in(asked, found)
        except Exception as error:  # noqa: BLE001  whatever it is, `claim` meets it as well, and is tried again
            log.warning("it is not known when messages are due", error=type(error).__name__)
            for one in asked:
                if one.coming is UNKNOWN:
                    self._make_ready(one)
        finally:
            self._asking = None

    def _sort_in(self, asked: list[_One], found: ComingMessages) -> None:
        self._ahead.append(found.now - asyncio.get_running_loop().time())
        known = {coming.message_id: coming for coming in found.messages}
        for one in asked:
            if one.may_go.done() or (one.coming is not UNKNOWN and one not in self._waiting):
                continue
            before, coming = one.coming, known.get(one.message_id)
            later = before is not UNKNOWN and coming is not None and coming.due > before.due
            if coming is None or later or coming.due - found.now > self._longest or self._closed:
                self._make_ready(one)
                continue
            one.coming = coming
            self._waiting.add(one)
            if before is UNKNOWN or before.due != coming.due:
                heapq.heappush(self._by_time, (coming.due, one.number, one))

    def _make_ready(self, one: _One) -> None:
        self._waiting.discard(one)
        scopes = self._ready.setdefault(one.coming.turn, {})
        # Of those that are due together the last to come was started last, and its workflow task ends first.
        heapq.heappush(scopes.setdefault(one.coming.scope_id, []), (one.coming.due, -one.number, one))
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free and self._ready:
            scopes = self._ready[turn := min(self._ready)]
            scope_id = next(iter(scopes))
            line = scopes.pop(scope_id)
            _, _, one = heapq.heappop(line)
            if line:
                # Behind the other properties.
                scopes[scope_id] = line
            if not scopes:
                del self._ready[turn]
            if not one.may_go.done():
                self._free -= 1
                one.claims = True
                one.may_go.set_result(None)
