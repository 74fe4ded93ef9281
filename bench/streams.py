"""`python -m bench.streams`: what open live streams cost one API process on which nothing happens, and how soon a
message comes by one.

Starts a database and one API process of its own, opens streams of as many guests, and compares the process's CPU time
while they are idle with that of a while without any.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg

from bellhop.dev import session
from bellhop.dev.console import Console
from bellhop.dev.free_ports import Ports
from bellhop.dev.prepare import prepare
from bellhop.dev.stack import EmbeddedStack
from bench import crowd, processes

DIRECTORY = Path(".bellhop") / "bench-streams"
CONNECTIONS = "select count(*) from pg_stat_activity where application_name in ('bellhop-api', 'bellhop-live')"
SETTLING = 5.0


class Streams:
    """Open streams, each on a connection of its own, read and counted."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "127.0.0.1", place.port or 80
        self._tasks: list[asyncio.Task[None]] = []
        # One that nobody holds closes its connection.
        self._writers: list[asyncio.StreamWriter] = []
        self.heartbeats = 0
        self.open_now = 0
        self.came = asyncio.Event()

    async def open(self, token: str) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(f"GET /v1/inbox/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(head.decode())
        self._writers.append(writer)
        self._tasks.append(asyncio.create_task(self._read(reader)))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        self.open_now += 1
        while line := await reader.readline():
            if line == b":\n":
                self.heartbeats += 1
            elif line.startswith(b"event: message"):
                self.came.set()
        self.open_now -= 1

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()


async def measure(stack: EmbeddedStack, count: int, seconds: float, console: Console) -> int:
    """Print the figures."""
    assert stack.prepared is not None
    pids = {"api": stack.pids["api"]}
    headers = {"Authorization": f"Bearer {stack.prepared.api_key}"}
    async with (
        httpx2.AsyncClient(base_url=stack.api_url, headers=headers, trust_env=False, timeout=60) as api,
        await psycopg.AsyncConnection.connect(stack.postgres_dsn, autocommit=True) as database,
    ):
        await database.execute("update scopes set rate_limit = 1000000")
        await database.execute("update api_keys set rate_limit = 1000000")
        await asyncio.sleep(SETTLING)
        tokens: list[str] = []

        async def guest(number: int) -> None:
            made = await api.post("/v1/guests", json={"first_name": "Guest", "last_name": str(number)})
            opened = await api.post(f"/v1/guests/{made.json()['id']}/sessions", json={})
            tokens.append(opened.raise_for_status().json()["token"])

        with console.step(f"{count} guests with a session each"):
            await crowd.saturate(count, 16, guest)
        with console.step(f"without a stream, {seconds:.0f} s"):
            await asyncio.sleep(SETTLING)
            without = await _idle(pids, seconds)
        connections = await _connections(database)
        streams = Streams(stack.api_url)
        with console.step(f"{count} streams opened"):
            await crowd.saturate(count, 32, lambda number: streams.open(tokens[number]))
        with console.step(f"with {count} streams, {seconds:.0f} s"):
            await asyncio.sleep(SETTLING)
            beats = streams.heartbeats
            used = await _idle(pids, seconds)
        figures = {
            "streams": streams.open_now,
            "seconds": seconds,
            "core_percent": round(100 * (used - without), 2),
            "core_percent_without": round(100 * without, 2),
            "heartbeats": streams.heartbeats - beats,
            "database_connections_more": await _connections(database) - connections,
            "notified_after_ms": round(1000 * await _notified(database, streams), 1),
        }
        await streams.close()
    console.say(json.dumps(figures, indent=2))
    return 0


async def _idle(pids: dict[str, int], seconds: float) -> float:
    """Of a core, what the process uses while nothing happens."""
    before = processes.now(pids)
    await asyncio.sleep(seconds)
    after = processes.now(pids)
    return processes.between(before, after)[0]["api"] / (after.at - before.at)


async def _connections(database: psycopg.AsyncConnection) -> int:
    row = await (await database.execute(CONNECTIONS)).fetchone()
    assert row is not None
    return int(row[0])


async def _notified(database: psycopg.AsyncConnection, streams: Streams) -> float:
    """From the commit of a message to its guest's stream, median of 20 guests; laid in by hand: no worker runs here."""
    guests = await (await database.execute("select id, scope_id from guests limit 20")).fetchall()
    took: list[float] = []
    for guest, scope in guests:
        async with database.transaction():
            made = await database.execute(
                "insert into messages (scope_id, channel, recipient, guest_id, content, stage, sent_at)"
                " values (%s, 'in_app', 'bench', %s, 'Your room is ready.', 'sent', now()) returning id",
                (scope, guest),
            )
            row = await made.fetchone()
            assert row is not None
            await database.execute(
                "insert into inbox (scope_id, guest_id, message_id, expires_at)"
                " values (%s, %s, %s, now() + interval '1 hour')",
                (scope, guest, row[0]),
            )
            await database.execute("select pg_notify('bellhop_live', %s)", (f"news {guest}",))
        began = time.perf_counter()
        await asyncio.wait_for(streams.came.wait(), 10)
        took.append(time.perf_counter() - began)
        streams.came.clear()
    return statistics.median(took)


def main() -> int:
    """Exit code 0 when it was measured, whatever the figures."""
    options = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    options.add_argument("--streams", type=int, default=1_000, help="open at a time (default %(default)s)")
    options.add_argument("--seconds", type=float, default=60.0, help="of each measurement (default %(default)s)")
    options.add_argument("--dir", type=Path, default=DIRECTORY, help="where its state goes (default %(default)s)")
    chosen = options.parse_args()
    shutil.rmtree(chosen.dir, ignore_errors=True)
    enough = str(chosen.streams + 100)
    limits = ("MAX_CONNECTIONS", "CONNECTIONS_PER_ADDRESS", "MAX_STREAMS", "STREAMS_PER_PROPERTY")
    # Temporal is away: nothing that is measured here needs it.
    env = {
        **os.environ,
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        **{f"BELLHOP_API_{name}": enough for name in limits},
    }
    console = Console()
    stack = EmbeddedStack(
        chosen.dir,
        ports=Ports.any_free(),
        parts=("postgres", "sandbox", "api"),
        prepare=prepare,
        console=console,
        env=env,
    )
    return session.run(
        stack, console, lambda stack: asyncio.run(measure(stack, chosen.streams, chosen.seconds, console))
    )


if __name__ == "__main__":
    sys.exit(main())
