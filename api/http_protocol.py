"""uvicorn's HTTP protocol, which costs no more than the settings allow whoever is at the other end.

uvicorn itself waits for ever for a head, a body and a reader, keeps heads of any size, parses as many requests as come
in one piece, and begins the next request of a connection whose last answer nobody reads. See
docs/decisions/0017-served-by-uvicorn-with-limits.md.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from api import security_headers
from api.connections import STATE, Connections
from api.errors import native
from api.problems import BadRequest, Busy, HeadTooLarge, Problem, TooLate, UrlTooLong
from bellhop.domain.ids import Prefix, render

LINGER = 2.0
"""Seconds what still comes is read and dropped once the answer is written: a connection closed on unread bytes is
reset, and the answer lost with it."""
SLOWEST_READER = 128 * 1024
"""Bytes a second: how much longer a large answer may take to be read."""
FRAMING = 64 * 1024
"""Bytes of a message's trailers and chunk lines, beyond those of very small chunks."""


class _Refused(Exception):
    """The request is not read any further."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection. Its deadlines are looked at twice a second by `Connections`, so that none costs a timer."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state[STATE]
        self._limits = self._all.limits
        self._problem: Problem | None = None
        """Why nothing more of this connection is read."""
        self._in_head = False
        self._in_body = False
        self._heading_since = 0.0
        """Since when the next request's head is waited for: from its first byte, or from the connection's begin."""
        self._began = False
        """Whether anything of that head has come."""
        self._resting_since: float | None = None
        """Since when the last answer is written; None: one is still to come, or none was asked for."""
        self._read_by: float | None = None
        """When the other end has to have read what is written; None: it has."""
        self.unread = 0
        """Bytes it has not taken yet, at the last look."""
        self._closing_since: float | None = None
        self._fed = 0
        self._head_size = 0
        self._body_size = 0
        self._held_back = False
        """A request whose turn it is waits until the answers before it are read."""

    # --- the connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heading_since = self.loop.time()
        host = self.client[0] if self.client else ""
        if self._all.enter(self, host, self.config.forwarded_allow_ips):
            return
        if self._all.turn_away(self):
            self._close_with(Busy("There are too many connections just now; try again."))
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        super().connection_lost(exc)
        self.pipeline.clear()

    def shutdown(self) -> None:
        self._all.stop()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self._problem is not None:
            return
        self._unset_keepalive_if_required()
        self._feed(data)
        if self._problem is None and (self._in_head or self._in_body):
            self._fed += len(data)
            if self._in_head:
                if self._fed > self._limits.max_url + self._limits.max_head:
                    self._refuse(HeadTooLarge())
            elif self._fed > FRAMING + self._limits.max_head + 8 * self._body_size:
                self._refuse(BadRequest("The body consists of little but framing."))

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # Nothing else is spoken here: the request was answered as any other, and so is what follows.
                data = data[upgrade.args[0] :]
                if data:
                    continue
            except httptools.HttpParserError:
                self._refuse(self._problem or BadRequest())
            return

    def _should_upgrade(self) -> bool:
        return False

    # --- what the parser finds ---

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._began = True, True
        self._heading_since = self.loop.time()
        self._fed = self._head_size = self._body_size = 0

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self._limits.max_url:
            self._stop(UrlTooLong())

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + 4
        if self._head_size > self._limits.max_head or len(self.headers) >= self._limits.max_headers:
            self._stop(HeadTooLarge())
        if self._in_body:
            return  # a trailer: nobody here asks for one, and whoever guards heads does not look at them
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= self._limits.max_pipelined:
            self._stop(Busy("Too many requests wait on this connection for the one before them."))
        self._in_head, self._began, self._in_body = False, False, True
        self._fed = 0
        self._resting_since = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def _stop(self, problem: Problem) -> None:
        self._problem = problem
        raise _Refused

    # --- one answer after the other ---

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self.flow.write_paused:
            self._held_back = True
            self.flow.pause_reading()
            self.pipeline.append((cycle, app))
        else:
            super()._start_asgi_task(cycle, app)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._held_back:
            self._held_back = False
            self._start_asgi_task(*self.pipeline.pop())

    def on_response_complete(self) -> None:
        another = bool(self.pipeline)
        self._resting_since = None if another else self.loop.time()
        super().on_response_complete()
        if not another and self._problem is not None:
            self._close_with(self._problem)

    # --- what comes to an end ---

    def look(self, now: float) -> None:
        limits = self._limits
        if self._closing_since is not None and now - self._closing_since > LINGER:
            self.transport.abort()
            return
        self.unread = self.transport.get_write_buffer_size()
        streaming = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not self.unread or (streaming and not self.flow.write_paused):
            # A stream may last for ever, as long as it is read.
            self._read_by = None
        elif self._read_by is None:
            self._read_by = now + limits.answer_timeout + self.unread / SLOWEST_READER
        elif now > self._read_by:
            self.transport.abort()
            return
        if self._problem is not None or self.transport.is_closing():
            return
        if self.flow.read_paused:
            self._heading_since = now  # it is we who do not read
        elif (self._in_head or self.cycle is None) and now - self._heading_since > limits.head_timeout:
            if self._began:
                self._refuse(TooLate("The request's head took too long."))
            else:
                self.transport.close()
        elif self._resting_since is not None and not self._in_head:
            rest = LINGER if self._in_body else limits.keep_alive
            if now - self._resting_since > rest:
                self.transport.close()

    def cut_off(self) -> None:
        """End it at once: what it holds is needed elsewhere."""
        self.transport.abort()

    def _refuse(self, problem: Problem) -> None:
        """Read nothing more; answer so once what was asked before is answered."""
        self._problem = problem
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._close_with(problem)
            return
        self.flow.pause_reading()
        if not self._in_body:
            return
        # It is the latest request that does not become whole.
        if self.pipeline:
            self.pipeline.popleft()
        elif cycle.response_started:
            self.transport.abort()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._close_with(problem)

    def _close_with(self, problem: Problem) -> None:
        if self._closing_since is not None or self.transport.is_closing():
            return
        self._problem = problem
        self._closing_since = self.loop.time()
        self.flow.resume_reading()
        answer = native(problem, render(Prefix.REQUEST, uuid4()))
        headers = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
        headers += security_headers.added("/", headers, https=False)
        lines = [STATUS_LINE[answer.status_code], *(b"%b: %b\r\n" % header for header in headers), b"\r\n"]
        self.transport.write(b"".join(lines) + bytes(answer.body))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()
