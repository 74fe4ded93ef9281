"""Months of the tables that have them (`months.py`), made ahead, and folded away once they are over.

To fold the oldest month is to put what somebody may still want of it, and of what is older, into a new part of
everything older, and to drop both as they are. No row is deleted, so nothing is left for a vacuum.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.retention import SETTLED_AFTER
from bellhop.store.months import AHEAD, MONTH, MONTH_AT, MONTHLY, month

log = structlog.get_logger()
T = TypeVar("T")

COUNTED = 1_000
"""Rows in `…_later` that are counted."""
MOST_CARRIED = 10_000
"""Rows that are put elsewhere at most, while nobody can use the table."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month, and the keys with which it and the next one begin."""

    name: str
    key: UUID
    until: UUID


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table, from `first` until before `until`; None: from the beginning, of no month."""

    table: str
    name: str
    first: UUID | None
    until: UUID | None


_PARTS = text(
    """
    select parent.relname as "table", part.relname as name,
      substring(bounds.said from 'FROM \\(''([0-9a-f-]{36})''\\)')::uuid as first,
      substring(bounds.said from 'TO \\(''([0-9a-f-]{36})''\\)')::uuid as until
    from pg_inherits
    join pg_class parent on parent.oid = inhparent and parent.relkind = 'p'
    join pg_class part on part.oid = inhrelid
    cross join lateral (select pg_get_expr(part.relpartbound, part.oid) as said) bounds
    where parent.relname = any(:tables) and parent.relnamespace = to_regnamespace(current_schema())
    order by 1, until nulls last
    """
)
# Who locks a table keeps everybody waiting who comes after; what could not be done is tried again at the next sweep.
_PATIENCE = text("select set_config('lock_timeout', '500ms', true)")


async def parts(tx: AsyncConnection) -> dict[str, list[Part]]:
    """The parts of each table, the oldest first, `…_later` last."""
    found: dict[str, list[Part]] = {table: [] for table in MONTHLY}
    for row in await tx.execute(_PARTS, {"tables": list(MONTHLY)}):
        found[row.table].append(Part(row.table, row.name, row.first, row.until))
    return found


async def missing(tx: AsyncConnection) -> list[tuple[str, Month]]:
    """Tables, and their months until `AHEAD` from now that nobody has made. In order."""
    last = (await tx.execute(MONTH, {"days": 0, "months": AHEAD})).one()
    wanted = []
    for table, there in (await parts(tx)).items():
        until = max((part.until for part in there if part.until), default=None)
        while until is not None and until <= UUID(last.key):
            row = (await tx.execute(MONTH_AT, {"key": str(until)})).one()
            wanted.append((table, Month(row.name, UUID(row.key), UUID(row.until))))
            until = UUID(row.until)
    return wanted


@dataclass(frozen=True, slots=True)
class Unmade:
    """A table of which this month or the next is not made, or that has `rows` of months that were not."""

    table: str
    months: str
    rows: int


async def unmade(tx: AsyncConnection) -> list[Unmade]:
    """What the doctor has to say of months."""
    next_one = (await tx.execute(MONTH, {"days": 0, "months": 1})).one()
    lacks = [(table, of.name) for table, of in await missing(tx) if of.key <= UUID(next_one.key)]
    found = []
    for table in MONTHLY:
        rows = await tx.scalar(text(f"select count(*) from (select from {table}_later limit {COUNTED}) counted")) or 0
        names = ", ".join(name for of, name in lacks if of == table)
        if rows or names:
            found.append(Unmade(table, names or "none", rows))
    return found


async def make(tx: AsyncConnection, table: str, of: Month) -> None:
    """Make a month, with what has been written of it already. Raises OperationalError where the table is in use for
    longer than may be waited for, and IntegrityError where too many rows are in `…_later`: there they stay."""
    await tx.execute(_PATIENCE)
    key, later = MONTHLY[table], f"{table}_later"
    create, attach = month(table, of.name, str(of.key), str(of.until))
    await tx.execute(text(create))
    stray = f"from {later} where {key} >= '{of.key}' and {key} < '{of.until}'"
    count = await tx.scalar(text(f"select count(*) from (select {stray} limit {MOST_CARRIED + 1}) stray"))
    if not 0 < (count or 0) <= MOST_CARRIED:
        await tx.execute(text(attach))
        return
    # Apart from the others it has no triggers: what is pending stays so.
    for statement in (
        f"alter table {table} detach partition {later}",
        f"insert into {table}_{of.name} select * {stray}",
        f"delete {stray}",
        attach,
        f"alter table {table} attach partition {later} default",
    ):
        await tx.execute(text(statement))


# Of deliveries, which so far are all that there is: what a property keeps for ever, or for longer, and what is pending.
_WANTED = f"""
    from {{old}}
    left join (
      select id, least(now() - make_interval(days => (settings #>> '{{{{retention,messages_days}}}}')::int),
        now() - make_interval(secs => {SETTLED_AFTER})) as before
      from scopes
    ) kept on kept.id = old.scope_id
    where (kept.before is null or old.created_at >= kept.before
      or old.id in (select delivery_id from pending_deliveries))
"""
_OVER = text(
    f"""
    select exists (select from scopes
      where settings #>> '{{retention,messages_days}}' is not null
        and least(now() - make_interval(days => (settings #>> '{{retention,messages_days}}')::int),
          now() - make_interval(secs => {SETTLED_AFTER}))
          > to_timestamp(('x' || left(replace(cast(:until as text), '-', ''), 12))::bit(48)::bigint / 1000))
    """
)


async def fold(tx: AsyncConnection, table: str) -> str | None:
    """Fold the oldest month of a table into everything older, if nobody wants it, and little of it, any more. Returns
    its name. Raises OperationalError where the table is in use for longer than may be waited for."""
    before, oldest = (await parts(tx))[table][:2]
    if before.until is None or oldest.first != before.until or oldest.until is None:
        return None
    if not await tx.scalar(_OVER, {"until": str(oldest.until)}):
        return None
    made, old = f"{table}_folded", f"(select * from {before.name} union all select * from {oldest.name}) old"
    # Read while everybody goes on. What changes meanwhile is pending, or has been.
    keys = f"create temp table wanted_keys on commit drop as select endpoint_id, event_id {_WANTED.format(old=old)}"
    await tx.execute(text(f"{keys} limit {MOST_CARRIED + 1}"))
    if (await tx.scalar(text("select count(*) from wanted_keys")) or 0) > MOST_CARRIED:
        return None
    for statement in (
        # First so that nobody is kept waiting, until the server has called off an autovacuum for us.
        "set local lock_timeout = '2s'",
        f"lock table {before.name}, {oldest.name} in share update exclusive mode",
        "set local lock_timeout = '500ms'",
        f"create table {made} (like {table} including all)",
        # By now it is a matter of milliseconds: what is wanted is read by its keys.
        f"lock table {before.name}, {oldest.name} in access exclusive mode",
        *(f"set local enable_{way} = off" for way in ("hashjoin", "mergejoin", "seqscan")),
        f"insert into {made} select old.* from ("
        " select endpoint_id, event_id from wanted_keys"
        f" union select endpoint_id, event_id from pending_deliveries where event_id < '{oldest.until}') wanted"
        f" join {old} on old.endpoint_id = wanted.endpoint_id and old.event_id = wanted.event_id",
        f"alter table {table} detach partition {before.name}",
        f"alter table {table} detach partition {oldest.name}",
        f"alter table {table} attach partition {made} for values from (minvalue) to ('{oldest.until}')",
        f"drop table {before.name}, {oldest.name}",
        f"alter table {made} rename to {table}_before",
    ):
        await tx.execute(text(statement))
    return oldest.name


async def keep(engine: AsyncEngine, *, folding: bool) -> None:
    """Make the months that are missing; `folding`: and fold the oldest that is over, of each table. What is in use is
    left for the next time."""
    async with engine.connect() as tx:
        wanted = await missing(tx)
    for table, of in wanted:
        await _tried(engine, partial(make, table=table, of=of))
    for table in MONTHLY if folding else ():
        if name := await _tried(engine, partial(fold, table=table)):
            log.info("a month is over and has been dropped", table=name)


async def _tried(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T | None:
    try:
        async with engine.begin() as tx:
            return await work(tx)
    except DBAPIError as error:
        # In use, done by another worker at this moment, or a right that is missing: nothing else waits for it.
        log.warning("months are seen to at the next sweep", error=type(error.orig).__name__)
        return None
