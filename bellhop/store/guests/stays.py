"""Stays of a scope: found by source and reservation or made, changed, listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, delete, func, insert, literal, literal_column, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert_into
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.stays import StayRow
from bellhop.domain.scopes import Scope
from bellhop.domain.stays import LONGEST, OVER, StayFields, WhichStays, check_dates
from bellhop.store import pages
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import guests, stay_guests, stays

# As text: SQLAlchemy correlates nothing with what an insert or an update returns.
_GUESTS: ColumnElement[Any] = literal_column(
    "array(select guest_id from stay_guests where stay_id = stays.id order by position)", ARRAY(Uuid)
).label("guests")


class UnknownGuests(Exception):
    """The scope has no such guests. `places`: where they stand in the list."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__()
        self.places = places


@dataclass(frozen=True, slots=True)
class Written:
    """A stay after it was written, and whether it is new."""

    row: StayRow
    created: bool = False


async def upsert(tx: AsyncConnection, scope: Scope, source: str, reservation: str, fields: StayFields) -> Written:
    """Make a stay, or change the one of this source and reservation. Raises UnknownGuests, BadDates.

    Lock order: guests, then the stay."""
    given = await _locked_guests(tx, scope, fields)
    made = await tx.execute(
        upsert_into(stays)
        .values(scope_id=scope.id, source=source, reservation=reservation)
        .on_conflict_do_nothing()
        .returning(stays.c.id)
    )
    new = made.scalar_one_or_none()
    named = stays.c.source == source, stays.c.reservation == reservation
    found = await tx.execute(_of(scope).where(*named).with_for_update(of=stays))
    return Written(await _apply(tx, scope, _one(found), fields, given), created=new is not None)


async def change(tx: AsyncConnection, scope: Scope, stay_id: UUID, fields: StayFields) -> StayRow | None:
    """Set `fields` of a stay; None when the scope has no such stay. Raises UnknownGuests, BadDates."""
    given = await _locked_guests(tx, scope, fields)
    found = first_of(StayRow, await tx.execute(_of(scope).where(stays.c.id == stay_id).with_for_update(of=stays)))
    return None if found is None else await _apply(tx, scope, found, fields, given)


async def get(tx: AsyncConnection, scope: Scope, stay_id: UUID) -> StayRow | None:
    """A stay of this scope, or None."""
    return first_of(StayRow, await tx.execute(_of(scope).where(stays.c.id == stay_id)))


async def listing(tx: AsyncConnection, scope: Scope, asked: PageRequest, which: WhichStays) -> Listed[StayRow]:
    """Stays, the newest first."""
    query = _of(scope)
    for column, value in (
        (stays.c.status, which.status),
        (stays.c.source, which.source),
        (stays.c.reservation, which.reservation),
    ):
        if value is not None:
            query = query.where(column == value)
    if which.guest_id is not None:
        theirs = select(stay_guests.c.stay_id).where(stay_guests.c.guest_id == which.guest_id)
        query = query.where(stays.c.id.in_(theirs))
    query = query.where(*_touching(which.first, which.last))
    newest = pages.within(query, stays.c.scope_id, scope.id, stays.c.id, pages.before(asked))
    rows = from_result(StayRow, await tx.execute(pages.taken(newest, asked)))
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, query))


async def forget(tx: AsyncConnection, guest_id: UUID) -> None:
    """Take a guest, who is locked, out of their stays. What nobody else is a guest of goes altogether."""
    mine = select(stay_guests.c.stay_id).where(stay_guests.c.guest_id == guest_id)
    locked = await tx.execute(select(stays.c.id).where(stays.c.id.in_(mine)).order_by(stays.c.id).with_for_update())
    ids = list(locked.scalars())
    if not ids:
        return
    await tx.execute(delete(stay_guests).where(stay_guests.c.guest_id == guest_id))
    others = select(stay_guests.c.stay_id).where(stay_guests.c.stay_id == stays.c.id).exists()
    await tx.execute(delete(stays).where(stays.c.id.in_(ids), ~others))


def _columns(scope: Scope) -> list[ColumnElement[Any]]:
    return [*stays.c, literal(scope.property_id, Uuid).label("property_id"), _GUESTS]


def _of(scope: Scope) -> Select[Any]:
    return select(*_columns(scope)).where(stays.c.scope_id == scope.id)


def _one(found: Any) -> StayRow:
    row = first_of(StayRow, found)
    assert row is not None
    return row


def _touching(first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """Of a stay one day is enough to know it by. Both days are bounded on both sides, so that an index of either finds
    the few."""
    wanted: list[ColumnElement[bool]] = []
    arrival = func.coalesce(stays.c.arrival, stays.c.departure)
    departure = func.coalesce(stays.c.departure, stays.c.arrival)
    if last is not None:
        wanted += [arrival <= last, departure <= last + LONGEST]
    if first is not None:
        wanted += [departure >= first, arrival >= first - LONGEST]
    return wanted


async def _locked_guests(tx: AsyncConnection, scope: Scope, fields: StayFields) -> list[UUID] | None:
    """The guests that are given, each once, in order; none of them is erased before this transaction ends."""
    if "guests" not in fields:
        return None
    given = list(dict.fromkeys(fields["guests"]))
    found = await tx.execute(
        select(guests.c.id)
        .where(guests.c.scope_id == scope.id, guests.c.id.in_(given))
        .order_by(guests.c.id)
        .with_for_update(read=True, key_share=True)
    )
    known = set(found.scalars())
    if missing := [place for place, one in enumerate(fields["guests"]) if one not in known]:
        raise UnknownGuests(missing)
    return given


async def _apply(
    tx: AsyncConnection, scope: Scope, row: StayRow, fields: StayFields, given: list[UUID] | None
) -> StayRow:
    """Write what differs. `given`: its guests from now on; None: as they are."""
    check_dates(fields.get("arrival", row.arrival), fields.get("departure", row.departure))
    changed = {name: value for name, value in fields.items() if name != "guests" and getattr(row, name) != value}
    others = given is not None and given != row.guests
    if not changed and not others:
        return row
    if others and given is not None:
        await tx.execute(delete(stay_guests).where(stay_guests.c.stay_id == row.id))
        if given:
            await tx.execute(
                insert(stay_guests).values(
                    [{"stay_id": row.id, "guest_id": one, "position": place} for place, one in enumerate(given)]
                )
            )
    if "status" in changed:
        changed["ended_at"] = func.now() if changed["status"] in OVER else None
    await tx.execute(update(stays).where(stays.c.id == row.id).values(**changed, updated_at=func.now()))
    return _one(await tx.execute(_of(scope).where(stays.c.id == row.id)))
