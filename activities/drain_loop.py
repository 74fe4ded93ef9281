"""The one loop of a process that drains endpoints: all of them share its visits to the record, whatever their number.

Each visit is one transaction: it writes down what came of POSTs and claims what is due, for every endpoint that has
something to say. An endpoint that has nothing to post costs a row in that statement.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from bellhop.domain.ids import endpoint_workflow
from bellhop.domain.webhook_ports import (
    Outbox,
    PendingDelivery,
    Posted,
    Poster,
    RecordUnavailable,
    Result,
    State,
    Step,
    Visit,
    Waker,
)

log = structlog.get_logger()

LONGEST_RETRY_AFTER = 86_400.0
LONGEST_HOLD = 3_600.0
"""How long an endpoint's Retry-After keeps its other deliveries back, at most, seconds."""
AGAIN = (0.2, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0)
"""Pauses while the record cannot be reached, seconds: a restart of it is sat out, so that results in hand are not lost
(and posted again)."""
GIVEN_UP = 3
"""So many endpoints that fail one by one, and none that does not: it is not the endpoints."""
RELEASED_WITHIN = 3.0
"""Seconds an interrupted drain has for giving back what it has in hand."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a drain goes about it. Seconds, but for the counts."""

    at_once: int = 8
    """POSTs to one endpoint at the same time."""
    ahead: int = 64
    """Deliveries claimed but not yet begun, at most."""
    stale: float = 1.0
    """A claimed delivery not begun within this is given back: its body would show its subject as it was then."""
    claims: int = 512
    """Deliveries claimed in one visit to the record, for all endpoints together, about."""
    tick: float = 0.05
    """Between two visits to the record while there is something to do: results and claims travel together."""
    poll: float = 0.1
    """Between two looks for what has fallen due, for all endpoints in one statement."""
    linger: float = 5.0
    """How long to look on after the last work: a busy endpoint then needs no wake-up at all."""
    works: float = 600.0
    """When to stop taking on more. What is in hand is finished: one time-out more, and within the activity's limit."""
    extends: float = 4.0
    """How often to say again that somebody drains."""


def result_of(delivery: PendingDelivery, posted: Posted, pauses: Sequence[float]) -> Result:
    """What to write down about one POST. A pause is stretched by up to a tenth, so that what failed together does not
    come back together; it is never shorter than the schedule or than what the endpoint asked for."""
    written = partial(Result, delivery.id, delivery.event_id, delivery.token)
    if posted.error is None:
        return written(State.DELIVERED, status=posted.status)
    wish = min(posted.retry_after or 0.0, LONGEST_RETRY_AFTER)
    hold = min(wish, LONGEST_HOLD)
    if delivery.attempts >= len(pauses):
        return written(State.FAILED, status=posted.status, error=posted.error, hold=hold)
    pause = max(pauses[delivery.attempts], wish) * random.uniform(1.0, 1.1)
    return written(State.PENDING, pause, posted.status, posted.error, hold)


