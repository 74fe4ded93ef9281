"""Module webhooks out: the body as customers see it, the POST itself, and the transactions around what is owed."""

from __future__ import annotations

import asyncio
import email.utils
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop import private_networks, rendering, signing
from bellhop.events import EventType
from bellhop.ids import Prefix, render
from bellhop.ports_webhooks import Owed, Posted, RecordUnavailable, Result, Step
from bellhop.settings import WebhookSettings
from bellhop.statuses import RANK, Stage
from bellhop.store import deliveries

log = structlog.get_logger()

LEASE_OF_DRAINER = 10.0
"""How long one word of a drainer counts, seconds: longer than its heartbeat time-out, so that nobody wakes a workflow
whose activity is about to be tried again anyway."""
CLAIM_MARGIN = 5.0
LONGEST_ANSWER = 65_536
"""Bytes of an answer read so that the connection can be used again; beyond that it is closed. None is kept."""
SLOWEST_ANSWER = 1.0
"""Seconds a body may take once the status is known, for the same reason: an endless one keeps no place for long."""

PREFIX: dict[str, Prefix] = {
    "message": Prefix.MESSAGE,
    "inbound": Prefix.INBOUND,
    "guest": Prefix.GUEST,
    "endpoint": Prefix.ENDPOINT,
    "conversation": Prefix.CONVERSATION,
}


# --- the body -----------------------------------------------------------------------------------------------------


