"""`python -m bench.capacity`: how many processes carry how many messages.

Measures what a message costs each process at two paces, puts a line through both, and checks at a third that the line
holds: cores = idle + messages a second × CPU a message. Then, from a provider that is slow to answer, what a second
worker process adds. docs/scaling.md says what to do with the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import psycopg
from temporalio.client import Client

from bellhop.dev import services, session
from bellhop.dev.console import Console
from bellhop.dev.process import Process
from bellhop.dev.stack import EmbeddedStack
from bench import checks, environment, processes
from bench.guests import BellhopSide, Refused
from bench.receiver import Receiver

DIRECTORY = Path(".bellhop") / "bench-capacity"
NEAR = 0.15
"""How far the third pace may be from what the first two say, as a share."""
BUSY = 0.6
"""Of a core: what a process is given to do, so that a burst finds room."""
RATES = (10, 100, 1_000)
THREADS, SLOW = 6, 0.25
"""Of the slow provider: a third of the threads call one account at a time, and each call takes so many seconds."""
STARTS_WITHIN = 60.0
"""Seconds a worker has to start."""
PROCESSES = {
    "api": "API",
    "worker-workflows": "worker, workflows and first attempts",
    "worker-activities": "worker, other activities and webhooks",
    "temporal": "Temporal server (SQLite)",
    "postgres": "PostgreSQL",
}
COMMITS = """
    select xact_commit + xact_rollback, pg_current_wal_lsn() - '0/0'
    from pg_stat_database where datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """What was measured at a pace: cores each process took, and the database's transactions and bytes of log a
    second."""

    rate: float
    cores: Mapping[str, float]
    commits: float
    log: float


@dataclass(slots=True)
class Capacity:
    """What a run found."""

    paces: list[Pace] = field(default_factory=list)
    """Two that make the line, and one that checks it."""
    workers: dict[int, float] = field(default_factory=dict)
    """Workers of each role → messages a second from the slow provider."""

    def line(self, name: str) -> tuple[float, float]:
        """Of a process the cores it takes while nothing happens, and seconds of CPU a message."""
        low, high = self.paces[0], self.paces[1]
        each = (high.cores[name] - low.cores[name]) / (high.rate - low.rate)
        return max(0.0, low.cores[name] - low.rate * each), each

    @property
    def foretold(self) -> float:
        """Cores that the line says for the third pace."""
        return sum(idle + each * self.paces[2].rate for idle, each in map(self.line, PROCESSES))

    @property
    def measured(self) -> float:
        return sum(self.paces[2].cores[name] for name in PROCESSES)

    @property
    def holds(self) -> bool:
        """The third pace is near the line."""
        return abs(self.measured / self.foretold - 1) <= NEAR


async def measure(
    stack: EmbeddedStack, paces: tuple[float, float, float], seconds: float, console: Console
) -> Capacity:
    """Everything, on a started stack. Raises checks.Wrong, Refused, TimeoutError."""
    found = Capacity()
    client = await Client.connect(stack.temporal_address)
    async with Receiver() as receiver, BellhopSide(stack, client, receiver) as side:
        with console.step("warming up"):
            await side.round(60, 20)
        for rate in paces:
            with console.step(f"{rate:g} messages a second, for {seconds:.0f} s") as step:
                found.paces.append(await _pace(stack, side, rate, seconds))
                step.note(f"{sum(found.paces[-1].cores[name] for name in PROCESSES):.2f} cores")
        await checks.everything(side, receiver)
        await side.call("POST", f"{stack.sandbox_url}/_sandbox/faults", {"kind": "slow", "delay": SLOW, "seconds": 600})
        for count in (1, 2):
            with ExitStack() as others, console.step(f"a slow provider, {count} worker(s) of each role") as step:
                # What finds no slot at once is called from those for activities.
                for role in ("workflows", "activities") * (count - 1):
                    others.callback((await asyncio.to_thread(_worker, stack, role)).popen.kill)
                took, sent = await side.round(int(60 * count), 80)
                found.workers[count] = len(sent) / took
                step.note(f"{found.workers[count]:.1f} messages a second")
    return found