class Drain:
    """One endpoint that is being drained."""

    def __init__(self, endpoint: UUID, since: datetime, stop_at: float, pace: Pace) -> None:
        self.endpoint = endpoint
        self.since = since
        self.stop_at = stop_at
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """True: nothing has been due for a while; False: time was up."""
        self.queue: deque[tuple[PendingDelivery, float]] = deque()
        """Claimed and not begun, with the moment of the claim."""
        self.posting: dict[asyncio.Task[None], tuple[PendingDelivery, float]] = {}
        self.results: list[Result] = []
        self.stopping = False
        self.gone = False
        """Whoever asked for it has left: nothing more is begun."""
        self._pace = pace
        self._last_work = time.monotonic()
        self._busy = True
        self._again_at = 0.0
        self._failed = 0

    def visit(self, now: float, most: int, *, look: bool, extend: bool) -> Visit | None:
        """What it wants of the record; None: nothing. `most`: deliveries that it may claim. `look`: it is time to look
        for what has fallen due."""
        if now < self._again_at:
            return None
        if now >= self.stop_at:
            self.stopping = True
        if self.stopping:
            self.give_back_queue()
        results, self.results = self.results, []
        # Room for the free places and for about two ticks' worth of work; none while all places are stuck.
        places = self._pace.at_once - len(self.posting) + 2 * len(results)
        room = min(most, max(0, min(self._pace.ahead, places) - len(self.queue)))
        if self.stopping or any(result.hold for result in results) or not (look or results or self._busy):
            room = 0
        if not results and not room and not extend:
            return None
        return Visit(self.endpoint, results, room, extend, self.since)

    def visited(self, visit: Visit, step: Step) -> None:
        """The record has answered."""
        now = time.monotonic()
        self._failed = 0
        if not step.written:
            self.results[:0] = visit.results
        if step.since is not None:
            self.since = step.since
        self.queue.extend((delivery, now) for delivery in step.deliveries)
        self._busy = bool(visit.results or step.deliveries)

    def failed(self, visit: Visit) -> None:
        """The record could not be reached: the results are kept, for a while."""
        self.results[:0] = visit.results
        if self._failed >= len(AGAIN):
            self.end(RecordUnavailable())
            return
        self._again_at = time.monotonic() + AGAIN[self._failed]
        self._failed += 1

    def settle(self, now: float) -> None:
        """See whether it is over."""
        if self.queue or self.posting or self.results or (self._busy and not self.stopping):
            self._last_work = now
        elif self.stopping:
            self.end(False)
        elif now - self._last_work >= self._pace.linger:
            self.end(True)

    def end(self, how: bool | Exception) -> None:
        """It is over."""
        if self.over.done():
            return
        if isinstance(how, Exception):
            self.over.set_exception(how)
        else:
            self.over.set_result(how)

    def give_back_queue(self) -> None:
        """What is claimed and not begun falls due again at once."""
        while self.queue:
            delivery, _ = self.queue.popleft()
            self.results.append(Result(delivery.id, delivery.event_id, delivery.token, State.RELEASED))


