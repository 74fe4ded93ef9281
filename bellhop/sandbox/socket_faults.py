"""What ordinary servers hide: resetting a connection, never answering, refusing connections altogether."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bellhop.sandbox.http2 import PREFACE, Http2
from bellhop.sandbox.tls import HANDSHAKE, Certificates, Tls

_TRANSPORT = "sandbox.transport"
CONNECTION = "sandbox.connection"
"""In the scope of a request over HTTP/2: what is remembered of its connection."""


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also shows a request the connection it came by, and speaks HTTP/2 to who begins in
    it, by itself or over TLS."""

    _begun = False
    _http2: Http2 | None = None
    _tls: Tls | None = None

    def __init__(self, *args: Any, certificates: Certificates, **options: Any) -> None:
        super().__init__(*args, **options)
        self._certificates = certificates

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            self._begun = True
            if data.startswith(HANDSHAKE):
                address = self.transport.get_extra_info("sockname")[0]
                self._tls = Tls(self._certificates.context(address), self.transport)
            elif data.startswith(PREFACE):
                self._http2 = self._speaking(self.transport)
        if self._tls is not None:
            data = self._tls.received(data)
            if self._tls.ready and self._http2 is None:
                self._http2 = self._speaking(self._tls)
            if not data:
                return
        if self._http2 is not None:
            self._http2.received(data)
        else:
            super().data_received(data)

    def _speaking(self, transport: asyncio.Transport) -> Http2:
        """HTTP/2 over this; what breaks a connection breaks the one below."""
        common = {
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "client": self.client,
            "server": self.server,
            "state": self.app_state.copy(),
            _TRANSPORT: self.transport,
            CONNECTION: {},
        }
        return Http2(self.app, transport, common)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._http2 is not None:
            self._http2.lost()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)[_TRANSPORT] = self.transport


async def reset(request: Request) -> None:
    """Reset the TCP connection: an RST is sent, whatever was to be answered is lost."""
    abort(request.scope[_TRANSPORT])
    await until_gone(request)


def abort(transport: asyncio.Transport) -> None:
    """Close with a lingering time of zero, which makes the kernel send RST instead of FIN."""
    visible = transport.get_extra_info("socket")
    if visible is not None and visible.fileno() >= 0:
        with socket.socket(fileno=os.dup(visible.fileno())) as duplicate:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def until_gone(request: Request) -> None:
    """Return once the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Server(uvicorn.Server):
    """uvicorn's server, which can close its port for a while. It binds the port itself, so that it can do so again."""

    def __init__(self, config: uvicorn.Config, certificates: Certificates) -> None:
        # uvicorn calls what makes a connection's protocol; that it has to be a class is not so.
        config.http = cast(type[asyncio.Protocol], partial(Protocol, certificates=certificates))
        super().__init__(config)
        self._certificates = certificates
        self._reopening: asyncio.Task[None] | None = None
        self._bound = self._bind(config.host, config.port)
        self.host, self.port = self._bound.getsockname()[:2]

    def _bind(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        return bound

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await super().serve([self._bound])

    def _protocol(self) -> asyncio.Protocol:
        return Protocol(self.config, self.server_state, self.lifespan.state, certificates=self._certificates)

    async def refuse(self, seconds: float, spare: Request) -> None:
        """Close the port for `seconds` and reset open connections, but for the one that asked for it."""
        if self._reopening is not None and not self._reopening.done():
            self._reopening.cancel()
        for server in self.servers:
            server.close()
        self._bound.close()
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport is not spare.scope[_TRANSPORT]:
                abort(transport)
        self._reopening = asyncio.create_task(self._reopen(seconds))

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._bound = self._bind(self.host, self.port)
        loop = asyncio.get_running_loop()
        self.servers = [await loop.create_server(self._protocol, sock=self._bound, backlog=self.config.backlog)]
