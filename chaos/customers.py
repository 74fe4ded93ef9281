"""The customers' endpoints, in this very process: one accepts, one fails for a while, others for good."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiohttp import web

from bellhop.domain import signing
from chaos.accounts import ReceivedEvent
from chaos.pictures import KIND, picture

RELIABLE = ("good", "flaky")
"""They get every event, and accept it in the end."""
NAMES: dict[str, str] = {
    "good": "*",
    "flaky": "*",
    "slow": "message.failed,message.cancelled",
    "gone": "message.read",
    "moved": "message.cancelled",
    "broken": "message.failed",
}
"""Endpoint → the events it wants. The others want little: they are tried again and again."""

SLOW = 1.0
HANGS = 10.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the flaky endpoint answers until a moment of time.monotonic()."""

    kind: str = ""
    until: float = 0.0


class Customers:
    """`async with`: listens on a free port of the loopback address."""

    def __init__(self) -> None:
        self.received: list[ReceivedEvent] = []
        """What was listened to, by any endpoint that answered 2xx or was about to."""
        self.secrets: dict[str, str] = {}
        self.behaviour = Behaviour()
        self.posts = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{name}", self._receive)
        app.router.add_get("/files/{number:\\d+}.png", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def url(self, name: str) -> str:
        """Where an endpoint listens."""
        return f"http://127.0.0.1:{self._port}/{name}"

    def misbehave(self, kind: str, seconds: float) -> None:
        """Make the flaky endpoint misbehave: `fails`, `resets` or `hangs`."""
        self.behaviour = Behaviour(kind, time.monotonic() + seconds)

    def behave(self) -> None:
        """The flaky endpoint answers again."""
        self.behaviour = Behaviour()

    @property
    def files(self) -> str:
        """Where the pictures of messages are, under their numbers."""
        return f"http://127.0.0.1:{self._port}/files"

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=picture(int(request.match_info["number"])), content_type=KIND)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self.posts += 1
        name = request.match_info["name"]
        try:
            body = await request.read()
        except ConnectionResetError:  # whoever posted it was killed
            return web.Response(status=400)
        match name:
            case "gone":
                return web.Response(status=410)
            case "moved":
                return web.Response(status=302, headers={"Location": self.url("elsewhere")})
            case "broken":
                return _reset(request)
            case "slow":
                await asyncio.sleep(SLOW)
            case "flaky" if time.monotonic() < self.behaviour.until:
                match self.behaviour.kind:
                    case "fails":
                        return web.Response(status=500)
                    case "resets":
                        return _reset(request)
                    case _:
                        await asyncio.sleep(HANGS)
                        return web.Response(status=204)
        self._note(name, request, body)
        return web.Response(status=204)

    def _note(self, name: str, request: web.Request, body: bytes) -> None:
        event = json.loads(body)
        genuine = signing.verify(self.secrets.get(name, ""), dict(request.headers), body, now=datetime.now(UTC))
        self.received.append(
            ReceivedEvent(name, event["id"], event["type"], str(event["data"].get("id")), time.time(), genuine)
        )


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
