"""HTTP/2 for a provider that speaks nothing else: the same lease, limits and knowledge of what left as in `lease_http`.

A connection carries one request at a time, of one key: what is on it belongs to one call, so what is known of the
connection is known of that call. Requests of several threads have a connection each.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes

from bellhop.providers import lease, lease_http
from bellhop.providers.lease_http import LONGEST_ANSWER, Answer, Call

CHATTY = ("hpack.hpack", "hpack.table")
"""They log every header, addresses and credentials among them, on whichever side: not a word of it is wanted."""
MOST_IDLE = 32
"""Connections kept of one key."""

for _name in CHATTY:
    logging.getLogger(_name).addFilter(lambda _: False)


class NotProcessed(ConnectionError):
    """The server said that it did nothing with the request (RFC 9113, 6.8 and 8.7). `said`: its words, if any."""

    def __init__(self, said: bytes = b"") -> None:
        super().__init__("not processed")
        self.said = said


class _Key(NamedTuple):
    """Whose requests a connection carries."""

    scheme: str
    host: str
    port: int
    key: str
    ca: str | None


class _Framing(H2Connection):
    """h2's connection, on which an answer that is under way may still come after a GOAWAY."""

    def _receive_goaway_frame(self, frame: Any) -> tuple[list[Any], list[Event]]:
        event = ConnectionTerminated()
        event.last_stream_id, event.additional_data = frame.last_stream_id, frame.additional_data or b""
        return [], [event]


