"""The ledger of a span, as the API answers it and the command line prints it: every accepted message has its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.rows.reports import DeliveryFigures, MessageFigures
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.engine.context import Engine
from bellhop.engine.errors import BadSpan
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.reports import report_queries

USUAL = timedelta(hours=24)
LONGEST = timedelta(days=31)

PLACES = ("read", "delivered", "sent", "failed", "cancelled", "pending", "unknown")
"""Where an accepted message can be, each in exactly one: their sum is `accepted`."""
REASONS = ("waiting", "held", "retrying", "due")
"""Why a pending one has not gone out, each for exactly one: their sum is `pending`."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until before `until`."""

    since: datetime
    until: datetime


def span_of(since: datetime | None, until: datetime | None, now: datetime) -> Span:
    """What was asked for, completed: by default the last 24 hours. Raises BadSpan."""
    end = until or now
    start = since or end - USUAL
    if start >= end:
        if until is None:
            raise BadSpan("from", "expected a time that has passed", "span_empty")
        raise BadSpan("to", "expected a time after `from`", "span_empty")
    if end - start > LONGEST:
        raise BadSpan("from", f"expected at most {LONGEST.days} days before `to`", "span_too_long")
    return Span(start, end)


@dataclass(frozen=True, slots=True)
class AskReport:
    """Which messages to report on; None: the last 24 hours, every channel."""

    since: datetime | None = None
    until: datetime | None = None
    channel: Channel | None = None


async def read(engine: Engine, scopes: Sequence[Scope], asked: AskReport) -> dict[str, Any]:
    """The ledger of these scopes together. Raises BadSpan."""
    return await engine.database.read(
        lambda tx: figures(tx, scopes, asked.since, asked.until, asked.channel), timeout=BULK_TIMEOUT
    )


async def figures(
    tx: AsyncConnection,
    scopes: Sequence[Scope],
    since: datetime | None,
    until: datetime | None,
    channel: Channel | None = None,
) -> dict[str, Any]:
    """The same in an open transaction."""
    span = span_of(since, until, await report_queries.now(tx))
    found = await report_queries.figures(tx, scopes, span.since, span.until, channel)
    codes: dict[str | None, dict[str, int]] = {}
    for row in found.failures:
        codes.setdefault(row.channel, {})[row.failure_code] = row.count
    (total,) = (row for row in found.messages if row.channel is None)
    return {
        "from": timestamp(span.since),
        "to": timestamp(span.until),
        "as_of": timestamp(found.now),
        "total": _figures(total, codes.get(None, {})),
        "channels": [
            {"channel": row.channel, **_figures(row, codes.get(row.channel, {}))}
            for row in found.messages
            if row.channel is not None
        ],
        "webhooks": {
            "owed": found.webhooks.owed,
            "delivered": found.webhooks.delivered,
            "pending": found.webhooks.pending,
            "failed": found.webhooks.failed,
            "abandoned": found.webhooks.abandoned,
            "pending_longest": found.webhooks.pending_longest,
            "lateness": _lateness(found.webhooks),
        },
    }


def _figures(row: MessageFigures, failures: Mapping[str, int]) -> dict[str, Any]:
    return {
        "accepted": row.accepted,
        **{place: getattr(row, place) for place in PLACES},
        "failures": dict(failures),
        "pending_because": {reason: getattr(row, reason) for reason in REASONS},
        "unknown_longest": row.unknown_longest,
        "erased": row.erased,
        "lateness": _lateness(row),
        "overdue": {"count": row.overdue, "worst": row.overdue_worst},
    }


def _lateness(row: MessageFigures | DeliveryFigures) -> dict[str, float | None]:
    return {"count": row.count, "p50": row.p50, "p95": row.p95, "p99": row.p99, "worst": row.worst}
