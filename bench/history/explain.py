"""What is sent to the server, and by which plans it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as the driver got it."""

    text: str
    values: Any = field(repr=False)

    @property
    def words(self) -> str:
        """On one line."""
        return " ".join(self.text.split())


@dataclass(slots=True)
class Node:
    """A step of a plan. `rows`: what it gave, or was expected to where it was not run; `loops`: how often."""

    kind: str
    table: str | None
    index: str | None
    rows: float
    loops: float
    removed: float
    """Rows it read and threw away, over all loops."""
    bounded: bool
    """Whether it looks for certain values, rather than at a whole table or index."""

    @property
    def scans(self) -> bool:
        """Whether it reads a table or an index, rather than what other steps give it."""
        return self.table is not None and "Scan" in self.kind

    @property
    def read(self) -> float:
        """Rows it looked at, over all loops."""
        return self.rows * self.loops + self.removed


class Recorder:
    """Notes what an engine's connections send."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.sent: list[Sent] = []
        recorder = self

        class Noting(psycopg.AsyncCursor[Any]):
            async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
                text = query if isinstance(query, str) else bytes(query).decode()
                recorder.sent.append(Sent(text, params))
                return await super().execute(query, params, **options)

        class Cursor(Noting):
            """SQLAlchemy's."""

        class RawCursor(Noting, psycopg.AsyncRawCursor[Any]):
            """That of compiled statements."""

        def note(connection: Any, _: object) -> None:
            connection.driver_connection.cursor_factory = Cursor
            connection.driver_connection.raw_cursor_factory = RawCursor

        event.listen(engine.sync_engine, "connect", note)

    @contextmanager
    def noting(self) -> Iterator[list[Sent]]:
        """What is sent meanwhile."""
        self.sent.clear()
        noted: list[Sent] = []
        yield noted
        noted += [one for one in self.sent if is_query(one.text)]


def is_query(text: str) -> bool:
    """Whether a statement has a plan."""
    return text.split(None, 1)[0].lower() in {"select", "insert", "update", "delete", "with"}


async def explained(engine: AsyncEngine, sent: Sent, *, generic: bool) -> list[Node]:
    """The steps of a statement's plan. Of a generic one (for values that the planner does not know, which the server
    goes over to when a prepared statement is used again and again) what is expected; else what was found when it ran,
    of which nothing stays."""
    async with engine.connect() as tx:
        nodes = await explained_in(tx, sent, generic=generic)
        await tx.rollback()
    return nodes


async def explained_in(tx: AsyncConnection, sent: Sent, *, generic: bool) -> list[Node]:
    """The same in a transaction of the caller's, who takes it back."""
    options = "generic_plan, format json" if generic else "analyze, buffers off, timing off, format json"
    driver: Any = (await tx.get_raw_connection()).driver_connection
    cursor = psycopg.AsyncRawCursor(driver) if isinstance(sent.values, list) else driver.cursor()
    found = await cursor.execute(f"explain ({options}) {sent.text}", sent.values)
    ((plan,),) = await found.fetchall()
    return list(_nodes((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    loops = plan.get("Actual Loops", 1)
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    yield Node(
        plan["Node Type"],
        plan.get("Relation Name"),
        plan.get("Index Name"),
        plan.get("Actual Rows", plan["Plan Rows"]),
        loops,
        removed * loops,
        any(name in plan for name in ("Index Cond", "Recheck Cond", "TID Cond")),
    )
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
