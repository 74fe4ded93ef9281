"""`python -m chaos`: starts a stack of its own, storms it, compares the accounts, prints a table."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from bellhop.dev import session
from bellhop.dev.stack import EmbeddedStack
from chaos import environment, report
from chaos.faults import KINDS
from chaos.plan import Plan, make
from chaos.run import BufferingConsole, Outcome, chaos

DIRECTORY = Path(".bellhop") / "chaos"
QUICK_SEED, QUICK_MESSAGES, QUICK_SECONDS = 2024, 160, 70.0


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when nothing was wrong, 1 when something was."""
    plan, state, as_json, keep = _options(arguments)
    console, began = BufferingConsole(sys.stderr if as_json else None), time.monotonic()
    console.say(report.opening(plan))
    shutil.rmtree(state, ignore_errors=True)

    def storm(stack: EmbeddedStack) -> int:
        try:
            outcome = _interruptible(chaos(stack, plan, console))
        except (TimeoutError, ExceptionGroup) as problem:
            print(f"chaos: {problem!r}; seed {plan.seed}, logs: {stack.paths.logs}", file=sys.stderr)
            return 1
        if as_json:
            print(json.dumps(report.as_json(outcome), indent=2))
        else:
            console.say(report.table(outcome))
        if not outcome.verdict.findings:
            return 0
        print(report.wrongs(outcome), file=sys.stderr)
        (state / "findings.json").write_text(json.dumps(report.as_json(outcome), indent=2), encoding="utf-8")
        return 1

    code = session.run(environment.build(state, console), console, storm)
    if code == 0:
        if not keep:
            shutil.rmtree(state, ignore_errors=True)
        console.say(f"Nothing lost, nothing twice, nothing stuck; {time.monotonic() - began:.0f} s in all")
    elif code == session.INTERRUPTED:
        console.say(f"Interrupted; logs and data are kept in {state}")
    elif code == 1:
        quick = " --quick" if plan.quick else f" --messages {len(plan.requests)} --minutes {plan.seconds / 60:g}"
        console.say(f'To repeat: make chaos ARGS="--seed {plan.seed}{quick}"; logs and data are kept in {state}')
    return code


def _interruptible(storm: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run it. A signal cancels it as a whole, rather than raise KeyboardInterrupt in whatever happens to run, and what
    does not want to end then is left behind: this process is about to. Raises KeyboardInterrupt."""
    runner = asyncio.Runner()
    loop = runner.get_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    async def run() -> Outcome:
        task = asyncio.current_task()
        assert task is not None
        for number in before:
            loop.add_signal_handler(number, task.cancel)
        return await storm

    try:
        outcome = runner.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
    runner.close()
    return outcome


def _options(arguments: list[str] | None) -> tuple[Plan, Path, bool, bool]:
    kinds = "\n".join(f"  {name:<18} {kind.says}" for name, kind in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m chaos",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(
            "Sends messages on all channels through a stack of real processes while everything goes wrong that\n"
            "can, then compares, message by message, what clients were answered, what PostgreSQL says, what the\n"
            "providers accepted and what the customers' endpoints received. Exits with 1 if anything was lost,\n"
            "sent twice, early, stuck or untrue."
        ),
        epilog=(
            f"faults:\n{kinds}\n"
            "  and of single messages: their calls, look-ups and callbacks (see bellhop.sandbox, /_sandbox/faults)\n\n"
            "The seed decides the messages, the faults and their times; how processes interleave differs each time.\n"
            "On failure the accounts of each wrong message are printed side by side, and logs and data are kept."
        ),
    )
    parser.add_argument("--seed", type=int, help="repeat the plan of that seed (default: a new one, printed)")
    parser.add_argument("--messages", type=int, default=2000, help="how many (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=8.0, help="how long the storm lasts (default %(default)s)")
    parser.add_argument("--state", type=Path, default=DIRECTORY, help="where data and logs go (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures for a program instead of the table")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_MESSAGES} messages in {QUICK_SECONDS:.0f} s, the same seed each time",
    )
    parser.add_argument("--keep", action="store_true", help="keep data and logs although nothing was wrong")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else QUICK_SEED if given.quick else secrets.randbelow(1_000_000)
    if given.quick:
        return make(seed, QUICK_MESSAGES, QUICK_SECONDS, quick=True), given.state, given.json, given.keep
    return make(seed, max(1, given.messages), max(10.0, given.minutes * 60)), given.state, given.json, given.keep


if __name__ == "__main__":
    sys.exit(main())
