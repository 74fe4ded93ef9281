"""Two workers do all the work, one ten minutes fast, one ten minutes slow: what they do is on time by the database's
clock, settled as ever, and signed with the right time. (One process with a right clock: test_i9_one_clock.)"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.settings import Settings
from tests.integration.webhooks_kit import Receiver, serving

from .parts import PartsStack, parts_stack

WRONG = 600.0
SHIFTED = str(Path(__file__).with_name("shifted_worker.py"))


@pytest.fixture
async def customer() -> AsyncIterator[Receiver]:
    """A customer's server."""
    async with serving() as one:
        yield one


async def test_workers_whose_clocks_are_ten_minutes_off(
    settings: Settings, engine: AsyncEngine, temporal: Client, customer: Receiver
) -> None:
    """Seen to fail when a worker stamps signatures with its own time, and when it judges by it what is due."""
    async with parts_stack(settings, engine, temporal) as here:
        fast, slow, _ = await asyncio.gather(
            here.parts.worker(SHIFTED, str(WRONG)),
            here.parts.worker(SHIFTED, str(-WRONG)),
            here.parts.api(str(here.engine.http.base_url).rstrip("/")),
        )
        stack = here.engine
        made = await stack.http.post("/v1/webhooks", json={"url": customer.url})
        assert made.status_code == 201, made.text
        # Settled by asking within a time window; tried again at a moment the provider names.
        await stack.fault("accept_then_hang", to="+13055560000")
        await stack.fault("callback_drop", to="+13055560000")
        await stack.fault("rate_limit", to="+13055560001", retry_after=1)
        unknown, *sent = [await here.send(number) for number in range(12)]
        (row,) = await stack.rows("select now() as now")
        due: dict[str, datetime] = {}
        for number in range(12, 24):
            at = row["now"] + timedelta(seconds=3 + number % 3)
            sent.append(await here.send(number, scheduled_at=at.isoformat()))
            due[sent[-1]["id"]] = at
        for message in sent:
            await stack.until(message["id"], "delivered", seconds=60)
        await stack.until(unknown["id"], "sent", seconds=60)
        await _on_time(here, [unknown, *sent], due)
        for worker in (fast, slow):
            assert b"provider called" in worker.program.log.read_bytes(), "the other one did all the work"
        calls = await customer.got(2 * len(sent) + 1, within=30)
        now = time.time()
        for call in calls:
            assert abs(int(call.headers["webhook-timestamp"]) - now) < 60
            assert abs(_stamp(call.headers["escapelife-signature"]) - now) < 60


async def _on_time(here: PartsStack, sent: list[dict[str, Any]], due: dict[str, datetime]) -> None:
    copies: dict[str, list[datetime]] = {}
    for copy in await here.engine.accepted():
        copies.setdefault(copy["to"], []).append(datetime.fromisoformat(copy["accepted_at"]))
    for message in sent:
        (at,) = copies[message["recipient"]]
        if message["id"] in due:
            # Never early, and not ten minutes late.
            assert 0 <= (at - due[message["id"]]).total_seconds() < 20
    (row,) = await here.engine.rows(
        "select count(*) as many from attempts"
        " where lease_until not between created_at and created_at + interval '1 minute'"
    )
    assert row["many"] == 0


def _stamp(signature: str) -> int:
    """`t=<unix>,v1=…`"""
    return int(signature.partition(",")[0].removeprefix("t="))