def body(owed: Owed) -> bytes:
    """`{id, type, property_id, created_at, data}` as the exact bytes that are signed and sent."""
    content = {
        "id": render(Prefix.EVENT, owed.event_id),
        "type": owed.type,
        "property_id": render(Prefix.PROPERTY, owed.property_id),
        "created_at": rendering.timestamp(owed.created_at),
        "data": data(owed),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def data(owed: Owed) -> dict[str, Any]:
    """The object an event is about, as it was when the event was told; ids only when it is gone or erased."""
    if owed.row is None or owed.type == EventType.GUEST_DELETED:
        return rendering.erased(PREFIX[owed.subject], {"id": owed.subject_id, "property_id": owed.property_id})
    match owed.subject:
        case "message":
            return _message(owed, owed.row)
        case "inbound":
            return rendering.inbound(owed.row)
        case "guest":
            return rendering.guest(owed.row)
        case "endpoint":
            return {
                "id": render(Prefix.ENDPOINT, owed.subject_id),
                "property_id": render(Prefix.PROPERTY, owed.property_id),
                "url": owed.row["url"],
                "is_active": False,
                "disabled_reason": owed.facts.get("reason"),
                "disabled_at": rendering.timestamp(owed.created_at),
            }
        case _:
            return rendering.erased(PREFIX[owed.subject], {"id": owed.subject_id, "property_id": owed.property_id})


def _message(owed: Owed, row: rendering.Row) -> dict[str, Any]:
    # An event names the stage it tells; its once-only mark is the public status, in which two ways to fail are one.
    stage = Stage(owed.facts["stage"]) if "stage" in owed.facts else None
    failure = owed.facts if owed.facts.get("code") else None
    shown = rendering.message(row, stage=stage, failure=failure)
    if stage is not None:
        if RANK[stage] < RANK[Stage.SENT]:
            shown["sent_at"] = None  # it was sent later, if at all
        elif shown["sent_at"] is None:
            shown["sent_at"] = rendering.timestamp(owed.created_at)
    return shown


# --- the POST -----------------------------------------------------------------------------------------------------


def make_client(settings: WebhookSettings) -> httpx2.AsyncClient:
    """The client deliveries go through: public addresses only, no redirects. Close it with the process."""
    # No limit on connections: waiting for a place in a pool would let a slow endpoint delay the others.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=30)
    return private_networks.client(settings.allow, timeout=settings.timeout, limits=limits)


class WebhookPoster:
    """Posts deliveries through a client that refuses private addresses. One per process: it keeps connections alive."""

    def __init__(self, settings: WebhookSettings, client: httpx2.AsyncClient) -> None:
        self._timeout = settings.timeout
        self._client = client

    async def post(self, owed: Owed, at: datetime) -> Posted:
        """See `bellhop.ports_webhooks.Poster`. The answer's body is read for the connection's sake and dropped."""
        try:
            content = body(owed)
            headers = signing.headers(owed.secrets, render(Prefix.EVENT, owed.event_id), content, at)
        except Exception as error:  # noqa: BLE001 (a fault of ours holds up this one delivery, not the endpoint)
            log.error("a delivery cannot be rendered", event_id=str(owed.event_id), error=type(error).__name__)
            return Posted(None, "internal")
        headers |= {"content-type": "application/json", "user-agent": "Bellhop-Webhooks/1"}
        try:
            async with asyncio.timeout(self._timeout):
                return await self._call(owed.url, content, headers, at)
        except Exception as error:  # noqa: BLE001 (whatever a stranger's server can cause is an ordinary failure)
            return Posted(None, error_word(error))

    async def _call(self, url: str, content: bytes, headers: dict[str, str], at: datetime) -> Posted:
        began = time.monotonic()
        async with self._client.stream(
            "POST", url, content=content, headers=headers, follow_redirects=False, timeout=self._timeout
        ) as response:
            status = response.status_code
            retry_after = response.headers.get("retry-after") if status in (429, 503) else None
            # Whatever becomes of the body: the status line said what counts.
            with suppress(httpx2.HTTPError, TimeoutError):
                async with asyncio.timeout(SLOWEST_ANSWER):
                    size = 0
                    async for chunk in response.aiter_raw():
                        size += len(chunk)
                        if size > LONGEST_ANSWER:
                            break
        if 200 <= status < 300:
            return Posted(status, None)
        now = at + timedelta(seconds=time.monotonic() - began)
        return Posted(status, f"http {status}", seconds(retry_after, now))


def seconds(retry_after: str | None, now: datetime) -> float | None:
    """A `Retry-After` header (seconds or a date) in seconds; None when it is missing, past or nonsense."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    after = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return after if after > 0 else None


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "timeout"),
    (httpx2.TimeoutException, "timeout"),
    (ConnectionRefusedError, "refused"),
    (socket.gaierror, "unknown host"),
    (ssl.SSLError, "tls"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "reset"),
    (httpx2.ConnectError, "unreachable"),
    (httpx2.ReadError, "reset"),
    (httpx2.WriteError, "reset"),
    (httpx2.ProtocolError, "not http"),
    (httpx2.InvalidURL, "bad url"),
)


def error_word(error: BaseException) -> str:
    """A short word for what went wrong, never the error's own text: the first of the table that is among its causes."""
    chain = list(_causes(error))
    for one in chain:
        if isinstance(one, private_networks.ForbiddenTarget):
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


# --- what is owed -------------------------------------------------------------------------------------------------


class PostgresOutbox:
    """See `bellhop.ports_webhooks.Outbox`: each step is one transaction, and none is open while something is posted."""

    def __init__(self, engine: AsyncEngine, settings: WebhookSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._claim_for = settings.timeout + CLAIM_MARGIN

    async def open(self, endpoint_id: UUID) -> bool:
        async with self._begin() as tx:
            return await deliveries.open_drain(tx, endpoint_id, LEASE_OF_DRAINER)

    async def step(self, endpoint_id: UUID, results: Sequence[Result], room: int, *, extend: bool) -> Step:
        async with self._begin() as tx:
            disabled, wake = await deliveries.record(tx, endpoint_id, results, self._settings.disable_after)
            if extend:
                await deliveries.extend_drain(tx, endpoint_id, LEASE_OF_DRAINER)
            owed = await deliveries.claim(tx, endpoint_id, room, self._claim_for) if room > 0 else []
        return Step(owed, disabled, wake)

    async def close(self, endpoint_id: UUID) -> float | None:
        async with self._begin() as tx:
            await deliveries.close_drain(tx, endpoint_id)
        # A new transaction, after that commit: whoever wrote before it is seen here, whoever writes later wakes us.
        async with self._begin() as tx:
            return await deliveries.next_due(tx, endpoint_id)

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as tx:
                await deliveries.relaxed(tx)
                yield tx
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("the record could not be reached", error=type(error).__name__)
            # Database errors can quote keys and values; nothing of them goes further (I6).
            raise RecordUnavailable from None
