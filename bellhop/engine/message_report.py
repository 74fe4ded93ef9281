"""The ledger of a span: what was asked for, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.message_report import MessageReport, Span
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import BadSpan
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.reports import report_queries

USUAL = timedelta(hours=24)
LONGEST = timedelta(days=31)


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


async def read(engine: Engine, scopes: Sequence[Scope], asked: AskReport) -> MessageReport:
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
) -> MessageReport:
    """The same in an open transaction."""
    span = span_of(since, until, await report_queries.now(tx))
    found = await report_queries.figures(tx, scopes, span.since, span.until, channel)
    failures: dict[str | None, dict[str, int]] = {}
    for row in found.failures:
        failures.setdefault(row.channel, {})[row.failure_code] = row.count
    (total,) = (row for row in found.messages if row.channel is None)
    channels = [row for row in found.messages if row.channel is not None]
    return MessageReport(span, found.now, total, channels, failures, found.webhooks, found.links)
