"""`python -m bench`: starts a stack of its own, measures, prints a table and keeps the figures."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import time
from dataclasses import replace
from pathlib import Path

from bellhop.dev import session
from bellhop.dev.console import Console
from bellhop.dev.stack import EmbeddedStack
from bench import checks, environment, report, scenarios
from bench.guests import Refused
from bench.run import Plan, bench

DIRECTORY = Path(".bellhop") / "bench"
OWN_STACKS = ("capacity", "history")
"""Scenarios that are programs of their own, `python -m bench.NAME`, and take options of their own."""


def main() -> int:
    """Exit code 0 when everything was measured and right, whatever the figures."""
    given = sys.argv[1:]
    if given[:1] == ["--scenario"] and given[1:2] and given[1] in OWN_STACKS:
        sys.argv[1:] = given[2:]
        name = "bench.history.__main__" if given[1] == "history" else f"bench.{given[1]}"
        return int(importlib.import_module(name).main())
    plan, directory = _options()
    console, began = Console(), time.monotonic()

    def measure(stack: EmbeddedStack) -> int:
        try:
            results = asyncio.run(bench(stack, plan, console))
        except (checks.Wrong, Refused, TimeoutError, ExceptionGroup) as problem:
            for one in problem.exceptions[:1] if isinstance(problem, ExceptionGroup) else [problem]:
                print(f"bench: {type(one).__name__}: {one}; logs: {stack.paths.logs}", file=sys.stderr)
            return 1
        kept = report.write(results, directory)
        console.say(report.table(results))
        console.say(f"Kept in {kept}; the whole run took {time.monotonic() - began:.0f} s")
        return 0

    return session.run(environment.build(directory / "state", console), console, measure)


def _options() -> tuple[Plan, Path]:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures Bellhop beside a bare Temporal workflow on the same server, in alternating rounds.",
    )
    usual = Plan()
    parser.add_argument("--messages", type=int, help=f"messages a round and side (default {usual.messages})")
    parser.add_argument("--rounds", type=int, help=f"rounds of each side (default {usual.rounds})")
    parser.add_argument("--at-once", type=int, default=usual.at_once, help="in flight (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="less of everything: half a minute, rough figures")
    parser.add_argument(
        "--late-signal",
        type=float,
        metavar="SECONDS",
        help="send the bare workflow's signal so long after its start instead of at once: 15 events, not 12",
    )
    parser.add_argument("--dir", type=Path, default=DIRECTORY, help="where figures and state go (default %(default)s)")
    parser.add_argument(
        "--scenario",
        action="append",
        choices=tuple(scenarios.ALL),
        help="only this one, in full: how late a neighbour's messages are; repeatable. `--scenario history` (a "
        "database of millions) and `--scenario capacity` (processes for a pace), given first, have their own options",
    )
    parser.add_argument(
        "--size", type=float, default=1.0, help="of the scenarios: 0.1 is a tenth of the messages (default %(default)s)"
    )
    parser.add_argument(
        "--due",
        action="append",
        type=int,
        metavar="N",
        help="of the scenario `due`: so many at once; repeatable (default 500, 1500 and 5000)",
    )
    chosen = parser.parse_args()
    sizes = scenarios.Sizes() if chosen.scenario else scenarios.WITH_THE_REST
    if chosen.quick:
        usual, sizes = Plan(messages=80, rounds=2, paced=60, burst=60, emails=3, warm_up=30), scenarios.QUICK
    if chosen.due:
        sizes = replace(sizes, due=tuple(chosen.due))
    plan = Plan(
        messages=max(1, chosen.messages or usual.messages),
        rounds=max(1, chosen.rounds or usual.rounds),
        at_once=max(1, chosen.at_once),
        paced=usual.paced,
        burst=usual.burst,
        emails=usual.emails,
        warm_up=usual.warm_up,
        late=chosen.late_signal,
        sizes=sizes.times(chosen.size),
        scenarios=tuple(chosen.scenario or scenarios.ALL),
        alone=bool(chosen.scenario),
    )
    return plan, chosen.dir


if __name__ == "__main__":
    sys.exit(main())
