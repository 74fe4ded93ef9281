"""The outermost layer: request ids, the path's dialect, trimmed headers, HEAD for every GET, bounded bodies, the access
log, and an answer when everything else fails.

The order of a request: who calls, its body, its turn (all in the route), the work; then it lets go of its turn and its
body, before the first byte of the answer is written: a caller who does not read holds neither.

Pure ASGI: one function call per request and per message.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cors, security_headers
from api.admission import Admission, Slot
from api.buckets import network
from api.dialects.dialect import Dialect, dialect_of
from api.errors import answer
from api.headers import trimmed
from api.large_callbacks import CALLBACK_PATHS
from api.problems import Broken, Unavailable
from api.queries import nul_in
from api.request_bodies import Body, Budget, StreamedBody
from api.route_paths import below, path_of
from bellhop.domain.ids import Prefix, render
from bellhop.media.settings import MediaSettings
from bellhop.providers.package import CallbackPath
from bellhop.settings import ApiSettings
from bellhop.store.database import unavailable

log = structlog.get_logger()

BODY_LIMIT = 1024 * 1024
LARGER = {"/v1/messaging/batch": 4 * BODY_LIMIT}
"""Bytes of a body at such a path."""
RECEIPTS = "/v1/receipts/"
HEAD = "bellhop.head"
"""In the scope of a HEAD, for those who would do much for a body that nobody gets."""
UPLOADS = frozenset({"/v1/assets", "/v1/inbox/files"})
"""Where bodies are files, which are not held in memory."""
CALLBACK_PATIENCE = 4.0
"""Seconds a callback waits for its turn. With the time it then waits for the database (SPOOL_AFTER) it is answered
before its provider gives up: SendGrid after ten seconds, Twilio after fifteen, several tries together."""
STRANGERS_BODY_LIMIT = 64 * 1024
"""Where no provider calls."""


class RequestMiddleware:
    """Wraps the application."""

    def __init__(
        self,
        app: ASGIApp,
        limits: ApiSettings,
        media: MediaSettings,
        dialects: Sequence[Dialect] = (),
        base: str = "",
        https: bool = False,
    ) -> None:
        """`base`: the path of the API's public address, where a proxy may leave it in front of ours."""
        self._app = app
        self._limits = limits
        self._media = media
        self._bodies = Budget(limits.max_bodies)
        # What providers and guests say neither waits behind callers nor is refused for what those hold, and the other
        # way round: a queue, bodies and (Services.callbacks) connections to the database of their own.
        self._callback_bodies = Budget(limits.max_bodies)
        self._base = base
        self._dialects = dialects
        self._https = https
        self._admission = Admission()
        self._callbacks = Admission(patience=CALLBACK_PATIENCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, method = render(Prefix.REQUEST, uuid4()), scope["method"]
        scope, send = self._as_read(scope, send)
        scope["bellhop.request_id"] = request_id
        path = path_of(scope)
        scope["bellhop.dialect"] = dialect_of(path, self._dialects)
        started = time.perf_counter()
        status = 0

        slot = scope["bellhop.slot"] = Slot(self._callbacks if path.startswith(RECEIPTS) else self._admission)
        body = self._body(scope, receive, path)

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                # Done but for the writing, which takes as long as the caller likes.
                slot.release()
                body.release()
                status = message["status"]
                there = [*message["headers"], (b"x-request-id", request_id.encode()), *cors.added(scope, path)]
                if body.will_not_come:
                    there.append((b"connection", b"close"))
                message["headers"] = there + security_headers.added(path, there, https=self._https)
            await send(message)

        try:
            if body.announced > body.limit:
                await answer(scope, await body.refuse())(scope, receive, send_marked)
            elif (odd := nul_in(scope["query_string"])) is not None:
                await answer(scope, odd)(scope, receive, send_marked)
            elif (asked_beforehand := cors.preflight(scope, path)) is not None:
                await asked_beforehand(scope, receive, send_marked)
            else:
                await self._app(scope, body, send_marked)
        except Exception as error:
            if status:
                raise
            if not unavailable(error):
                _report(error, request_id)
            await answer(scope, Unavailable() if unavailable(error) else Broken())(scope, receive, send_marked)
        finally:
            slot.release()
            body.release()
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
        return {**read, "method": "GET", HEAD: True}, _without_body(send)

    def _body(self, scope: Scope, receive: Receive, path: str) -> Body:
        client = scope.get("client")
        caller = network(client[0]) if client else ""
        if path in UPLOADS and scope["method"] == "POST":
            return StreamedBody(
                scope,
                receive,
                limit=self._media.max_bytes + BODY_LIMIT,
                timeout=self._media.upload_timeout,
                budget=self._bodies,
                caller=caller,
            )
        limit, timeout, kind, budget = LARGER.get(path, BODY_LIMIT), self._limits.body_timeout, Body, self._bodies
        if path.startswith(RECEIPTS):
            budget = self._callback_bodies
            called = _callback_path(path)
            limit = called.most_bytes if called is not None else STRANGERS_BODY_LIMIT
            kind = StreamedBody if called is not None and called.on_disk else Body
        elif (dialect := scope["bellhop.dialect"]) is not None:
            limit = dialect.larger.get(path, limit)
        return kind(scope, receive, limit=limit, timeout=timeout, budget=budget, caller=caller)


def _callback_path(path: str) -> CallbackPath | None:
    provider, _, rest = path.removeprefix(RECEIPTS).partition("/")
    return CALLBACK_PATHS.get((provider, rest.rpartition("/")[2]))


def _without_body(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] in ("http.response.body", "http.response.pathsend"):
            message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return sent


def _report(error: Exception, request_id: str) -> None:
    # No message: an error's text may quote what was sent.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    log.error(
        "request failed",
        request=request_id,
        error=type(error).__name__,
        at=[f"{'/'.join(frame.filename.rsplit('/', 2)[-2:])}:{frame.lineno}" for frame in frames],
    )
