"""I9: one source of time and order: the database's clock stamps, and ids sort by it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select

from bellhop.domain.rows.delivery import AttemptState
from bellhop.domain.statuses import Stage
from bellhop.store.messages import outbound, progress
from bellhop.store.tables import metadata

from .engine import SMS, Engine, key


async def test_every_key_is_made_by_the_database_and_sorts_by_its_clock(stack: Engine) -> None:
    for table in metadata.sorted_tables:
        if "id" in table.primary_key.columns and table.name != "installation":
            default = table.c.id.server_default
            assert default is not None, table.name
            assert str(default.arg) == "uuidv7()", table.name  # type: ignore[attr-defined]
    ids = [(await stack.send({**SMS, "scheduled_at": "2030-01-01T00:00:00Z"}))["id"] for _ in range(20)]
    assert ids == sorted(ids)
    rows = await stack.rows("select id, created_at, uuid_extract_timestamp(id) as stamped from messages order by id")
    assert [row["id"] for row in rows] == [key(one) for one in ids]
    for row in rows:
        assert abs((row["stamped"] - row["created_at"]).total_seconds()) < 60


async def test_times_are_the_databases(stack: Engine) -> None:
    """Every stamp of a message lies between two readings of the database's clock, in the order of its timeline."""
    (before,) = await stack.rows("select clock_timestamp() as at")
    sent = await stack.send(SMS)
    await stack.until(sent["id"], "delivered")
    (after,) = await stack.rows("select clock_timestamp() as at")
    (row,) = await stack.rows("select * from messages where id = :id", id=key(sent["id"]))
    stamps = [before["at"], row["created_at"], row["sent_at"], row["delivered_at"], after["at"]]
    assert stamps == sorted(stamps)


async def test_who_began_first_and_came_last_dates_nothing_back(idle_stack: Engine) -> None:
    """`now()` is when a transaction began; the lock may come much later. An older notification would be cleared with
    the one that was made, and its wake be lost; a message would be delivered before it was sent."""
    stack = idle_stack
    waiting, gone = [key((await stack.send({**SMS, "scheduled_at": "2030-01-01T00:00:00Z"}))["id"]) for _ in range(2)]
    async with stack.database.begin() as slow:
        await slow.execute(select(func.now()))
        async with stack.database.begin() as quick:
            moved = await outbound.reschedule(quick, stack.scope, waiting, datetime(2031, 1, 1, tzinfo=UTC), 60.0)
            sent = await progress.advance(quick, await locked(quick, gone), [attempt(Stage.SENT)])
        cancelled = await outbound.cancel(slow, stack.scope, waiting)
        delivered = await progress.advance(slow, await locked(slow, gone), [attempt(Stage.DELIVERED)])
    assert moved.row is not None
    assert cancelled.row is not None
    assert cancelled.row.wake_due_at > moved.row.wake_due_at
    assert delivered.row.delivered_at >= delivered.row.sent_at == sent.row.sent_at


async def locked(tx: Any, message_id: Any) -> Any:
    row = await progress.lock(tx, message_id)
    assert row is not None
    return row


def attempt(stage: Stage) -> Any:
    return SimpleNamespace(part=0, step=0, state=AttemptState.ACCEPTED, stage=stage, service=None)
