"""HTTP/2 in front of the sandbox's application, for providers that speak nothing else: to who begins with its preface.
A stream is a request; what resets, hangs or closes a connection does so to all of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

PREFACE = b"PRI * HTTP/2.0"


@dataclass(slots=True)
class _Stream:
    headers: list[tuple[str, str]]
    body: bytearray = field(default_factory=bytearray)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    asked: bool = False


class Http2:
    """One connection. `scope`: what all of its requests have in common."""

    def __init__(self, app: Any, transport: asyncio.Transport, scope: dict[str, Any]) -> None:
        self._app, self._transport, self._scope = app, transport, scope
        self._framing = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._framing.initiate_connection()
        self._streams: dict[int, _Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._write()

    def received(self, data: bytes) -> None:
        try:
            events = self._framing.receive_data(data)
        except ProtocolError:
            self._write()
            self._transport.close()
            return
        for event in events:
            match event:
                case RequestReceived():
                    self._streams[event.stream_id or 0] = _Stream([(str(n), str(v)) for n, v in event.headers or ()])
                case DataReceived():
                    self._streams[event.stream_id or 0].body += event.data or b""
                    self._framing.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                case StreamEnded():
                    task = asyncio.ensure_future(self._serve(event.stream_id or 0))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                case StreamReset() if event.stream_id in self._streams:
                    self._streams.pop(event.stream_id).gone.set()
                case ConnectionTerminated():
                    self._transport.close()
                case _:
                    pass
        self._write()

    def lost(self) -> None:
        for stream in self._streams.values():
            stream.gone.set()

    def _write(self) -> None:
        if data := self._framing.data_to_send():
            self._transport.write(data)

    async def _serve(self, stream_id: int) -> None:
        stream = self._streams[stream_id]
        named = dict(stream.headers)
        path, _, query = named[":path"].partition("?")
        own = [(name, value) for name, value in stream.headers if not name.startswith(":")]
        scope = {
            **self._scope,
            "type": "http",
            "http_version": "2",
            "method": named[":method"],
            "scheme": named.get(":scheme", "http"),
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (name.lower().encode(), value.encode("latin-1", "replace"))
                for name, value in [("host", named.get(":authority", "")), *own]
            ],
        }

        async def receive() -> dict[str, Any]:
            if not stream.asked:
                stream.asked = True
                return {"type": "http.request", "body": bytes(stream.body), "more_body": False}
            await stream.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if stream.gone.is_set():
                return
            if message["type"] == "http.response.start":
                pairs = [(name.decode(), value.decode("latin-1")) for name, value in message["headers"]]
                self._framing.send_headers(stream_id, [(":status", str(message["status"])), *pairs])
            elif message["type"] == "http.response.body":
                last = not message.get("more_body", False)
                self._framing.send_data(stream_id, message.get("body", b""), end_stream=last)
                if last:
                    self._streams.pop(stream_id, None)
            self._write()

        await self._app(scope, receive, send)
