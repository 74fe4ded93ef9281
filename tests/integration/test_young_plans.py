"""Statements that each message runs find their rows by ids, also while the planner knows nothing of the tables: what
it chooses for those of a young installation stays until they are analysed, and they grow meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.store.compiled import CompiledStatement
from bellhop.store.delivery import pending_wakes, plain_claims, plain_outcomes, plain_receipts

GROWING = ("messages", "attempts", "receipts", "events", "deliveries")
BY_ID = re.compile(r"\b(id|message_id|provider_id|event_id|dedupe_key) = ")
STATEMENTS: dict[str, CompiledStatement[Any]] = {
    "claim": plain_claims._BEGIN,
    "claim, once more": plain_claims._STILL,
    "record": plain_outcomes._RECORD,
    "receipt": plain_receipts.RECORD,
    "clear": pending_wakes._CLEAR_AND_IDLE,
    "clear alone": pending_wakes._CLEAR,
}


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("name", STATEMENTS)
async def test_rows_are_found_by_their_ids(engine: AsyncEngine, name: str, analysed: bool) -> None:
    """While nobody has analysed the tables, and after somebody has while they were empty."""
    given = STATEMENTS[name]._text.decode()
    async with engine.connect() as tx:
        if analysed:
            await tx.execute(text("analyze"))
        (row,) = await tx.exec_driver_sql(f"explain (generic_plan, format json) {given}")
    others = [
        (node["Relation Name"], node.get("Index Name"), _condition(node))
        for node in _nodes(row[0][0]["Plan"])
        if node.get("Relation Name", "").startswith(GROWING) and "Scan" in node["Node Type"]
        if not BY_ID.search(_condition(node))
    ]
    assert not others


def _condition(node: dict[str, Any]) -> str:
    return str(node.get("Index Cond") or node.get("Recheck Cond") or "")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
