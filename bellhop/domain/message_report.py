"""The ledger of a span: every accepted message has its place. As values, and as API and command line show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bellhop.domain.rows.reports import DeliveryFigures, LinkFigures, MessageFigures
from bellhop.domain.serializers import timestamp

PLACES = ("read", "delivered", "sent", "failed", "cancelled", "pending", "unknown")
"""Where an accepted message can be, each in exactly one: their sum is `accepted`."""
REASONS = ("waiting", "held", "retrying", "due")
"""Why a pending one has not gone out, each for exactly one: their sum is `pending`."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class MessageReport:
    """The ledger of some scopes together, at one moment."""

    span: Span
    as_of: datetime
    total: MessageFigures
    channels: list[MessageFigures]
    failures: Mapping[str | None, Mapping[str, int]]
    """How many failed, by failure code, by channel (None: of all)."""
    webhooks: DeliveryFigures
    links: LinkFigures

    def failures_of(self, figures: MessageFigures) -> Mapping[str, int]:
        """How many of these failed, by failure code, the most frequent first."""
        return self.failures.get(figures.channel, {})


def report_json(report: MessageReport) -> dict[str, Any]:
    """The public object."""
    webhooks = report.webhooks
    return {
        "from": timestamp(report.span.since),
        "to": timestamp(report.span.until),
        "as_of": timestamp(report.as_of),
        "total": _figures_json(report, report.total),
        "channels": [{"channel": each.channel, **_figures_json(report, each)} for each in report.channels],
        "webhooks": {
            "owed": webhooks.owed,
            "delivered": webhooks.delivered,
            "pending": webhooks.pending,
            "failed": webhooks.failed,
            "abandoned": webhooks.abandoned,
            "pending_longest": webhooks.pending_longest,
            "lateness": _lateness_json(webhooks),
        },
        "links": {name: getattr(report.links, name) for name in ("made", "followed", "clicks", "bot_clicks")},
    }


def _figures_json(report: MessageReport, figures: MessageFigures) -> dict[str, Any]:
    return {
        "accepted": figures.accepted,
        **{place: getattr(figures, place) for place in PLACES},
        "failures": dict(report.failures_of(figures)),
        "pending_because": {reason: getattr(figures, reason) for reason in REASONS},
        "unknown_longest": figures.unknown_longest,
        "erased": figures.erased,
        "lateness": _lateness_json(figures),
        "overdue": {"count": figures.overdue, "worst": figures.overdue_worst},
    }


def _lateness_json(of: MessageFigures | DeliveryFigures) -> dict[str, float | None]:
    return {"count": of.count, "p50": of.p50, "p95": of.p95, "p99": of.p99, "worst": of.worst}
