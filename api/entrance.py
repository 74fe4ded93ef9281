"""The outermost layer of the door: request ids, body limits, the access log, and an answer when everything fails.

Pure ASGI: one function call per request and per message.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from contextlib import suppress
from typing import Any
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooLarge, Unavailable, answer, unavailable
from bellhop.ids import Prefix, render

log = structlog.get_logger()

BODY_LIMIT = 1024 * 1024
RECEIPTS_BODY_LIMIT = 8 * 1024 * 1024
"""SendGrid posts events in batches."""


DISCARDED = 16 * 1024 * 1024
DISCARD_SECONDS = 2.0


class BodyTooLarge(Exception):
    """More bytes arrived than this path takes."""


class Entrance:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = render(Prefix.REQUEST, uuid4())
        scope["bellhop.request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        limit = RECEIPTS_BODY_LIMIT if scope["path"].startswith("/v1/receipts/") else BODY_LIMIT
        taken = 0

        async def receive_limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise BodyTooLarge
            return message

        try:
            if _announced(scope) > limit:
                raise BodyTooLarge
            await self._app(scope, receive_limited, send_marked)
        except BodyTooLarge:
            await _discard(scope, receive)
            problem = TooLarge(f"The request body is larger than {limit} bytes.")
            response = answer(request_id, problem.status_code, problem.code, problem.detail, {"Connection": "close"})
            await response(scope, receive, send_marked)
        except Exception as error:
            if status:
                raise
            if unavailable(error):
                down = Unavailable()
                response = answer(request_id, down.status_code, down.code, down.detail, down.headers)
            else:
                _report(error, request_id)
                response = answer(request_id, 500, "internal_error", "Something broke here. It has been logged.")
            await response(scope, receive, send_marked)
        finally:
            route: Any = scope.get("route")
            log.info(
                "request",
                request=request_id,
                method=scope["method"],
                # The pattern, not the path and never the query: they may hold a guest's data.
                route=getattr(route, "path", None),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                key=scope.get("bellhop.key"),
            )


async def _discard(scope: Scope, receive: Receive) -> None:
    """Let a client finish what it is sending, within reason: one that finds the line closed never reads the answer."""
    if any(name == b"expect" for name, _ in scope["headers"]):
        return
    taken = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while taken < DISCARDED:
                message = await receive()
                taken += len(message.get("body", b""))
                if not message.get("more_body"):
                    return


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _report(error: Exception, request_id: str) -> None:
    # No message: an error's text may quote what was sent.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    log.error(
        "request failed",
        request=request_id,
        error=type(error).__name__,
        at=[
            f"{frame.filename.rsplit('/', 2)[-2]}/{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
            for frame in frames
        ],
    )