async def _pace(stack: EmbeddedStack, side: BellhopSide, rate: float, seconds: float) -> Pace:
    before, database = processes.now(side.pids), await _database(stack)
    await side.paced(round(rate * seconds), rate)
    await asyncio.sleep(1)
    cpu, _ = processes.between(before, after := processes.now(side.pids))
    took, now = after.at - before.at, await _database(stack)
    commits, log = ((one - other) / took for one, other in zip(now, database, strict=True))
    return Pace(round(rate * seconds) / took, {name: spent / took for name, spent in cpu.items()}, commits, log)


async def _database(stack: EmbeddedStack) -> tuple[float, float]:
    async with await psycopg.AsyncConnection.connect(stack.postgres_dsn, autocommit=True) as connection:
        row = await (await connection.execute(COMMITS)).fetchone()
        assert row is not None
        return float(row[0]), float(row[1])


def _worker(stack: EmbeddedStack, role: str) -> Process:
    """One more, that polls. Blocks. Raises TimeoutError."""
    started = Process.start(services.worker(role, stack.env(), stack.paths, stack.ports.temporal_http))
    until = time.monotonic() + STARTS_WITHIN
    while not started.ready():
        if time.monotonic() > until:
            raise TimeoutError("a second worker does not poll")
        time.sleep(0.2)
    return started


def table(found: Capacity) -> str:
    """What was found, for people."""
    lines = ["", f"{'Cores':<42}{'idle':>8}{'ms a message':>14}" + "".join(f"{rate:>9,}/s" for rate in RATES)]
    for name, title in PROCESSES.items():
        idle, each = found.line(name)
        wanted = "".join(f"{ceil((idle + each * rate) / BUSY):>11,}" for rate in RATES)
        lines.append(f"  {title:<40}{idle:>8.2f}{1000 * each:>14.1f}{wanted}")
    low, high, last = found.paces
    commits, log = ((getattr(high, one) - getattr(low, one)) / (high.rate - low.rate) for one in ("commits", "log"))
    lines += [
        f"  (cores at {BUSY:.0%} load; of the API and the workers as many processes)",
        "",
        f"Of a message: {commits:.1f} transactions, {log / 1024:.0f} KiB of PostgreSQL's log",
        f"At {last.rate:.1f} messages a second: {found.foretold:.2f} cores foretold, {found.measured:.2f} measured, "
        f"{100 * (found.measured / found.foretold - 1):+.0f} % (aim: within {NEAR:.0%})"
        + ("" if found.holds else "  ! it does not hold"),
    ]
    one, two = found.workers[1], found.workers[2]
    lines.append(
        f"From a provider that answers after {1000 * SLOW:.0f} ms, {THREADS // 3} calls at a time: {one:.1f} messages "
        f"a second with one worker of each role, {two:.1f} with two ({two / one:.2f} times)"
    )
    return "\n".join(lines)


def main() -> int:
    """Exit code 0 when everything was measured and the third pace is near the line."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--seconds", type=float, default=25.0, help="of each pace (default %(default)s)")
    parser.add_argument(
        "--paces", type=float, nargs=3, default=(2.0, 6.0, 10.0), metavar="RATE",
        help="messages a second: two that make the line, and one that checks it (default 2 6 10)",
    )  # fmt: skip
    parser.add_argument("--dir", type=Path, default=DIRECTORY, help="where its state goes (default %(default)s)")
    chosen, console = parser.parse_args(), Console()

    def run(stack: EmbeddedStack) -> int:
        try:
            found = asyncio.run(measure(stack, tuple(chosen.paces), chosen.seconds, console))
        except (checks.Wrong, Refused, TimeoutError, ExceptionGroup) as problem:
            print(f"bench.capacity: {type(problem).__name__}: {problem}; logs: {stack.paths.logs}", file=sys.stderr)
            return 1
        console.say(table(found))
        return 0 if found.holds else 2

    os.environ["DELIVERY_THREADS"] = str(THREADS)
    return session.run(environment.build(chosen.dir / "state", console), console, run)


if __name__ == "__main__":
    sys.exit(main())
