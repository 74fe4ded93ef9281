"""Guests write while PostgreSQL is away or stands still: through the sandbox, the real API and the real disk. Twilio
posts a text a few times within seconds, and never again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import psutil
import psycopg

from tests.chaos.stack import LiveStack


async def text(stack: LiveStack, body: str, sender: str) -> dict[str, Any]:
    """A guest writes; what the provider says of it once it has tried everything."""
    answer = await stack.sandbox.post(
        "/_sandbox/inbound", json={"provider": "twilio", "from": sender, "body": body}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def stored(stack: LiveStack, mark: str) -> Counter[str]:
    """How often each text with that mark is in the record."""
    async with await psycopg.AsyncConnection.connect(stack.embedded.postgres_dsn) as connection:
        found = await connection.execute(
            "select content from messages where direction = 'inbound' and content like %s", [f"{mark}%"]
        )
        return Counter([row[0] for row in await found.fetchall()])


async def all_stored(stack: LiveStack, mark: str, count: int) -> None:
    """Wait until so many texts are there, each once."""
    seen: Counter[str] = Counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(60):
            while len(seen := await stored(stack, mark)) < count:
                await asyncio.sleep(0.2)
    assert len(seen) == count and set(seen.values()) == {1}, seen
    assert (await stack.api.get("/readyz")).json()["spool"]["rejected"] == 0


@asynccontextmanager
async def frozen(stack: LiveStack) -> AsyncIterator[None]:
    """PostgreSQL with all its children: connections are there, and nobody answers."""
    parent = psutil.Process(stack.embedded.process("postgres").pid)
    pids = [parent.pid, *(child.pid for child in parent.children(recursive=True))]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def test_what_guests_write_while_postgres_stands_still_is_answered_in_time_and_kept(stack: LiveStack) -> None:
    mark = uuid4().hex
    async with frozen(stack):
        answers = await asyncio.gather(
            *(text(stack, f"{mark} {number}", f"+1305557{2000 + number}") for number in range(12))
        )
        assert [answer["status"] for answer in answers] == [200] * 12
        assert max(answer["tries"] for answer in answers) <= 2 and not any(one["fallback_tries"] for one in answers)
        assert not any(answer["body"].count("Message") for answer in answers)
    await all_stored(stack, mark, 12)


async def test_what_guests_write_while_postgres_is_killed_is_kept(stack: LiveStack) -> None:
    mark, number, answers = uuid4().hex, 0, []
    victims = stack.kill("postgres")
    back = asyncio.create_task(stack.back(victims))
    while not back.done() or number < 10:
        answers.append(await text(stack, f"{mark} {number}", f"+1305557{3000 + number}"))
        number += 1
    await back
    assert [answer["status"] for answer in answers] == [200] * number
    await all_stored(stack, mark, number)


async def test_a_stop_that_was_said_while_postgres_was_away_binds(stack: LiveStack) -> None:
    guest = "+13055574001"
    async with frozen(stack):
        assert (await text(stack, "STOP", guest))["status"] == 200
    async with asyncio.timeout(60):
        while (await stack.api.get("/readyz")).json()["spool"]["waiting"]:
            await asyncio.sleep(0.2)
    sent = await stack.send(to=guest)
    shown = await stack.until(sent)
    assert shown["status"] == "failed", shown
    assert not await stack.copies(sent)
