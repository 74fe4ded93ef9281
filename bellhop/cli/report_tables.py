"""The ledger as a person reads it: a table per property and environment, channels side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bellhop.domain.message_report import PLACES, MessageReport
from bellhop.domain.rows.reports import DeliveryFigures, MessageFigures
from bellhop.ops.humanize import Count, Lasting


@dataclass(frozen=True, slots=True)
class ScopeLedger:
    """The ledger of one environment of a property."""

    property: str
    """Its short name."""
    name: str
    environment: str
    report: MessageReport


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The ledger of each scope, and that of all of them together, over one span."""

    scopes: list[ScopeLedger]
    together: MessageReport


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    figure: Callable[[MessageFigures], float | None]
    written: Callable[[float | None], str]
    optional: bool = True
    """Left out where there is nothing of it."""


_BECAUSE = {
    "waiting": "waiting for their time",
    "held": "held by an account",
    "retrying": "being tried again",
    "due": "due now",
}


def _count(figure: float | None) -> str:
    return f"{Count(figure or 0)}"


def _seconds(figure: float | None) -> str:
    return "" if figure is None else f"{Lasting(figure)}"


def _lines(report: MessageReport) -> list[_Line]:
    lines = [_Line("accepted", attrgetter("accepted"), _count, optional=False)]
    for place in PLACES:
        lines.append(_Line(f"  {place}", attrgetter(place), _count, optional=False))
        if place == "failed":
            lines += [_Line(f"    {code}", _failed(report, code), _count) for code in report.failures_of(report.total)]
        if place == "pending":
            lines += [_Line(f"    {label}", attrgetter(reason), _count) for reason, label in _BECAUSE.items()]
    return [
        *lines,
        _Line("    the oldest call", attrgetter("unknown_longest"), _seconds),
        _Line("of these, guest erased", attrgetter("erased"), _count),
        _Line("late: half at most", attrgetter("p50"), _seconds),
        _Line("  95 % at most", attrgetter("p95"), _seconds),
        _Line("  99 % at most", attrgetter("p99"), _seconds),
        _Line("  the worst", attrgetter("worst"), _seconds),
        _Line("past due, not sent", attrgetter("overdue"), _count),
        _Line("  the latest by", attrgetter("overdue_worst"), _seconds),
    ]


def _failed(report: MessageReport, code: str) -> Callable[[MessageFigures], int]:
    """How many failed of that code; a channel may have none."""
    return lambda figures: report.failures_of(figures).get(code, 0)


def print_ledgers(ledgers: Ledgers, *, everything: bool) -> None:
    """Print them. `everything`: also what has no message in the span."""
    # Not wider than it is: a table that goes to a file is read there.
    console = Console(highlight=False, width=max(Console().width, 100))
    over = ledgers.together.span
    span = f"accepted from {_minute(over.since)} to {_minute(over.until)} UTC"
    shown = [each for each in ledgers.scopes if everything or each.report.total.accepted or each.report.webhooks.owed]
    if not shown:
        console.print(f"Nothing was {span}.")
    for each in shown:
        whose = f"[bold]{escape(each.name)}[/bold] ({each.property}, {each.environment})"
        console.print(f"{whose}: {span}", soft_wrap=True)
        _print_one(console, each.report)
    if len(shown) > 1:
        console.print(f"[bold]All together[/bold]: {span}")
        _print_one(console, ledgers.together)


def _print_one(console: Console, report: MessageReport) -> None:
    channels = report.channels
    columns = [*channels, report.total] if len(channels) != 1 else channels
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=bool(channels))
    table.add_column("")
    for channel in channels:
        table.add_column(channel.channel or "", justify="right", min_width=8)
    if len(channels) != 1:
        table.add_column("all", justify="right", min_width=8)
    for line in _lines(report):
        figures = [line.figure(of) for of in columns]
        if not line.optional or any(figures):
            table.add_row(line.label, *(line.written(one) for one in figures))
    console.print(table)
    console.print(_webhooks(report.webhooks) + "\n")


def _webhooks(of: DeliveryFigures) -> str:
    if not of.owed:
        return "  webhooks: none"
    counts = (("delivered", of.delivered), ("pending", of.pending), ("failed", of.failed), ("abandoned", of.abandoned))
    said = f"  webhooks: {Count(of.owed)} owed: " + ", ".join(
        f"{Count(count)} {state}" for state, count in counts if count
    )
    if of.p50 is not None and of.p95 is not None and of.p99 is not None and of.worst is not None:
        said += (
            f"\n    half within {Lasting(of.p50)}, 95 % within {Lasting(of.p95)}, "
            f"99 % within {Lasting(of.p99)}, the worst {Lasting(of.worst)}"
        )
    if of.pending_longest is not None:
        said += f"\n    the oldest pending one for {Lasting(of.pending_longest)}"
    return said


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "minutes")
