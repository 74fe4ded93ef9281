"""`python -m bench.history`: fills a database of its own, then prints what each use costs there and by which plans."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from pydantic import SecretStr

from bellhop.dev import session
from bellhop.dev.console import Console
from bellhop.dev.stack import EmbeddedStack
from bellhop.ops.migrate import apply
from bellhop.store.connections import make_engine
from bellhop.store.settings import PostgresSettings
from bench.history import measure
from bench.history.fill import Size, fill

SECRET = "bench-history-secret-key-0123456789abcdef"
BYTES_PER_MESSAGE = 5_000
"""With its attempt, events, receipts and deliveries, their indexes, and room to sort."""
# Nothing here outlives the run: what protects data from a crash would only cost time.
QUICK = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "'8GB'",
         "max_parallel_maintenance_workers": "2"}  # fmt: skip


def main() -> int:
    """Exit code 0 when every use was within its aim, 1 when one was not."""
    options = _options()
    size = Size(options.messages, options.properties, unmatched=max(100, options.messages // 15))
    console = Console()
    options.dir.mkdir(parents=True, exist_ok=True)
    state = Path(tempfile.mkdtemp(prefix="history-", dir=options.dir))
    needed, free = size.messages * BYTES_PER_MESSAGE, shutil.disk_usage(state).free
    if free < needed:
        console.say(f"{size.messages:,} messages need {needed / 1e9:.0f} GB in {state}; {free / 1e9:.0f} GB are free")
        return 1

    def run(stack: EmbeddedStack) -> int:
        dsn, began = stack.postgres_dsn, time.monotonic()
        with psycopg.connect(dsn, autocommit=True) as connection:
            for name, value in QUICK.items():
                connection.execute(f"alter system set {name} = {value}")
            connection.execute("select pg_reload_conf()")
        console.say("Filling a history")
        asyncio.run(_migrated(dsn))
        fill(dsn, SECRET, size, lambda line: print(f"  {line}", flush=True))
        console.say(f"Filled in {time.monotonic() - began:.0f} s")
        late = asyncio.run(measure.all_uses(dsn, SECRET, lambda line: print(line, flush=True), plans=options.plans))
        console.say(f"{late} uses took longer than they should" if late else "Everything was within its aim")
        return 1 if late else 0

    try:
        return session.run(EmbeddedStack(state, parts=("postgres",)), console, run)
    finally:
        shutil.rmtree(state, ignore_errors=True)


async def _migrated(dsn: str) -> None:
    engine = make_engine(PostgresSettings(_env_file=None, dsn=SecretStr(dsn)), "migrate")
    try:
        await apply(engine)
    finally:
        await engine.dispose()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.history",
        description="Fills an embedded PostgreSQL with a long history and prints what everything costs there.",
    )
    usual = Size()
    parser.add_argument("--messages", type=int, default=usual.messages, help="how many (default %(default)s)")
    parser.add_argument("--properties", type=int, default=usual.properties, help="of so many (default %(default)s)")
    parser.add_argument("--plans", action="store_true", help="print each statement's plan, not only what reads much")
    parser.add_argument(
        "--dir",
        type=Path,
        default=Path(".bellhop") / "bench",
        help="where its data is meanwhile (default %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
