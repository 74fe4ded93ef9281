"""The POST of a webhook: signed, to public addresses only, without redirects, and what came of it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import aiohttp
import structlog

from bellhop.domain import retry_after
from bellhop.domain.webhook_ports import PendingDelivery, Posted
from bellhop.webhooks import ssrf_guard
from bellhop.webhooks.body import body
from bellhop.webhooks.body import headers as headers_of
from bellhop.webhooks.light_client import LightClient
from bellhop.webhooks.resolver import on_behalf_of, shared
from bellhop.webhooks.settings import WebhookSettings

log = structlog.get_logger()

LONGEST_ANSWER = 65_536
"""Bytes of an answer read so that the connection can be used again; beyond that it is closed. None is kept."""
SLOWEST_ANSWER = 1.0
"""Seconds a body may take once the status is known, for the same reason: an endless one keeps no place for long."""


def make_client(settings: WebhookSettings) -> LightClient:
    """The client deliveries go through: public addresses only, no redirects. `async with`, around the whole process."""
    return LightClient(settings.allow, resolver=shared(settings.nameservers))


class WebhookPoster:
    """Posts deliveries through a client that refuses private addresses. One per process: it keeps connections alive."""

    def __init__(self, settings: WebhookSettings, client: LightClient) -> None:
        self._timeout = settings.timeout
        self._client = client

    async def post(self, delivery: PendingDelivery, at: datetime) -> Posted:
        """See `webhook_ports.Poster`. The answer's body is read for the connection's sake and dropped."""
        try:
            content = body(delivery)
            headers = headers_of(delivery, content, at)
        except Exception as error:  # noqa: BLE001 (a fault of ours holds up this one delivery, not the endpoint)
            log.error("a delivery cannot be rendered", event_id=str(delivery.event_id), error=type(error).__name__)
            return Posted(None, "internal")
        headers |= {"content-type": "application/json", "user-agent": "Bellhop-Webhooks/1"}
        try:
            with on_behalf_of(str(delivery.property_id)):
                async with asyncio.timeout(self._timeout):
                    return await self._call(delivery.url, content, headers, at)
        except Exception as error:  # noqa: BLE001 (whatever a customer's server can cause is an ordinary failure)
            return Posted(None, error_word(error))

    async def _call(self, url: str, content: bytes, headers: dict[str, str], at: datetime) -> Posted:
        began = time.monotonic()
        async with self._client.post(url, content, headers) as answer:
            status = answer.status
            asked = answer.headers.get("retry-after") if status in (429, 503) else None
            # Whatever becomes of the body: the status line said what counts.
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                async with asyncio.timeout(SLOWEST_ANSWER):
                    size = 0
                    async for chunk in answer.content.iter_any():
                        size += len(chunk)
                        if size > LONGEST_ANSWER:
                            break
        if 200 <= status < 300:
            return Posted(status, None)
        now = at.timestamp() + time.monotonic() - began
        return Posted(status, f"http {status}", retry_after.seconds(asked, now))


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (socket.gaierror, "unknown host"),
    (ssl.SSLError, "tls"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "reset"),
    (aiohttp.ClientConnectorError, "unreachable"),
    (aiohttp.ClientOSError, "reset"),
    # It has closed the connection, perhaps in the middle of an answer's head; or that is none.
    (aiohttp.ServerDisconnectedError, "not http"),
    (aiohttp.ClientResponseError, "not http"),
    (aiohttp.InvalidURL, "bad url"),
)


def error_word(error: BaseException) -> str:
    """A short word for what went wrong, never the error's own text: the first of the table that is among its causes."""
    chain = list(_causes(error))
    for one in chain:
        if isinstance(one, ssrf_guard.ForbiddenTarget):
            return "unknown host" if "resolved" in one.reason else "forbidden address"
    for known, word in _WORDS:
        if any(isinstance(one, known) for one in chain):
            return word
    log.warning("a webhook failed in an unknown way", error=type(error).__name__)
    return "failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
