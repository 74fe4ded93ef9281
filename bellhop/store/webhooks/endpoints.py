"""Customers' webhook endpoints and what is owed to them, as their owners see and change them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    any_,
    case,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain.ids import CLOCK_SLACK, earlier, earliest_id
from bellhop.domain.paging import COUNTED, Listed, PageRequest, Place
from bellhop.domain.rows.webhooks import DeliveryRow, DeliveryState, EndpointFields, EndpointFormat, EndpointRow
from bellhop.domain.scopes import Scope
from bellhop.domain.signing import new_secret
from bellhop.store import pages
from bellhop.store.rows import first_of, from_result, from_row
from bellhop.store.tables import deliveries, endpoints, events, pending_deliveries
from bellhop.store.webhooks.deliveries import abandon

ROTATION_OVERLAP = timedelta(hours=24)
"""How long the old secret still signs beside the new one."""


_COLUMNS = [endpoints.c[each.name] for each in fields(EndpointRow) if each.name != "property_id"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did. `inactive`: nothing, because the endpoint takes no deliveries. `last`: where the next part of
    it begins, None when that was all."""

    count: int
    row: DeliveryRow | None = None
    inactive: bool = False
    last: UUID | None = None


_RESTED: dict[str, Any] = {
    "rests_until": None,
    "draining_until": case((endpoints.c.rests_until > func.now(), None), else_=endpoints.c.draining_until),
}
"""Its rest is over: its owner wants something of it now, and the one who waits for the end is not waited for."""
REPLAYED_AT_ONCE = 5_000
"""Deliveries that one transaction makes due again."""
_FORGOTTEN: dict[str, Any] = {
    "secret": "",
    "previous_secret": None,
    "previous_until": None,
    "url": func.regexp_replace(endpoints.c.url, "^([^:]+://)([^/?#]*@)?([^/?#]*).*$", r"\1\3"),
}


def _mine(scope: Scope, endpoint_id: UUID | None = None) -> ColumnElement[bool]:
    # Those that single messages name are nobody's to look at.
    named = endpoints.c.format != EndpointFormat.SENDBLUE_CALLBACK.value
    mine = and_(endpoints.c.scope_id == scope.id, endpoints.c.deleted_at.is_(None), named)
    return mine if endpoint_id is None else and_(mine, endpoints.c.id == endpoint_id)


def _columns(scope: Scope) -> list[ColumnElement[Any]]:
    return [*_COLUMNS, literal(scope.property_id, Uuid).label("property_id")]


