"""Every use on a filled database: its time, what it sends, and the steps of the plans that read much."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.store.connections import make_engine
from bellhop.store.settings import PostgresSettings
from bench.history.explain import Node, Recorder, Sent, explained
from bench.history.uses import USES, History, Use

Say = Callable[[str], None]
WORTH_A_LINE = 5_000
"""Rows that a step reads before it is worth a line."""


async def all_uses(dsn: str, secret: str, say: Say, *, plans: bool = False) -> int:
    """Measure everything; returns how many uses took longer than their aim. `plans`: every step is printed."""
    engine = make_engine(PostgresSettings(_env_file=None, dsn=SecretStr(dsn)), "history")
    recorder = Recorder(engine)
    late = 0
    try:
        history = await History.opened(engine, secret)
        for use in USES:
            median, worst, sent = await one_use(history, recorder, use)
            late += median * 1000 > use.aim
            verdict = "  LATE" if median * 1000 > use.aim else ""
            say(f"{use.name:46} {median * 1000:9.1f} ms  (worst {worst * 1000:.1f}, aim {use.aim:.0f}){verdict}")
            for line in await _plans(engine, sent, everything=plans):
                say(line)
    finally:
        await engine.dispose()
    return late


async def one_use(
    history: History, recorder: Recorder, use: Use, times: int | None = None
) -> tuple[float, float, list[Sent]]:
    """The median and the longest of its times, and what the first run sent. `times`: else as often as it says."""
    took: list[float] = []
    sent: list[Sent] = []
    for _ in range((times or use.times) + 2):
        given: Any = await use.prepare(history) if use.prepare else None
        with recorder.noting() as noted:
            began = time.perf_counter()
            await use.run(history, given)
            took.append(time.perf_counter() - began)
        sent = sent or noted
    # The first two runs prepare what the driver then has ready.
    measured = sorted(took[2:])
    return measured[len(measured) // 2], measured[-1], sent


async def _plans(engine: AsyncEngine, sent: list[Sent], *, everything: bool) -> list[str]:
    lines: list[str] = []
    for one in {each.words: each for each in sent}.values():
        try:
            nodes = await explained(engine, one, generic=False)
        except psycopg.Error:
            # It was done already, and a second time it breaks a rule: what is expected tells as much.
            nodes = await explained(engine, one, generic=True)
        shown = [
            node
            for node in nodes
            if everything or (node.scans and node.read > WORTH_A_LINE) or (node.kind == "Seq Scan" and node.read > 1000)
        ]
        if shown:
            lines.append(f"    {one.words[:150]}")
            lines += [f"      {_step(node)}" for node in shown]
    return lines


def _step(node: Node) -> str:
    where = " ".join(part for part in (node.table and f"on {node.table}", node.index and f"by {node.index}") if part)
    return f"{node.kind} {where}: {node.read:,.0f} rows"