class DrainLoop:
    """One per process. `pauses`: the retry schedule, seconds after each failure."""

    def __init__(self, outbox: Outbox, poster: Poster, waker: Waker, pauses: Sequence[float], pace: Pace) -> None:
        self._outbox = outbox
        self._poster = poster
        self._waker = waker
        self._pauses = tuple(pauses)
        self.pace = pace
        self._drains: dict[Drain, None] = {}
        """In the order in which they are served."""
        self._running: asyncio.Task[None] | None = None
        self._visiting = asyncio.Lock()
        self._news = asyncio.Event()
        self._look_at = 0.0
        self._extend_at = 0.0

    def begin(self, endpoint: UUID, since: datetime, stop_at: float) -> Drain:
        """Drain an endpoint until `over`; then, or when nobody wants it any longer, `release` it. `stop_at`: when to
        take on no more, by time.monotonic()."""
        drain = Drain(endpoint, since, stop_at, self.pace)
        self._drains[drain] = None
        self._news.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return drain

    def stop(self, drain: Drain) -> None:
        """Let it end soon."""
        drain.stopping = True
        self._news.set()

    async def release(self, drain: Drain) -> None:
        """It is over, or interrupted: what is in hand falls due again at once rather than when its claim runs out."""
        drain.gone = True
        self._drains.pop(drain, None)
        self._news.set()
        if drain.over.done() and not (drain.queue or drain.posting or drain.results):
            return
        with suppress(RecordUnavailable, TimeoutError):
            async with asyncio.timeout(RELEASED_WITHIN):
                async with self._visiting:
                    pass  # what a visit brings just now is given back, too
                drain.give_back_queue()
                posting = list(drain.posting)
                for task in posting:
                    task.cancel()
                await asyncio.gather(*posting, return_exceptions=True)
                await asyncio.sleep(0)
                while drain.results:
                    (step,) = await self._outbox.step([Visit(drain.endpoint, drain.results)])
                    if step.written:
                        break
                    await asyncio.sleep(self.pace.tick)

    # --- the loop --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while self._drains:
                self._news.clear()
                async with self._visiting:
                    worked = await self._visit_record()
                now = time.monotonic()
                for drain in list(self._drains):
                    drain.settle(now)
                    if drain.over.done():
                        del self._drains[drain]
                await asyncio.sleep(self.pace.tick)
                if not worked and not self._news.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(max(0.0, self._look_at - time.monotonic())):
                            await self._news.wait()
        except Exception as error:  # noqa: BLE001 (a fault of ours: nobody is left waiting for a loop that is not there)
            log.error("draining ended in an unknown way", error=type(error).__name__)
            for drain in self._drains:
                drain.end(RecordUnavailable())
            self._drains.clear()

    async def _visit_record(self) -> bool:
        """Write down results, claim what there is room for, begin posting it. True when there was anything."""
        now = time.monotonic()
        if look := now >= self._look_at:
            self._look_at = now + self.pace.poll
        if extend := now >= self._extend_at:
            self._extend_at = now + self.pace.extends
        if not (visits := self._visits(now, look=look, extend=extend)):
            return False
        steps = await self._steps([visit for _, visit in visits])
        for (drain, visit), step in zip(visits, steps, strict=True):
            if step is None:
                drain.failed(visit)
                continue
            drain.visited(visit, step)
            if step.disabled is not None:
                log.error(
                    "a webhook endpoint is disabled", endpoint=endpoint_workflow(drain.endpoint), reason=step.disabled
                )
                self._waker.wake_endpoints(step.wake)
            if not drain.gone:
                self._begin_posts(drain)
        return any(visit.results for _, visit in visits) or any(step is not None and step.deliveries for step in steps)

    def _visits(self, now: float, *, look: bool, extend: bool) -> list[tuple[Drain, Visit]]:
        """Who has something to say, one drain of each endpoint. Who could claim much comes last the next time: what is
        left for others of one visit is theirs in turn."""
        visits: dict[UUID, tuple[Drain, Visit]] = {}
        room = self.pace.claims
        for drain in list(self._drains):
            if drain.endpoint in visits:
                continue
            if (visit := drain.visit(now, room, look=look, extend=extend)) is None:
                continue
            room -= visit.room
            visits[drain.endpoint] = (drain, visit)
            del self._drains[drain]
            self._drains[drain] = None
        return list(visits.values())

    async def _steps(self, visits: Sequence[Visit]) -> Sequence[Step | None]:
        """The record's answers. What fails for all together is tried one by one, so that nobody fails for another's
        row. None: it cannot be reached."""
        try:
            return await self._outbox.step(visits)
        except RecordUnavailable:
            if len(visits) == 1:
                return [None]
        steps: list[Step | None] = []
        for visit in visits:
            if len(steps) >= GIVEN_UP and not any(steps):
                steps.append(None)
                continue
            try:
                steps += await self._outbox.step([visit])
            except RecordUnavailable:
                steps.append(None)
        return steps

    # --- posting ---------------------------------------------------------------------------------------------------

    def _begin_posts(self, drain: Drain) -> None:
        while drain.queue and len(drain.posting) < self.pace.at_once:
            delivery, claimed = drain.queue.popleft()
            if time.monotonic() - claimed > self.pace.stale:
                drain.results.append(Result(delivery.id, delivery.event_id, delivery.token, State.RELEASED))
                continue
            task = asyncio.create_task(self._post(drain, delivery, claimed))
            drain.posting[task] = (delivery, claimed)
            task.add_done_callback(lambda done: self._posted(drain, done))

    async def _post(self, drain: Drain, delivery: PendingDelivery, claimed: float) -> None:
        # The database's clock carried on by ours: one source of time, whatever this machine thinks it is.
        at = delivery.claimed_at + timedelta(seconds=time.monotonic() - claimed)
        posted = await self._poster.post(delivery, at)
        result = result_of(delivery, posted, self._pauses)
        drain.results.append(result)
        if result.hold:
            drain.give_back_queue()

    def _posted(self, drain: Drain, task: asyncio.Task[None]) -> None:
        delivery, _ = drain.posting.pop(task)
        if task.cancelled():
            # Whether it arrived is not known: it goes out again, with the same id.
            drain.results.append(Result(delivery.id, delivery.event_id, delivery.token, State.RELEASED))
        elif (error := task.exception()) is not None:
            # A fault of ours. Counted as a failure, or it would come round at once and for ever.
            log.error("posting failed in an unknown way", delivery=str(delivery.id), error=type(error).__name__)
            drain.results.append(result_of(delivery, Posted(None, "internal"), self._pauses))
        if not drain.gone:
            self._begin_posts(drain)
        self._news.set()
