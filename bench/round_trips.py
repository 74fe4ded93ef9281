"""`python -m bench.round_trips`: how often a message goes to the database and back, from acceptance to `delivered`.

Runs a stack of its own, has PostgreSQL log every statement, sends messages one after the other and sorts what was
logged by what it was for. A statement is one round trip, and so is the BEGIN and the COMMIT around it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from temporalio.client import Client

from bellhop.dev import session
from bellhop.dev.console import Console
from bellhop.dev.stack import EmbeddedStack
from bench import environment
from bench.guests import BellhopSide
from bench.receiver import Receiver

DIRECTORY = Path(".bellhop") / "bench-round-trips"
LINE = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ UTC \[(\d+)\] (\w+): +(?:(?:statement|execute [^:]*): )?(.*)$")
ENDS = ("COMMIT", "ROLLBACK")
SETTLES = 1.0
"""Seconds after a message in which what follows it is done."""

UPDATED = """
select relname, n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where n_tup_upd > 100 order by n_tup_upd desc
"""

# What the statements of one transaction are for: the first that fits. The text of the values counts, too.
STEPS = (
    ("accept", r"insert into messages"),
    ("claim", r"insert into attempts"),
    ("receipt `delivered`", r"(?s)insert into receipts.*'\{?delivered\}?'"),
    ("receipt `sent`", r"insert into receipts"),
    ("record", r"update attempts"),
    ("a callback's account", r"account_versions"),
    ("clear and whom to wake", r"wake_due_at ?= ?null|endpoints\.draining_until <= clock_timestamp"),
    ("drain", r"deliveries|draining_until|endpoints"),
    ("look of a caller", r"(?s)^select.*from messages"),
)


@dataclass
class Unit:
    """A transaction, or a statement that is one by itself."""

    statements: list[str] = field(default_factory=list)

    @property
    def step(self) -> str:
        text = "\n".join(self.statements).lower()
        found = next((name for name, pattern in STEPS if re.search(pattern, text)), None)
        return found or "other: " + " ".join(self.statements[-1].split())[:60]


def units(log: str) -> Iterator[Unit]:
    """What a log of statements has, by the connections that sent them."""
    open_ones: dict[str, Unit] = {}
    last: list[str] = []
    entries: list[tuple[str, list[str]]] = []
    for line in log.splitlines():
        if (found := LINE.match(line)) is None:
            last.append(line)
            continue
        pid, kind, rest = found.groups()
        if kind == "LOG":
            last = [rest]
            entries.append((pid, last))
        else:
            # What the values were.
            last.append(rest)
    for pid, lines in entries:
        text = "\n".join(lines)
        unit = open_ones.setdefault(pid, Unit())
        unit.statements.append(text)
        if text.startswith("BEGIN"):
            continue
        if not unit.statements[0].startswith("BEGIN") or text.startswith(ENDS):
            yield open_ones.pop(pid)


async def count(stack: EmbeddedStack, messages: int, console: Console) -> int:
    """Print the table."""
    log = stack.paths.log("postgres")
    client = await Client.connect(stack.temporal_address)
    async with (
        Receiver() as receiver,
        BellhopSide(stack, client, receiver) as bellhop,
        await psycopg.AsyncConnection.connect(stack.postgres_dsn, autocommit=True) as database,
    ):
        with console.step("warming up: statements that are met again are prepared"):
            await bellhop.round(200, 16)
        await database.execute("alter system set log_statement = 'all'")
        await database.execute("select pg_reload_conf()")
        await asyncio.sleep(SETTLES)
        began, seen = time.monotonic(), log.stat().st_size
        with console.step(f"{messages} messages, one after the other"):
            for _ in range(messages):
                await bellhop.one()
                await asyncio.sleep(SETTLES)
        took = time.monotonic() - began
        with log.open("rb") as file:
            file.seek(seen)
            logged = file.read().decode(errors="replace")
        await database.execute("alter system reset log_statement")
        changed = await (await database.execute(UPDATED)).fetchall()
    console.say(table(list(units(logged)), messages))
    for name, times, in_place in changed:
        console.say(f"{name}: {times} rows updated so far, {in_place} of them without a change to an index")
    console.say(f"{took:.0f} s, so that what belongs to no message is in it as well")
    return 0


def table(found: Sequence[Unit], messages: int) -> str:
    """Of each step how often it is done a message, its round trips each time, and a message's."""
    times, trips = Counter[str](), Counter[str]()
    for unit in found:
        times[unit.step] += 1
        trips[unit.step] += len(unit.statements)
    order = [name for name, _ in STEPS if name in times] + sorted(name for name in times if name.startswith("other"))
    rows = [f"| {'':<60} | times | trips each | a message |", "|---|---|---|---|"]
    for name in order:
        each = trips[name] / times[name]
        rows.append(f"| {name:<60} | {times[name] / messages:5.2f} | {each:10.1f} | {trips[name] / messages:9.1f} |")
    known = sum(trips[name] for name in order if not name.startswith("other"))
    rows.append(f"| {'together, without others':<60} | {'':>5} | {'':>10} | {known / messages:9.1f} |")
    return "\n".join(rows)


def main() -> int:
    """Exit code 0 when it was counted, whatever the figures."""
    options = argparse.ArgumentParser(prog="python -m bench.round_trips", description=__doc__)
    options.add_argument("--messages", type=int, default=15, help="that are counted (default %(default)s)")
    options.add_argument("--dir", type=Path, default=DIRECTORY, help="where its state goes (default %(default)s)")
    chosen = options.parse_args()
    console = Console()

    def run(stack: EmbeddedStack) -> int:
        return asyncio.run(count(stack, chosen.messages, console))

    return session.run(environment.build(chosen.dir / "state", console), console, run)


if __name__ == "__main__":
    sys.exit(main())
