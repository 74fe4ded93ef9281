"""The ledger as a person reads it: a table per property and environment, channels side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bellhop.engine.message_report import PLACES
from bellhop.ops.humanize import Count, Lasting

Figures = Mapping[str, Any]

_BECAUSE = {
    "waiting": "waiting for their time",
    "held": "held by an account",
    "retrying": "being tried again",
    "due": "due now",
}


def _count(figure: Any) -> str:
    return f"{Count(figure)}"


def _seconds(figure: Any) -> str:
    return "" if figure is None else f"{Lasting(figure)}"


def _rows(total: Figures) -> list[tuple[str, tuple[str, ...], Callable[[Any], str], bool]]:
    """(label, where its figure is, how it is written, whether it is left out where there is nothing of it)."""
    rows: list[tuple[str, tuple[str, ...], Callable[[Any], str], bool]] = [("accepted", ("accepted",), _count, False)]
    for place in PLACES:
        rows.append((f"  {place}", (place,), _count, False))
        if place == "failed":
            rows += [(f"    {code}", ("failures", code), _count, True) for code in total["failures"]]
        if place == "pending":
            rows += [(f"    {words}", ("pending_because", why), _count, True) for why, words in _BECAUSE.items()]
    return [
        *rows,
        ("    the oldest call", ("unknown_longest",), _seconds, True),
        ("of these, guest erased", ("erased",), _count, True),
        ("late: half at most", ("lateness", "p50"), _seconds, True),
        ("  95 % at most", ("lateness", "p95"), _seconds, True),
        ("  99 % at most", ("lateness", "p99"), _seconds, True),
        ("  the worst", ("lateness", "worst"), _seconds, True),
        ("past due, not sent", ("overdue", "count"), _count, True),
        ("  the latest by", ("overdue", "worst"), _seconds, True),
    ]


def _figure(of: Any, where: tuple[str, ...]) -> Any:
    for name in where:
        # A code that only another channel has.
        of = of.get(name, 0)
    return of


def tables(found: Mapping[str, Any], *, everything: bool) -> None:
    """Print it. `everything`: also what has no message in the span."""
    together = found["together"]
    # Not wider than it is: a table that goes to a file is read there.
    console = Console(highlight=False, width=max(Console().width, 100))
    span = f"accepted from {_minute(together['from'])} to {_minute(together['to'])} UTC"
    shown = [each for each in found["scopes"] if everything or each["total"]["accepted"] or each["webhooks"]["owed"]]
    if not shown:
        console.print(f"Nothing was {span}.")
    for each in shown:
        whose = f"[bold]{escape(each['name'])}[/bold] ({each['property']}, {each['environment']})"
        console.print(f"{whose}: {span}", soft_wrap=True)
        _one(console, each)
    if len(shown) > 1:
        console.print(f"[bold]All together[/bold]: {span}")
        _one(console, together)


def _one(console: Console, ledger: Mapping[str, Any]) -> None:
    channels = ledger["channels"]
    columns = [*channels, ledger["total"]] if len(channels) != 1 else channels
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=bool(channels))
    table.add_column("")
    for channel in channels:
        table.add_column(channel["channel"], justify="right", min_width=8)
    if len(channels) != 1:
        table.add_column("all", justify="right", min_width=8)
    for label, where, written, optional in _rows(ledger["total"]):
        figures = [_figure(of, where) for of in columns]
        if not optional or any(figures):
            table.add_row(label, *(written(one) for one in figures))
    console.print(table)
    console.print(_webhooks(ledger["webhooks"]) + "\n")


def _webhooks(of: Figures) -> str:
    if not of["owed"]:
        return "  webhooks: none"
    states = ", ".join(
        f"{Count(of[state])} {state}" for state in ("delivered", "pending", "failed", "abandoned") if of[state]
    )
    said = f"  webhooks: {Count(of['owed'])} owed: {states}"
    late = of["lateness"]
    if late["count"]:
        said += (
            f"\n    half within {Lasting(late['p50'])}, 95 % within {Lasting(late['p95'])}, "
            f"99 % within {Lasting(late['p99'])}, the worst {Lasting(late['worst'])}"
        )
    if of["pending_longest"] is not None:
        said += f"\n    the oldest pending one for {Lasting(of['pending_longest'])}"
    return said


def _minute(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M}"
