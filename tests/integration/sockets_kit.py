"""The API as whoever has a socket sees it: the real server, and clients that send and read what they like."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connections import STATE, Connections
from api.middleware import RequestMiddleware
from api.request_bodies import Budget
from api.server import options
from bellhop.settings import Settings

from .engine import free_port

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Served:
    """A running API."""

    app: FastAPI
    port: int
    connections: Connections

    def bodies(self) -> Budget:
        """What the bodies of callbacks hold in this process."""
        layer: Any = self.app.middleware_stack
        while not isinstance(layer, RequestMiddleware):
            layer = layer.app
        return layer._callback_bodies

    async def open(self, sent: bytes = b"", source: str = "127.0.0.1") -> Client:
        """A connection from an address of this machine, with something sent."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0), limit=1024 * 1024
        )
        writer.write(sent)
        await writer.drain()
        return Client(reader, writer)

    async def deaf(self, sent: bytes) -> socket.socket:
        """A connection that sends something and never reads; the kernel keeps little for it."""
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, ("127.0.0.1", self.port))
        await loop.sock_sendall(deaf, sent)
        return deaf

    async def ask(self, sent: bytes = GET, source: str = "127.0.0.1") -> tuple[int, dict[str, Any]]:
        """The status and JSON of the answer to one request."""
        client = await self.open(sent, source)
        try:
            return await client.answer()
        finally:
            client.writer.close()


@dataclass
class Client:
    """The other end."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> tuple[int, dict[str, Any]]:
        """The next answer."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length:")[2].split()[0])
            body = await self.reader.readexactly(length)
        content = json.loads(body) if "application/json" in head else {}
        if "status_code" in content:
            assert content["status_code"] == int(head.split()[1])
            assert content["request_id"].startswith("req_")
            assert "x-content-type-options: nosniff" in head.lower()
        return int(head.split()[1]), content

    async def ended(self, seconds: float = 10) -> bool:
        """Whether the other end closes the connection, whatever it says before."""
        try:
            async with asyncio.timeout(seconds):
                with suppress(ConnectionError):
                    while await self.reader.read(65_536):
                        pass
        except TimeoutError:
            return False
        return True

    async def drip(self, byte: bytes, every: float = 0.05) -> None:
        """Send for ever, slowly."""
        with suppress(ConnectionError):
            while True:
                self.writer.write(byte)
                await self.writer.drain()
                await asyncio.sleep(every)


@asynccontextmanager
async def serving(
    settings: Settings, prepare: Callable[[FastAPI], None] = lambda _: None, **limits: Any
) -> AsyncIterator[Served]:
    quick = {"head_timeout": 0.5, "body_timeout": 0.5, "answer_timeout": 0.5, "keep_alive": 1}
    api = settings.api.model_copy(update={**quick, **limits})
    away = settings.temporal.model_copy(update={"address": "127.0.0.1:1"})
    app = create_app(settings.model_copy(update={"api": api, "temporal": away}))
    prepare(app)
    port = free_port()
    more = {"log_level": "error", "timeout_graceful_shutdown": 1, **options(api)}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, **more))
    task = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not task.done()
    try:
        yield Served(app, port, server.lifespan.state[STATE])
    finally:
        server.should_exit = True
        await task


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)
