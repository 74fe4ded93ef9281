"""The run: alternating rounds of both sides, then Bellhop alone at a pace, on time, and event by event."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from temporalio.client import Client

from bellhop.dev.console import Console
from bellhop.dev.stack import EmbeddedStack
from bench import checks, crowd, processes
from bench.bare import BareSide
from bench.environment import DELIVERED_AFTER
from bench.figures import Rounds, Spread, spread
from bench.guests import LAST_EVENT, BellhopSide, Sent
from bench.receiver import Receiver
from bench.scenarios import ALL, WITH_THE_REST, LateBy, Scenarios, Sizes

T = TypeVar("T")

PATIENCE = 180.0
"""Seconds any one part of the run may take before it counts as stuck."""
A_SECOND = 20.0
GENTLY = 10.0
"""A second, too: a pace at which the machine is half idle."""


@dataclass(frozen=True)
class Plan:
    """How much to do."""

    messages: int = 300
    rounds: int = 3
    at_once: int = 64
    paced: int = 400
    burst: int = 500
    emails: int = 10
    warm_up: int = 100
    late: float | None = None
    sizes: Sizes = WITH_THE_REST
    scenarios: tuple[str, ...] = tuple(ALL)
    alone: bool = False
    """Only those scenarios."""


@dataclass
class Results:
    """Everything a run found. Times in milliseconds, rates a second."""

    plan: Plan
    at: str = ""
    bare: Rounds = field(default_factory=Rounds)
    bellhop: Rounds = field(default_factory=Rounds)
    accept_saturated: Spread | None = None
    accept_paced: Spread | None = None
    to_provider: Spread | None = None
    to_provider_gently: Spread | None = None
    receipt_to_webhook: Spread | None = None
    to_closed: Spread | None = None
    lateness: Spread | None = None
    paced_cpu: dict[str, float] = field(default_factory=dict)
    events: dict[str, list[int]] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    neighbours: LateBy = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How Bellhop compares with the bare workflow."""
        return self.bellhop.rate / self.bare.rate


async def bench(stack: EmbeddedStack, plan: Plan, console: Console) -> Results:
    """Run everything on a started stack. Raises checks.Wrong, or TimeoutError when something is stuck."""
    results = Results(plan, at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), machine=_machine())
    client = await Client.connect(stack.temporal_address)
    async with (
        Receiver() as receiver,
        BareSide(client, stack.temporal_address, plan.late) as bare,
        BellhopSide(stack, client, receiver) as bellhop,
    ):
        if not plan.alone:
            run = _Run(plan, results, console, client, bare, bellhop, receiver)
            await run.rounds()
            await run.paced()
            await run.gently()
            await run.burst()
            await run.emails()
            results.checked = await checks.everything(bellhop, receiver)
        async with Scenarios(stack, client, bellhop, console, plan.sizes) as scenarios:
            results.neighbours = await scenarios.run(plan.scenarios)
    return results


