"""The outermost layer: request ids, the path's dialect, trimmed headers, HEAD for every GET, body limits, admission,
the access log, and an answer when everything else fails.

Pure ASGI: one function call per request and per message.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import security_headers
from api.admission import Admission, Overloaded, Slot
from api.dialects.dialect import Dialect, dialect_of
from api.errors import answer
from api.headers import trimmed
from api.problems import Broken, Busy, TooLarge, Unavailable
from api.route_paths import below, path_of
from bellhop.domain.ids import Prefix, render
from bellhop.providers import PACKAGES
from bellhop.store.database import unavailable

log = structlog.get_logger()

BODY_LIMIT = 1024 * 1024
RECEIPTS = "/v1/receipts/"
CALLBACK_LIMITS = {
    (package.name, each.path): each.most_bytes for package in PACKAGES for each in package.callback_paths
}
"""How large a provider's requests are, by provider and path. Anybody may post there."""
CALLBACK_PATIENCE = 4.0
"""Seconds a callback waits for its turn. With the time it then waits for the database (SPOOL_AFTER) it is answered
before its provider gives up: SendGrid after ten seconds, Twilio after fifteen, several tries together."""
STRANGERS_BODY_LIMIT = 64 * 1024
"""Where no provider calls."""


DISCARDED = 16 * 1024 * 1024
DISCARD_SECONDS = 2.0


ADMITTED = "/v1/"
"""The native API's calls, which take a slot as those of dialects do. Health, documentation and the like are served
whatever the load."""
GONE = 499
"""Logged of a caller who went away before the whole request had come."""


class CallerGone(Exception):
    """The caller went away."""


class BodyTooLarge(Exception):
    """More bytes arrived than this path takes."""


class RequestMiddleware:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, dialects: Sequence[Dialect] = (), base: str = "", https: bool = False) -> None:
        """`base`: the path of the API's public address, where a proxy may leave it in front of ours."""
        self._app = app
        self._base = base
        self._dialects = dialects
        self._https = https
        self._admission = Admission()
        # What providers and guests say does not wait behind callers who wait for the database.
        self._callbacks = Admission(patience=CALLBACK_PATIENCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, method = render(Prefix.REQUEST, uuid4()), scope["method"]
        scope, send = self._as_read(scope, send)
        scope["bellhop.request_id"] = request_id
        path = path_of(scope)
        dialect = scope["bellhop.dialect"] = dialect_of(path, self._dialects)
        started = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                there = [*message["headers"], (b"x-request-id", request_id.encode())]
                message["headers"] = there + security_headers.added(path, there, https=self._https)
            await send(message)

        limit = _body_limit(path)
        slot: Slot | None = None
        try:
            if _announced(scope) > limit:
                raise BodyTooLarge
            # Before it takes a slot: a slow sender keeps nobody waiting.
            body = await _whole(receive, limit)
            if dialect is not None or path.startswith(ADMITTED):
                admission = self._callbacks if path.startswith(RECEIPTS) else self._admission
                slot = scope["bellhop.slot"] = await admission.enter()
            await self._app(scope, _again(body, receive), send_marked)
        except CallerGone:
            status = GONE
        except Overloaded:
            await answer(scope, Busy())(scope, receive, send_marked)
        except BodyTooLarge:
            await _discard(scope, receive)
            problem = TooLarge(f"The request body is larger than {limit} bytes.", headers={"Connection": "close"})
            await answer(scope, problem)(scope, receive, send_marked)
        except Exception as error:
            if status:
                raise
            if not unavailable(error):
                _report(error, request_id)
            await answer(scope, Unavailable() if unavailable(error) else Broken())(scope, receive, send_marked)
        finally:
            if slot is not None:
                slot.release()
            route: Any = scope.get("route")
            log.info(
                "request",
                request=request_id,
                method=method,
                # The pattern, not the path and never the query: they may hold a guest's data.
                route=getattr(route, "path", None),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                key=scope.get("bellhop.key"),
            )

    def _as_read(self, scope: Scope, send: Send) -> tuple[Scope, Send]:
        """The request as everything behind this reads it."""
        read = {**scope, "headers": trimmed(scope["headers"]), "root_path": below(scope, self._base)}
        if scope["method"] != "HEAD":
            return read, send
        # Answered as GET is, without the body: so is every GET there is or will be.
        return {**read, "method": "GET"}, _without_body(send)


def _body_limit(path: str) -> int:
    if not path.startswith(RECEIPTS):
        return BODY_LIMIT
    provider, _, rest = path.removeprefix(RECEIPTS).partition("/")
    return CALLBACK_LIMITS.get((provider, rest.rpartition("/")[2]), STRANGERS_BODY_LIMIT)


async def _whole(receive: Receive, limit: int) -> bytes:
    """The body. Raises BodyTooLarge or CallerGone."""
    parts: list[bytes] = []
    taken = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        part = message.get("body", b"")
        parts.append(part)
        taken += len(part)
        if taken > limit:
            raise BodyTooLarge
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` from the beginning, with the body in one piece."""
    sent = False

    async def received() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received


def _without_body(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] in ("http.response.body", "http.response.pathsend"):
            message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return sent


async def _discard(scope: Scope, receive: Receive) -> None:
    """Let a client finish what it is sending, within reason: if its connection is closed first it reads no answer."""
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