async def alone(tx: AsyncConnection, scope: Scope) -> None:
    """One after the other within a scope makes endpoints, or two would be the last at once."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"endpoints of {scope.id}", 0))))


async def count(tx: AsyncConnection, scope: Scope) -> int:
    """How many endpoints this scope has."""
    there = await tx.execute(select(func.count()).select_from(endpoints).where(_mine(scope)))
    return int(there.scalar_one())


async def create(
    tx: AsyncConnection, scope: Scope, url: str, types: list[str], description: str | None, most: int
) -> EndpointRow | None:
    """A new endpoint with a fresh secret. `types`: event types, or `["*"]`. None when the scope has `most` already."""
    await alone(tx, scope)
    if await count(tx, scope) >= most:
        return None
    made = await tx.execute(
        insert(endpoints)
        .values(scope_id=scope.id, url=url, secret=new_secret(), events=types, description=description)
        .returning(*_columns(scope))
    )
    return from_row(EndpointRow, made.one())


async def get(tx: AsyncConnection, scope: Scope, endpoint_id: UUID) -> EndpointRow | None:
    """An endpoint of this scope that was not deleted, or None."""
    return first_of(EndpointRow, await tx.execute(select(*_columns(scope)).where(_mine(scope, endpoint_id))))


async def listing(
    tx: AsyncConnection, scope: Scope, asked: PageRequest, form: EndpointFormat | None = None
) -> Listed[EndpointRow]:
    """The endpoints of this scope, newest first. `form`: those of this format alone."""
    query = select(*_columns(scope)).where(_mine(scope))
    if form is not None:
        query = query.where(endpoints.c.format == form.value)
    newest = query.where(endpoints.c.id < pages.before(asked)).order_by(endpoints.c.id.desc())
    rows = from_result(EndpointRow, await tx.execute(pages.taken(newest, asked)))
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, query))


async def change(tx: AsyncConnection, scope: Scope, endpoint_id: UUID, to_set: EndpointFields) -> EndpointRow | None:
    """Set what is given. Switching it on again clears why it was switched off, and lets what
    is still owed go out: wake its workflow after the commit. So does another URL where it rests."""
    values: dict[str, Any] = {**to_set, "updated_at": func.now()}
    if to_set.get("is_active"):
        values |= {"disabled_at": None, "disabled_reason": None, "failing_since": None}
    if to_set.get("is_active") or "url" in to_set:
        values |= _RESTED
    changed = await tx.execute(
        update(endpoints).where(_mine(scope, endpoint_id)).values(**values).returning(*_columns(scope))
    )
    return first_of(EndpointRow, changed)


async def rotate(tx: AsyncConnection, scope: Scope, endpoint_id: UUID) -> EndpointRow | None:
    """A new secret; for a day deliveries are signed with both."""
    changed = await tx.execute(
        update(endpoints)
        .where(_mine(scope, endpoint_id))
        .values(
            previous_secret=endpoints.c.secret,
            previous_until=func.now() + ROTATION_OVERLAP,
            secret=new_secret(),
            updated_at=func.now(),
        )
        .returning(*_columns(scope))
    )
    return first_of(EndpointRow, changed)


async def remove(tx: AsyncConnection, scope: Scope, endpoint_id: UUID) -> bool:
    """Delete an endpoint, and nothing stays that could sign or open something: no secret, and of its URL the host
    alone. What it was still owed is abandoned, a large backlog later: wake its workflow after the commit. False when
    there is none."""
    gone = await tx.execute(
        update(endpoints)
        .where(_mine(scope, endpoint_id))
        .values(deleted_at=func.now(), is_active=False, updated_at=func.now(), draining_until=None, **_FORGOTTEN)
        .returning(endpoints.c.id)
    )
    if gone.scalar_one_or_none() is None:
        return False
    await abandon(tx, endpoint_id)
    return True


def _shown(of: FromClause) -> Select[Any]:
    """DeliveryRows of the table of deliveries, or of some of it."""
    columns: list[ColumnElement[Any]] = [
        # While it is pending it is due when that says so, which is never behind.
        func.coalesce(pending_deliveries.c.next_at, of.c.next_at).label("next_at")
        if each.name == "next_at"
        else of.c[each.name]
        for each in fields(DeliveryRow)
        if each.name != "event_type"
    ]
    return (
        select(*columns, events.c.type.label("event_type"))
        .select_from(of)
        .join(events, events.c.id == of.c.event_id)
        .outerjoin(pending_deliveries, pending_deliveries.c.delivery_id == of.c.id)
    )


async def listing_deliveries(
    tx: AsyncConnection, scope: Scope, endpoint_id: UUID, asked: PageRequest, *, state: DeliveryState | None
) -> Listed[DeliveryRow] | None:
    """Deliveries of an endpoint, the newest event first; None when the scope has no such endpoint."""
    if await get(tx, scope, endpoint_id) is None:
        return None
    of_endpoint: Select[Any] = select(deliveries)
    if state is not None:
        # Written out: only then are the indexes of single states used.
        of_endpoint = of_endpoint.where(deliveries.c.state == literal_column(f"'{state.value}'"))
    # Not as `pages.within` says it: there is no index by event alone that could be taken, and of that condition the
    # planner expects so little of each month that it sorts them all.
    every = of_endpoint.where(deliveries.c.endpoint_id == endpoint_id).order_by(deliveries.c.event_id.desc())
    listed = pages.taken(every.where(deliveries.c.event_id < pages.before(asked)), asked).subquery()
    if state is DeliveryState.PENDING:
        pending = pending_deliveries.c
        waiting: Select[Any] = select(pending.event_id)
        every = waiting.where(pending.endpoint_id == endpoint_id)
        if await pages.count(tx, every) <= COUNTED:
            # Few, and they may be far apart among what was delivered: all of them, and then the newest. Of many, those
            # that are asked for are close together.
            few = every.cte("few").prefix_with("materialized", dialect="postgresql")
            newest = select(few.c.event_id).where(few.c.event_id < pages.before(asked)).order_by(few.c.event_id.desc())
            keys = pages.taken(newest, asked).subquery()
            mine = and_(deliveries.c.endpoint_id == endpoint_id, deliveries.c.event_id == keys.c.event_id)
            listed = select(deliveries).join(keys, mine).subquery()
    found = await tx.execute(_shown(listed).order_by(listed.c.event_id.desc()))
    return await pages.page(
        from_result(DeliveryRow, found), asked, lambda row: Place(row.event_id), lambda: pages.count(tx, every)
    )


_SAME_STATEMENT = timedelta(seconds=30)
"""How far ids are apart at most that one statement made."""
_AFRESH: dict[str, Any] = {"state": "pending", "attempts": 0, "next_at": func.now(), "delivered_at": None}


async def replay_one(tx: AsyncConnection, scope: Scope, endpoint_id: UUID, delivery_id: UUID) -> Replayed | None:
    """Owe one delivery again, from the start of the schedule; None when there is no such delivery here."""
    endpoint = await _taken(tx, scope, endpoint_id)
    if endpoint is None:
        return None
    # The event's own was made by the same statement: what is looked through is a minute of the endpoint.
    wanted = _shown(deliveries).where(
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.id == delivery_id,
        deliveries.c.event_id.between(earlier(delivery_id, _SAME_STATEMENT), earlier(delivery_id, -_SAME_STATEMENT)),
    )
    there = first_of(DeliveryRow, await tx.execute(wanted))
    if there is None:
        return None
    if not endpoint.is_active:
        return Replayed(0, inactive=True)
    mine = (deliveries.c.endpoint_id == endpoint_id, deliveries.c.event_id == there.event_id)
    await tx.execute(update(deliveries).where(*mine).values(**_AFRESH))
    return Replayed(1, first_of(DeliveryRow, await tx.execute(wanted)))


async def replay_failed(
    tx: AsyncConnection, scope: Scope, endpoint_id: UUID, since: datetime, after: UUID | None = None
) -> Replayed | None:
    """Owe again deliveries that failed for good and were first owed at `since` or later, as many as one transaction may
    and beyond `after`; None: no such endpoint."""
    endpoint = await _taken(tx, scope, endpoint_id)
    if endpoint is None:
        return None
    if not endpoint.is_active:
        return Replayed(0, inactive=True)
    failed = (
        select(deliveries.c.event_id)
        .where(
            deliveries.c.endpoint_id == endpoint_id,
            deliveries.c.event_id >= earliest_id(since - CLOCK_SLACK),
            deliveries.c.state == "failed",
            deliveries.c.created_at >= since,
        )
        .order_by(deliveries.c.event_id)
        .limit(REPLAYED_AT_ONCE)
    )
    if after is not None:
        failed = failed.where(deliveries.c.event_id > after)
    again = await tx.execute(
        update(deliveries)
        .where(
            deliveries.c.endpoint_id == endpoint_id,
            deliveries.c.event_id == any_(func.array(failed.scalar_subquery(), type_=ARRAY(Uuid))),
        )
        .values(**_AFRESH)
        .returning(deliveries.c.event_id)
    )
    ids = sorted(again.scalars())
    return Replayed(len(ids), last=ids[-1] if len(ids) == REPLAYED_AT_ONCE else None)


async def _taken(tx: AsyncConnection, scope: Scope, endpoint_id: UUID) -> EndpointRow | None:
    """An endpoint whose deliveries are about to be written: its row first, and its rest is over."""
    return first_of(
        EndpointRow,
        await tx.execute(
            update(endpoints).where(_mine(scope, endpoint_id)).values(**_RESTED).returning(*_columns(scope))
        ),
    )
