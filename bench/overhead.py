"""What our layers (middleware, admission) add to a request that does nothing, beside the same route of a bare FastAPI
app: `python -m bench.overhead`. No sockets, no database: CPU alone, both in one process, in turns.
"""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import time
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Scope

from api.errors import HANDLERS
from api.middleware import RequestMiddleware
from bellhop.media.settings import MediaSettings
from bellhop.settings import ApiSettings

REQUESTS = 2_000
ROUNDS = 7
ANSWER = {"id": "omsg_01m8d6x1cye6pr9f0tdna4hvqp", "status": "queued"}
BODY = b'{"channel":"sms","recipient":"+13055551234","content":"Your suite is ready."}'
HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", b"bench"),
    (b"authorization", b"Bearer sk_test_0123456789"),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
]


def _app(*, ours: bool) -> ASGIApp:
    app = FastAPI(exception_handlers=HANDLERS if ours else None)

    @app.post("/v1/messaging/send")
    async def send(request: Request) -> JSONResponse:
        if ours:
            await request.scope["bellhop.slot"].take()
        await request.body()
        return JSONResponse(ANSWER, 201)

    if ours:
        app.add_middleware(
            RequestMiddleware, limits=ApiSettings(_env_file=None), media=MediaSettings(_env_file=None), https=True
        )
    return app


async def _asked(app: ASGIApp) -> None:
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/messaging/send",
        "raw_path": b"/v1/messaging/send",
        "query_string": b"",
        "root_path": "",
        "headers": HEADERS,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    assert said[0]["status"] == 201, said


async def _round(app: ASGIApp) -> float:
    """CPU of one request, microseconds."""
    begun = time.process_time()
    for _ in range(REQUESTS):
        await _asked(app)
    return (time.process_time() - begun) / REQUESTS * 1e6


async def _measure() -> dict[str, list[float]]:
    apps: dict[str, Any] = {"bare": _app(ours=False), "ours": _app(ours=True)}
    for app in apps.values():
        await _asked(app)
    found: dict[str, list[float]] = {name: [] for name in apps}
    for turn in range(ROUNDS):
        for name in sorted(apps, reverse=bool(turn % 2)):
            found[name].append(await _round(apps[name]))
    return found


def main() -> None:
    """Measure, and print both and their ratio."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        # A line a request, as the API writes it.
        structlog.configure(
            processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(nowhere),
            cache_logger_on_first_use=True,
        )
        found = {name: statistics.median(times) for name, times in asyncio.run(_measure()).items()}
    print(f"bare FastAPI   {found['bare']:7.0f} µs of CPU a request")
    print(f"with our layers{found['ours']:7.0f} µs")
    print(f"added          {found['ours'] - found['bare']:7.0f} µs; ratio {found['ours'] / found['bare']:.2f}")


if __name__ == "__main__":
    main()
