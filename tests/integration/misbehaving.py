"""Customers' servers as they should not be: one port, a misbehaviour per path."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"


@dataclass
class MisbehavingServers:
    """`slow`: seconds until the slow one answers. Knows who called, and how much an endless answer could send."""

    slow: float
    url: str = ""
    elsewhere: str = ""
    """Where the redirect leads."""
    calls: list[str] = field(default_factory=list)
    most_sent: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ")[1]
                length = next(line for line in head.splitlines() if line.lower().startswith("content-length"))
                await reader.readexactly(int(length.partition(":")[2]))
                self.calls.append(path)
                await self.WAYS[path](self, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()

    async def _late(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.slow)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def _never(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        sent = 0
        while True:
            writer.write(CHUNK)
            sent += len(CHUNK)
            self.most_sent = max(self.most_sent, sent)
            await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        while True:
            writer.write(b"1\r\n.\r\n")
            await writer.drain()
            await asyncio.sleep(0.2)

    async def _headers(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"y" * 4096 + b"\r\n")
            await writer.drain()

    async def _reset(self, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _garbage(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\x00\xff\xfe\r\n\r\n")
        writer.close()

    async def _half(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 2")
        writer.close()

    async def _redirect(self, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {self.elsewhere}\r\nContent-Length: 0\r\n\r\n".encode())

    async def _gone(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")

    WAYS: dict[str, Callable[[MisbehavingServers, asyncio.StreamWriter], Awaitable[None]]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        self.WAYS = {
            f"/{name}": getattr(MisbehavingServers, f"_{name}")
            for name in ("late", "never", "endless", "drip", "headers", "reset", "garbage", "half", "redirect", "gone")
        }


@asynccontextmanager
async def misbehaving_servers(slow: float, elsewhere: str) -> AsyncIterator[MisbehavingServers]:
    """Listen."""
    made = MisbehavingServers(slow, elsewhere=elsewhere)
    handling: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handling.add(task)
        try:
            await made.handle(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            handling.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        for task in list(handling):
            task.cancel()
        await asyncio.gather(*handling, return_exceptions=True)
