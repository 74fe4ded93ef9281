"""Draining an endpoint: posting its pending deliveries, in order within a subject, until nothing more is due."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio import activity

from activities.faults import redact_errors
from bellhop.domain.answers import Drained
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
    Waker,
)
from bellhop.temporal.contract import DRAIN

log = structlog.get_logger()

LONGEST_RETRY_AFTER = 86_400.0
LONGEST_HOLD = 3_600.0
"""How long an endpoint's Retry-After keeps its other deliveries back, at most, seconds."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a drain goes about it. Seconds, but for the counts."""

    at_once: int = 8
    """POSTs to one endpoint at the same time."""
    ahead: int = 64
    """Deliveries claimed but not yet begun, at most."""
    stale: float = 1.0
    """A claimed delivery not begun within this is given back: its body would show its subject as it was then."""
    tick: float = 0.05
    """Between two visits to the record while there is something to do: results and claims travel together."""
    poll: float = 0.1
    """Between two visits while there is nothing."""
    linger: float = 2.0
    """How long to look on after the last work: a busy endpoint then needs no wake-up at all."""
    works: float = 40.0
    """When to stop taking on more. What is in hand is finished: one time-out more, and within the activity's limit."""
    extends: float = 4.0
    """How often to say again that somebody drains."""


def result_of(delivery: PendingDelivery, posted: Posted, pauses: Sequence[float]) -> Result:
    """What to write down about one POST. A pause is stretched by up to a tenth, so that what failed together does not
    come back together; it is never shorter than the schedule or than what the endpoint asked for."""
    if posted.error is None:
        return Result(delivery.id, delivery.token, State.DELIVERED, status=posted.status)
    wish = min(posted.retry_after or 0.0, LONGEST_RETRY_AFTER)
    hold = min(wish, LONGEST_HOLD)
    if delivery.attempts >= len(pauses):
        return Result(delivery.id, delivery.token, State.FAILED, status=posted.status, error=posted.error, hold=hold)
    pause = max(pauses[delivery.attempts], wish) * random.uniform(1.0, 1.1)
    return Result(delivery.id, delivery.token, State.PENDING, pause, posted.status, posted.error, hold)


class EndpointActivities:
    """What the endpoint workflow asks for. `pauses`: the retry schedule, seconds after each failure."""

    def __init__(
        self, outbox: Outbox, poster: Poster, waker: Waker, pauses: Sequence[float], pace: Pace | None = None
    ) -> None:
        self._outbox = outbox
        self._poster = poster
        self._waker = waker
        self._pauses = tuple(pauses)
        self._pace = pace or Pace()

    @activity.defn(name=DRAIN)
    @redact_errors
    async def drain(self, endpoint: str) -> Drained:
        """Deliver everything due for the endpoint (its row's key) and say when to come again."""
        run = _Drain(UUID(endpoint), self._outbox, self._poster, self._waker, self._pauses, self._pace)
        return await run.drain()


