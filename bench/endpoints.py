"""Many endpoints: how late their webhooks are, what each process spends on them, and whether any comes twice."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from datetime import datetime
from types import TracebackType
from typing import Self

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.dev.console import Console
from bellhop.domain.scopes import Scope
from bellhop.store.webhooks import endpoints
from bench import processes
from bench.checks import Wrong
from bench.figures import Spread, spread
from bench.neighbours import Neighbour

AIM = 1.0
"""Seconds: the p99 of what a webhook is late."""
EVENTS = 2
"""Of an SMS: sent, delivered."""
PATIENCE = 90.0
"""Seconds until the last webhook counts as lost."""


class Customers:
    """`async with`: the servers of many customers, a path each on one port of this process."""

    def __init__(self) -> None:
        self.url = ""
        self.late: list[float] = []
        """Seconds from each event to its arrival."""
        self.got: Counter[tuple[str, str]] = Counter()
        """Path and event → how often it came."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{customer}", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        now, event = time.time(), json.loads(await request.read())
        self.late.append(now - datetime.fromisoformat(event["created_at"]).timestamp())
        self.got[request.path, event["id"]] += 1
        return web.Response(status=204)

    async def received(self, count: int) -> None:
        """Wait for so many. Raises Wrong when they do not come, or one comes twice."""
        end = time.monotonic() + PATIENCE
        while len(self.got) < count:
            if time.monotonic() > end:
                raise Wrong(f"{count - len(self.got)} of {count} webhooks have not come after {PATIENCE:.0f} s")
            await asyncio.sleep(0.2)
        if again := sum(times - 1 for times in self.got.values()):
            raise Wrong(f"{again} webhooks came more than once")


async def one_property(
    engine: AsyncEngine,
    scope: Scope,
    sender: Neighbour,
    count: int,
    seconds: float,
    pids: dict[str, int],
    console: Console,
) -> dict[str, Spread]:
    """One message a second of a property with so many endpoints, each of which gets all of its events."""
    async with Customers() as customers:
        async with engine.begin() as tx:
            urls = [f"{customers.url}/{number}" for number in range(count)]
            made = [await endpoints.create(tx, scope, url, ["*"], None, count) for url in urls]
        with console.step(f"endpoints: a message a second to {count} endpoints, {seconds:.0f} s"):
            # The first wakes them all; what that costs is not what one a second costs.
            await sender.send()
            await customers.received(EVENTS * count)
            first, customers.late = customers.late, []
            pids = {**pids, "bench (driver, receivers)": os.getpid()}
            before = processes.now(pids)
            sent = await sender.keep_sending(seconds, 1.0)
            await customers.received(EVENTS * count * (len(sent) + 1))
            after = processes.now(pids)
        cpu, _ = processes.between(before, after)
        lasted = after.at - before.at
        for name, spent in cpu.items():
            console.say(f"  {name:<30} {100 * spent / lasted:6.1f} % of a core")
        async with engine.begin() as tx:
            for each in made:
                assert each is not None
                await endpoints.change(tx, scope, each.id, {"is_active": False})
    return {
        f"endpoints: webhooks to {count} at rest": spread(first),
        f"endpoints: webhooks to {count}, each second": spread(customers.late),
    }