class _Peer:
    """One connection. Any exception ends it."""

    def __init__(self, sock: socket.socket, key: _Key) -> None:
        self.key, self.last_used = key, lease.boottime()
        self._sock = sock
        self._framing = _Framing(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._framing.local_settings.update({SettingCodes.ENABLE_PUSH: 0})
        self._framing.initiate_connection()
        self._closing = False
        self._stream = 0
        self._status, self._ended = 0, False
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def close(self) -> None:
        self._sock.close()

    @property
    def reusable(self) -> bool:
        return not self._closing and self._framing.highest_outbound_stream_id < 2**30

    def fresh(self, call: Call, keep: float) -> bool:
        """Whether a further request may go over it: not idle for long, and nothing said to the contrary."""
        if lease.boottime() - self.last_used > keep:
            return False
        wrote = call.wrote
        try:
            while True:
                self._sock.settimeout(0.0)
                try:
                    data = self._sock.recv(65_536)
                except (BlockingIOError, ssl.SSLWantReadError):
                    break
                if not data:
                    return False
                self._take(data)
            self._flush(call)
        except Exception:  # noqa: BLE001  whatever it is, another connection is made
            return False
        finally:
            call.wrote = wrote  # what was answered here is no part of a request
        return self.reusable

    def exchange(self, call: Call, head: list[tuple[str, str]], body: bytes) -> Answer:
        """One request and its answer."""
        self._stream = self._framing.get_next_available_stream_id()
        self._status, self._ended, self._headers, self._body = 0, False, {}, bytearray()
        self._framing.send_headers(self._stream, head, end_stream=not body)
        self._flush(call)
        left = memoryview(body)
        while left and not self._ended:
            room = min(
                self._framing.local_flow_control_window(self._stream), self._framing.max_outbound_frame_size, len(left)
            )
            if room <= 0:
                self._read(call)
                continue
            self._framing.send_data(self._stream, bytes(left[:room]), end_stream=room == len(left))
            left = left[room:]
            self._flush(call)
        while not self._ended:
            self._read(call)
        if left:
            # Answered before all was sent: the stream is half open on our side.
            self._closing = True
        self.last_used = lease.boottime()
        return Answer(self._status, self._headers, bytes(self._body))

    def _flush(self, call: Call) -> None:
        if data := self._framing.data_to_send():
            lease_http.write(call, self._sock, data)

    def _read(self, call: Call) -> None:
        self._sock.settimeout(call.time_left())
        data = self._sock.recv(65_536)
        if not data:
            raise ConnectionError("closed before it answered")
        self._take(data)
        if not self._ended:
            self._flush(call)

    def _take(self, data: bytes) -> None:
        for event in self._framing.receive_data(data):
            match event:
                case ConnectionTerminated():
                    self._closing = True
                    if self._stream > (event.last_stream_id or 0) and not self._ended:
                        raise NotProcessed(event.additional_data or b"")
                case StreamReset() if event.stream_id == self._stream and not self._ended:
                    if event.error_code == ErrorCodes.REFUSED_STREAM:
                        raise NotProcessed
                    raise ConnectionResetError("the stream was reset")
                case ResponseReceived() if event.stream_id == self._stream:
                    self._answered(event)
                case DataReceived() if event.stream_id == self._stream:
                    self._body += event.data or b""
                    if len(self._body) > LONGEST_ANSWER:
                        raise ValueError("an answer longer than any of a provider's")
                    self._framing.acknowledge_received_data(event.flow_controlled_length or 0, self._stream)
                case StreamEnded() if event.stream_id == self._stream:
                    self._ended = True
                case _:
                    pass

    def _answered(self, event: ResponseReceived) -> None:
        pairs = [(str(name).lower(), str(value)) for name, value in event.headers or ()]
        self._headers = {name: value for name, value in pairs if not name.startswith(":")}
        self._status = int(dict(pairs)[":status"])


class Http2:
    """Connections to providers that speak HTTP/2, shared by threads. `keep`: seconds an idle one may be used again.
    Over TLS by ALPN; over plain text because the other side is known to (RFC 9113, 3.3)."""

    def __init__(self, keep: float, tls: ssl.SSLContext | None = None) -> None:
        self._keep = keep
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
        self._lock = threading.Lock()
        self._idle: dict[_Key, list[_Peer]] = {}

    def request(
        self, method: str, url: str, key: str, headers: Mapping[str, str], body: bytes, ca: str | None = None
    ) -> Answer:
        """Make one request, once, inside a Call, on a connection that carries those of `key` alone. Header names in
        lower case. `ca`: the authorities (PEM) that alone are trusted; None: those of `tls`, else the system's. Any
        status is an answer; raises when there is none."""
        call = lease_http.current()
        call.answer = None
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        asked = _Key(parts.scheme, parts.hostname or "", port, key, ca)
        head = [
            (":method", method), (":scheme", parts.scheme), (":authority", parts.netloc), (":path", parts.path or "/"),
            *headers.items(),
            *([("content-length", str(len(body)))] if body else []),
        ]  # fmt: skip
        peer = self._kept(call, asked) or self._connect(call, asked)
        try:
            answer = peer.exchange(call, head, body)
        except BaseException:
            peer.close()
            raise
        self._keep_open(peer)
        call.answer = answer
        return answer

    def _kept(self, call: Call, asked: _Key) -> _Peer | None:
        while True:
            with self._lock:
                idle = self._idle.get(asked)
                peer = idle.pop() if idle else None
            if peer is None or peer.fresh(call, self._keep):
                return peer
            peer.close()

    def _keep_open(self, peer: _Peer) -> None:
        with self._lock:
            idle = self._idle.setdefault(peer.key, [])
            if self._keep and peer.reusable and len(idle) < MOST_IDLE:
                idle.append(peer)
                return
        peer.close()

    def _connect(self, call: Call, asked: _Key) -> _Peer:
        call.lease_left()
        sock = lease_http._connect(call, asked.host, asked.port)
        try:
            if asked.scheme == "https":
                sock.settimeout(call.time_left())
                wrapped = self._context(asked.ca).wrap_socket(sock, server_hostname=asked.host)
                sock = wrapped
                if wrapped.selected_alpn_protocol() != "h2":
                    raise ssl.SSLError("the server speaks no HTTP/2")
            return _Peer(sock, asked)
        except BaseException:
            sock.close()
            raise

    def _context(self, ca: str | None) -> ssl.SSLContext:
        if ca is None:
            return self._tls or _default_tls()
        return _trusting(ca)


@cache
def _default_tls() -> ssl.SSLContext:
    context = lease_http.make_tls()
    context.set_alpn_protocols(["h2"])
    return context


@lru_cache(maxsize=64)
def _trusting(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca)
    context.set_alpn_protocols(["h2"])
    return context
