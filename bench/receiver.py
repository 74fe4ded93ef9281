"""The customer's server of the bench: takes webhooks in this very process, as cheaply as can be, and counts them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web


class Receiver:
    """`async with`: listens on a free port of the loopback address."""

    def __init__(self) -> None:
        self.url = ""
        self.by_event: Counter[str] = Counter()
        """Event id → how often it came."""
        self.by_message: dict[str, list[str]] = {}
        """Message id → types, in the order in which they came."""
        self.came_at: dict[tuple[str, str], float] = {}
        """Message id and type → when it came first (time.time())."""
        self._awaited: dict[tuple[str, str], asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/hook", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/hook"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def received(self, message_id: str, event_type: str) -> None:
        """Return once that event of that message has come."""
        if event_type in self.by_message.get(message_id, ()):
            return
        await self._awaited.setdefault((message_id, event_type), asyncio.Event()).wait()

    async def _receive(self, request: web.Request) -> web.Response:
        event: Mapping[str, Any] = json.loads(await request.read())
        message_id = event["data"]["id"]
        self.by_event[event["id"]] += 1
        self.by_message.setdefault(message_id, []).append(event["type"])
        self.came_at.setdefault((message_id, event["type"]), time.time())
        waiting = self._awaited.pop((message_id, event["type"]), None)
        if waiting is not None:
            waiting.set()
        return web.Response(status=204)