class _Drain:
    """One run of the activity."""

    def __init__(
        self, endpoint: UUID, outbox: Outbox, poster: Poster, waker: Waker, pauses: Sequence[float], pace: Pace
    ) -> None:
        self._endpoint = endpoint
        self._outbox = outbox
        self._poster = poster
        self._waker = waker
        self._pauses = pauses
        self._pace = pace
        self._queue: deque[tuple[PendingDelivery, float]] = deque()
        """Claimed and not begun, with the moment of the claim."""
        self._posting: dict[asyncio.Task[None], tuple[PendingDelivery, float]] = {}
        self._results: list[Result] = []
        self._stop_at = time.monotonic() + pace.works
        self._extend_at = 0.0

    async def drain(self) -> Drained:
        try:
            while True:
                if not await self._outbox.open(self._endpoint):
                    while await self._outbox.abandon(self._endpoint):
                        activity.heartbeat()
                    return Drained(None)
                self._extend_at = time.monotonic() + self._pace.extends
                if not await self._work():
                    # Time is up, not the work. `draining_until` stays: the workflow comes again at once.
                    return Drained(0.0)
                after = await self._outbox.close(self._endpoint)
                if after is None or after > 0:
                    return Drained(after)
        finally:
            await self._release()

    async def _work(self) -> bool:
        """Post what falls due until nothing has for a while (True) or it is time to stop (False)."""
        pace = self._pace
        last_work = time.monotonic()
        while True:
            activity.heartbeat()
            stopping = time.monotonic() >= self._stop_at or activity.is_worker_shutdown()
            if stopping:
                self._give_back_queue()
            worked = await self._visit_record(take=not stopping)
            now = time.monotonic()
            if worked or self._posting or self._results:
                last_work = now
            elif stopping:
                return False
            elif now - last_work >= pace.linger:
                return True
            await asyncio.sleep(pace.tick if worked or stopping else pace.poll)

    async def _visit_record(self, *, take: bool) -> bool:
        """Write down results, claim what there is room for, begin posting it. True when there was anything."""
        results, self._results = self._results, []
        # Room for the free places and for about two ticks' worth of work; none while all places are stuck.
        places = self._pace.at_once - len(self._posting) + 2 * len(results)
        room = max(0, min(self._pace.ahead, places) - len(self._queue)) if take else 0
        if any(result.hold for result in results):
            room = 0
        extend = time.monotonic() >= self._extend_at
        if not results and not room and not extend:
            return False
        step = await self._step(results, room, extend)
        if extend:
            self._extend_at = time.monotonic() + self._pace.extends
        if step.disabled is not None:
            log.error(
                "a webhook endpoint is disabled", endpoint=endpoint_workflow(self._endpoint), reason=step.disabled
            )
            self._waker.wake_endpoints(step.wake)
        now = time.monotonic()
        self._queue.extend((delivery, now) for delivery in step.deliveries)
        self._begin_posts()
        return bool(results or step.deliveries)

    async def _step(self, results: Sequence[Result], room: int, extend: bool) -> Step:
        """A restart of the database is sat out here, so that results in hand are not lost (and posted again)."""
        for pause in (0.2, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0):
            try:
                return await self._outbox.step(self._endpoint, results, room, extend=extend)
            except RecordUnavailable:
                activity.heartbeat()
                await asyncio.sleep(pause)
        return await self._outbox.step(self._endpoint, results, room, extend=extend)

    def _begin_posts(self) -> None:
        while self._queue and len(self._posting) < self._pace.at_once:
            delivery, claimed = self._queue.popleft()
            if time.monotonic() - claimed > self._pace.stale:
                self._results.append(Result(delivery.id, delivery.token, State.RELEASED))
                continue
            task = asyncio.create_task(self._post(delivery, claimed))
            self._posting[task] = (delivery, claimed)
            task.add_done_callback(self._posted)

    async def _post(self, delivery: PendingDelivery, claimed: float) -> None:
        # The database's clock carried on by ours: one source of time, whatever this machine thinks it is.
        at = delivery.claimed_at + timedelta(seconds=time.monotonic() - claimed)
        posted = await self._poster.post(delivery, at)
        result = result_of(delivery, posted, self._pauses)
        self._results.append(result)
        if result.hold:
            self._give_back_queue()

    def _posted(self, task: asyncio.Task[None]) -> None:
        delivery, _ = self._posting.pop(task)
        if task.cancelled():
            # Whether it arrived is not known: it goes out again, with the same id.
            self._results.append(Result(delivery.id, delivery.token, State.RELEASED))
        elif (error := task.exception()) is not None:
            # A fault of ours. Counted as a failure, or it would come round at once and for ever.
            log.error("posting failed in an unknown way", delivery=str(delivery.id), error=type(error).__name__)
            self._results.append(result_of(delivery, Posted(None, "internal"), self._pauses))
        self._begin_posts()

    def _give_back_queue(self) -> None:
        while self._queue:
            delivery, _ = self._queue.popleft()
            self._results.append(Result(delivery.id, delivery.token, State.RELEASED))

    async def _release(self) -> None:
        """Interrupted: what is in hand falls due again at once rather than when its claim runs out."""
        self._give_back_queue()
        for task in list(self._posting):
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        await asyncio.sleep(0)
        if self._results:
            with suppress(RecordUnavailable, TimeoutError):
                async with asyncio.timeout(3):
                    await self._outbox.step(self._endpoint, self._results, 0, extend=False)
