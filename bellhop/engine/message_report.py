"""The ledger of a span, as the API answers it and the command line prints it: every accepted message has its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.store.reports import report_queries

USUAL = timedelta(hours=24)
LONGEST = timedelta(days=31)

PLACES = ("read", "delivered", "sent", "failed", "cancelled", "pending", "unknown")
"""Where an accepted message can be, each in exactly one: their sum is `accepted`."""
REASONS = ("waiting", "held", "retrying", "due")
"""Why a pending one has not gone out, each for exactly one: their sum is `pending`."""
SPREAD = ("count", "p50", "p95", "p99", "worst")


class BadSpan(Exception):
    """The span asked for is none; `place` is the end that is wrong (`from` or `to`)."""

    def __init__(self, place: str, said: str, kind: str) -> None:
        super().__init__(said)
        self.place, self.said, self.kind = place, said, kind


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


async def read(
    tx: AsyncConnection,
    scopes: Sequence[Scope],
    since: datetime | None,
    until: datetime | None,
    channel: Channel | None = None,
) -> dict[str, Any]:
    """The ledger of these scopes together. Raises BadSpan."""
    span = span_of(since, until, await report_queries.now(tx))
    found = await report_queries.figures(tx, scopes, span.since, span.until, channel)
    codes: dict[str | None, dict[str, int]] = {}
    for row in found["failures"]:
        codes.setdefault(row["channel"], {})[row["failure_code"]] = row["count"]
    (total,) = (row for row in found["messages"] if row["channel"] is None)
    return {
        "from": timestamp(span.since),
        "to": timestamp(span.until),
        "as_of": timestamp(found["now"]),
        "total": _figures(total, codes.get(None, {})),
        "channels": [
            {"channel": row["channel"], **_figures(row, codes.get(row["channel"], {}))}
            for row in found["messages"]
            if row["channel"] is not None
        ],
        "webhooks": {
            **{name: found["webhooks"][name] for name in ("owed", "delivered", "pending", "failed", "abandoned")},
            "pending_longest": found["webhooks"]["pending_longest"],
            "lateness": {name: found["webhooks"][name] for name in SPREAD},
        },
    }


def _figures(row: Mapping[str, Any], failures: Mapping[str, int]) -> dict[str, Any]:
    counted = {**row, "pending": sum(row[reason] for reason in REASONS)}
    return {
        "accepted": row["accepted"],
        **{place: counted[place] for place in PLACES},
        "failures": dict(failures),
        "pending_because": {reason: row[reason] for reason in REASONS},
        "unknown_longest": row["unknown_longest"],
        "erased": row["erased"],
        "lateness": {name: row[name] for name in SPREAD},
        "overdue": {"count": row["overdue"], "worst": row["overdue_worst"]},
    }
