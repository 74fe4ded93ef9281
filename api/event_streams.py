"""Server-sent events: a live stream as an answer that does not end until its client goes, or its session is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bellhop.engine.live import LiveStream

HEADERS = {
    "Cache-Control": "no-store",
    # nginx would keep events back until there are enough of them.
    "X-Accel-Buffering": "no",
}
COME_AGAIN = b"retry: 3000\n\n"
"""Milliseconds after which a client that was cut off comes again."""
FURTHEST = 2**63 - 1


class EventStream(Response):
    """The answer. `close`: called once, when it is over."""

    media_type = "text/event-stream"

    def __init__(self, stream: LiveStream, close: Callable[[LiveStream], None]) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._stream = stream
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._stream
        leaving = asyncio.create_task(_until_gone(receive, stream))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if not scope.get("bellhop.head"):
                await send({"type": "http.response.body", "body": COME_AGAIN, "more_body": True})
                while (written := await stream.next()) is not None:
                    await send({"type": "http.response.body", "body": written, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            leaving.cancel()
            self._close(stream)


async def _until_gone(receive: Receive, stream: LiveStream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


def position(last_event_id: str | None) -> int:
    """Where a client has got to: the id of the last event it has seen. 0 for none, and for what is no id of ours."""
    if last_event_id is None or not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 19:
        return 0
    return min(int(last_event_id), FURTHEST)
