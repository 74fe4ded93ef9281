"""Takes each planned step when it is due, and posts callbacks; what a callback says is for its simulator."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
from yarl import URL

from bellhop.sandbox.store import PlannedStep, Store

if TYPE_CHECKING:
    from bellhop.sandbox.simulator import Simulator

_AT_ONCE = 64


class Answer(NamedTuple):
    """How a callback ended: ok, ct (not connected), rt (no answer in time), 4xx or 5xx; its status, or what to show
    instead; and what was answered."""

    outcome: str
    shown: str
    body: str


class CallbackSender:
    """One HTTP session and a timer for each step still owed."""

    def __init__(self, store: Store, simulators: Mapping[str, Simulator]) -> None:
        self._store, self._simulators = store, simulators
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._batches: dict[tuple[str, str], list[PlannedStep]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start, with everything an earlier process left owing."""
        self._gate = asyncio.Semaphore(_AT_ONCE)
        # Idle connections are given up before common servers' five seconds, so that none is used while it closes.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2, ttl_dns_cache=10)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self.schedule(step for step in self._store.owed() if step.provider in self._simulators)

    async def close(self) -> None:
        self.forget_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def schedule(self, steps: Iterable[PlannedStep]) -> None:
        """Take each stored step when it is due."""
        loop, now = asyncio.get_running_loop(), time.time()
        for step in steps:
            # A time in the past is allowed: what is overdue is taken in its order.
            self._timers[step.id] = loop.call_at(loop.time() + step.due - now, self._take, step)

    def cancel(self, seq: int, word: str | None = None) -> None:
        """Nothing more will happen to this message, or not this word any more."""
        steps = [step for step in self._store.steps_of([seq])[seq] if word in (None, step.word)]
        for step in steps:
            if timer := self._timers.pop(step.id, None):
                timer.cancel()
        self._store.cancel_steps(steps)

    def forget_all(self) -> None:
        """Nothing more will happen to any message."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._batches.clear()

    def _take(self, step: PlannedStep) -> None:
        self._timers.pop(step.id, None)
        simulator = self._simulators[step.provider]
        if step.applies and step.tries == 0:
            self._store.change(step.message, **simulator.changes(step, time.time()))
        if not step.told:
            self.settle(step, "done", "")
        else:
            simulator.tell(step)

    def settle(self, step: PlannedStep, state: str, answer: str) -> None:
        """A step is over: `done` or `failed`, with what to show of the callback's answer."""
        step.state, step.answer = state, answer
        self._store.settle(step)

    def again(self, step: PlannedStep, pause: float, answer: str) -> None:
        """Take a step once more, after so many seconds."""
        step.tries, step.due, step.answer = step.tries + 1, time.time() + pause, answer
        if self._store.settle(step):
            self.schedule([step])

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine of a simulator until it ends or the sandbox does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def collect(
        self,
        step: PlannedStep,
        window: float,
        largest: int,
        tell: Callable[[str, list[PlannedStep]], Coroutine[Any, Any, None]],
    ) -> None:
        """Gather what an account is to be told within `window` seconds, then start `tell` with it and the account's id,
        once for each `largest` steps."""
        batch = self._batches[step.provider, step.account]
        batch.append(step)
        if len(batch) == 1:
            asyncio.get_running_loop().call_later(window, self._flush, (step.provider, step.account), largest, tell)

    def _flush(
        self,
        key: tuple[str, str],
        largest: int,
        tell: Callable[[str, list[PlannedStep]], Coroutine[Any, Any, None]],
    ) -> None:
        steps = self._batches.pop(key, [])
        for start in range(0, len(steps), largest):
            self.start(tell(key[1], steps[start : start + largest]))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout) -> Answer:
        """One POST, tried once; follows no redirect."""
        try:
            async with (
                self._gate,
                self._session.post(
                    # encoded: the URL goes out as it was given, since that is what was signed.
                    URL(url, encoded=True),
                    data=body,
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                ) as answer,
            ):
                text = (await answer.content.read(4096)).decode("utf-8", "replace")
                outcome = "ok" if answer.status < 400 else f"{answer.status // 100}xx"
                return Answer(outcome, str(answer.status), text)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Answer("ct", "could not connect", "")
        except TimeoutError:
            return Answer("rt", "no answer in time", "")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer("ct", type(error).__name__, "")