class _Run:
    def __init__(
        self,
        plan: Plan,
        results: Results,
        console: Console,
        client: Client,
        bare: BareSide,
        bellhop: BellhopSide,
        receiver: Receiver,
    ) -> None:
        self._plan = plan
        self._results = results
        self._console = console
        self._client = client
        self._bare = bare
        self._bellhop = bellhop
        self._receiver = receiver
        self._driver = {"bench (driver, receiver)": os.getpid()}

    async def rounds(self) -> None:
        plan, accepts = self._plan, list[float]()
        with self._console.step(f"warming up with {plan.warm_up} each"):
            await _within(self._bare.round(plan.warm_up, plan.at_once))
            await _within(self._bellhop.round(plan.warm_up, plan.at_once))
        pids = {**self._bellhop.pids, **self._bare.pids, **self._driver}

        async def bare() -> float:
            return await self._bare.round(plan.messages, plan.at_once)

        async def bellhop() -> float:
            seconds, sent = await self._bellhop.round(plan.messages, plan.at_once)
            accepts.extend(one.accept for one in sent)
            return seconds

        for number in range(1, plan.rounds + 1):
            # Which side begins changes too: a machine that slows down evenly hits both alike.
            sides = [("bare", bare, self._results.bare), ("Bellhop", bellhop, self._results.bellhop)]
            for name, side, rounds in sides if number % 2 else reversed(sides):
                with self._console.step(f"round {number} of {plan.rounds}: {name}") as step:
                    await self._round(side, rounds, pids)
                    step.label += f", {(rounds.rates or [0.0])[-1]:.1f}/s"
        self._results.accept_saturated = spread(accepts)

    async def _round(self, side: Callable[[], Awaitable[float]], rounds: Rounds, pids: Mapping[str, int]) -> None:
        before = processes.now(pids)
        seconds = await _within(side())
        cpu, foreign = processes.between(before, processes.now(pids))
        rounds.add(self._plan.messages, seconds, cpu, foreign)
        # What the side still does after its last message (draining, timers) is not the other's.
        await asyncio.sleep(0.5)

    async def paced(self) -> None:
        plan, pids = self._plan, {**self._bellhop.pids, **self._driver}
        with self._console.step(f"{plan.paced} messages at {A_SECOND:.0f} a second"):
            before = processes.now(pids)
            sent, closed = await _within(self._bellhop.paced(plan.paced, A_SECOND))
            cpu, _ = processes.between(before, processes.now(pids))
        book = await self._bellhop.provider_book()
        results = self._results
        results.accept_paced = spread([one.accept for one in sent])
        results.to_provider = spread([book[one.content][0] - one.at for one in sent])
        results.to_closed = spread(closed)
        results.receipt_to_webhook = spread(
            [self._receiver.came_at[one.id, LAST_EVENT["sms"]] - book[one.content][0] - DELIVERED_AFTER for one in sent]
        )
        results.paced_cpu = {name: round(1000 * spent / plan.paced, 2) for name, spent in cpu.items()}
        results.events["sms to delivered, at a pace"] = await self._events(sent[-5:])

    async def gently(self) -> None:
        count = max(1, self._plan.paced // 2)
        with self._console.step(f"{count} messages at {GENTLY:.0f} a second"):
            sent, _ = await _within(self._bellhop.paced(count, GENTLY))
        book = await self._bellhop.provider_book()
        self._results.to_provider_gently = spread([book[one.content][0] - one.at for one in sent])

    async def burst(self) -> None:
        """All due in the same instant, far enough ahead that all are accepted before."""
        plan = self._plan
        due = datetime.now(UTC) + timedelta(seconds=6 + plan.burst / 40)
        with self._console.step(f"{plan.burst} messages due in the same second") as step:
            sent: list[Sent] = []

            async def one(_: int) -> None:
                sent.append(await self._bellhop.accept(due=due))

            await _within(crowd.pace(plan.burst, 60.0, one))
            left = (due - datetime.now(UTC)).total_seconds()
            if left < 0.5:
                raise checks.Wrong("accepting took too long for the burst to be due at once")
            step.note(f"accepted; due in {left:.0f} s")
            await _within(_all([self._bellhop.follow(one) for one in sent]))
        self._results.lateness = spread(checks.lateness(sent, await self._bellhop.provider_book()))
        self._results.events["sms to delivered, scheduled"] = await self._events(sent[-5:])

    async def emails(self) -> None:
        with self._console.step(f"{self._plan.emails} e-mails to read"):
            sent = [await _within(self._bellhop.one("email")) for _ in range(self._plan.emails)]
        self._results.events["e-mail to read"] = await self._events(sent)
        self._results.events["bare"] = [await self._length(self._bare.last)]

    async def _events(self, sent: list[Sent]) -> list[int]:
        return sorted({await self._length(one.id) for one in sent})

    async def _length(self, workflow_id: str) -> int:
        return len((await self._client.get_workflow_handle(workflow_id).fetch_history()).events)


async def _all(work: list[Any]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)


async def _within(work: Awaitable[T]) -> T:
    async with asyncio.timeout(PATIENCE):
        return await work


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": platform.python_version()}
