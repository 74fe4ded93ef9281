"""Broadcasts: written, read, moved on. Whoever changes one holds its row's lock, which comes before all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, bindparam, func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.broadcasts import BroadcastState
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.broadcasts import BroadcastRow
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.compiled import CompiledStatement, seconds
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import broadcasts, scopes

_COLUMNS = (
    *broadcasts.c,
    scopes.c.property_id,
    scopes.c.environment,
    scopes.c.settings.label("scope_settings"),
    scopes.c.paused_at,
    func.now().label("now"),
)
_ALL = select(*_COLUMNS).join(scopes, scopes.c.id == broadcasts.c.scope_id)


@dataclass(frozen=True, slots=True)
class NewBroadcast:
    """A broadcast as a caller asks for it, checked. `filter` None: its recipients are written with it."""

    name: str
    message: Mapping[str, Any] = field(repr=False)
    filter: Mapping[str, Any] | None = field(default=None, repr=False)
    pace: float | None = None


async def create(tx: AsyncConnection, scope: Scope, new: NewBroadcast) -> UUID:
    """Write a draft. Returns its key."""
    made = (
        insert(broadcasts)
        .values(
            scope_id=scope.id,
            name=new.name,
            message=dict(new.message),
            filter=None if new.filter is None else dict(new.filter),
            pace=new.pace,
            resolved_at=func.now() if new.filter is None else None,
        )
        .returning(broadcasts.c.id)
    )
    key: UUID = (await tx.execute(made)).scalar_one()
    return key


async def leave_out(tx: AsyncConnection, broadcast_id: UUID, counts: Mapping[str, int]) -> None:
    """Note how many of a list are nobody to write to, by why."""
    await tx.execute(update(broadcasts).where(broadcasts.c.id == broadcast_id).values(left_out=dict(counts)))


async def get(tx: AsyncConnection, scope: Scope, broadcast_id: UUID) -> BroadcastRow | None:
    """One of this scope; None: there is no such."""
    found = await tx.execute(_ALL.where(broadcasts.c.scope_id == scope.id, broadcasts.c.id == broadcast_id))
    return first_of(BroadcastRow, found)


async def lock(tx: AsyncConnection, broadcast_id: UUID, scope: Scope | None = None) -> BroadcastRow | None:
    """The same under its lock. `scope` None: whosever it is."""
    query = _ALL.where(broadcasts.c.id == broadcast_id).with_for_update(of=broadcasts)
    if scope is not None:
        query = query.where(broadcasts.c.scope_id == scope.id)
    return first_of(BroadcastRow, await tx.execute(query))


async def listing(
    tx: AsyncConnection, scope: Scope, asked: PageRequest, state: BroadcastState | None
) -> Listed[BroadcastRow]:
    """Broadcasts of this scope, newest first."""
    query = _ALL if state is None else _ALL.where(broadcasts.c.state == state.value)
    newest = pages.within(query, broadcasts.c.scope_id, scope.id, broadcasts.c.id, pages.before(asked))
    rows = from_result(BroadcastRow, await tx.execute(pages.taken(newest, asked)))
    every = pages.within(query, broadcasts.c.scope_id, scope.id, broadcasts.c.id)
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, every))


async def move(
    tx: AsyncConnection,
    row: BroadcastRow,
    state: BroadcastState,
    *,
    at: datetime | None = None,
    due: bool = True,
    problem: str | None = None,
) -> None:
    """Make it stand so, under its lock. `at`: when it begins; `due`: whether somebody is to go on with it, then or
    now; `problem`: why, where nobody asked for it."""
    over = state in (BroadcastState.CANCELLED, BroadcastState.FINISHED)
    when = func.greatest(func.now(), literal(at)) if at is not None else func.now()
    values: dict[str, Any] = {
        "state": state.value,
        "problem": problem,
        "due_at": when if due else None,
        "updated_at": func.now(),
        "ended_at": func.now() if over else None,
    }
    if state is BroadcastState.SCHEDULED:
        values["scheduled_at"] = when
    if state is BroadcastState.RUNNING:
        values["started_at"] = func.coalesce(broadcasts.c.started_at, func.now())
    await tx.execute(update(broadcasts).where(broadcasts.c.id == row.id).values(**values))


async def resolved(tx: AsyncConnection, row: BroadcastRow, to: UUID | None, *, all_of_them: bool) -> None:
    """Note up to which guest the filter has been gone through."""
    values: dict[str, Any] = {"resolved_to": to or row.resolved_to}
    if all_of_them:
        values["resolved_at"] = func.now()
    await tx.execute(update(broadcasts).where(broadcasts.c.id == row.id).values(**values))


async def withdrawn(tx: AsyncConnection, row: BroadcastRow, to: UUID) -> None:
    """Note up to which recipient messages have been withdrawn."""
    await tx.execute(update(broadcasts).where(broadcasts.c.id == row.id).values(withdrawn_to=to))


_DUE_IN = CompiledStatement(
    update(broadcasts)
    .where(broadcasts.c.id == bindparam("broadcast"))
    .values(due_at=func.clock_timestamp() + seconds(bindparam("wait", type_=Float)))
)


async def due_in(tx: AsyncConnection, row: BroadcastRow, wait: float | None) -> None:
    """Note when somebody is to go on with it; None: nobody is."""
    await _DUE_IN(tx, broadcast=row.id, wait=wait)


@dataclass(slots=True)
class Overdue:
    """A broadcast that nobody goes on with."""

    id: UUID
    scope_id: UUID


_OVERDUE = CompiledStatement(
    text(
        """
        select id, scope_id from broadcasts where due_at < now() - make_interval(secs => :grace)
        order by due_at, id limit :most
        """
    ).bindparams(bindparam("grace", type_=Float)),
    row=Overdue,
)


async def overdue(tx: AsyncConnection, grace: float, most: int) -> list[Overdue]:
    """Those whose time was over so many seconds ago, the oldest first."""
    return await _OVERDUE(tx, grace=grace, most=most)
