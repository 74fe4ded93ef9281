"""Stays: written as the property's software knows them, looked at."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.stays import StayRow
from bellhop.domain.scopes import Scope
from bellhop.domain.stays import BadDates, StayFields, WhichStays
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.store.conversations import taking_over
from bellhop.store.guests import stays
from bellhop.store.guests.stays import UnknownGuests, Written


async def upsert(engine: Engine, scope: Scope, source: str, reservation: str, fields: StayFields) -> Written:
    """Make a stay, or change the one of this source and reservation: what `fields` leaves out stays as it is. Raises
    InvalidField."""
    endpoints: set[UUID] = set()

    async def write(tx: AsyncConnection) -> Written:
        done = await stays.upsert(tx, scope, source, reservation, fields)
        endpoints.update(await taking_over.take_over(tx, scope.id, done.row.guests))
        return done

    try:
        done = await engine.database.write(write)
    except (UnknownGuests, BadDates) as problem:
        raise _refused(problem) from None
    engine.dispatcher.wake_endpoints(endpoints)
    return done


async def change(engine: Engine, scope: Scope, stay_id: UUID, fields: StayFields) -> StayRow:
    """Set `fields` of a stay. Raises NotFound, InvalidField."""
    endpoints: set[UUID] = set()

    async def write(tx: AsyncConnection) -> StayRow:
        row = await stays.change(tx, scope, stay_id, fields)
        if row is None:
            raise NotFound
        endpoints.update(await taking_over.take_over(tx, scope.id, row.guests))
        return row

    try:
        row = await engine.database.write(write)
    except (UnknownGuests, BadDates) as problem:
        raise _refused(problem) from None
    engine.dispatcher.wake_endpoints(endpoints)
    return row


async def get(engine: Engine, scope: Scope, stay_id: UUID) -> StayRow:
    """One stay. Raises NotFound."""
    row = await engine.database.read(lambda tx: stays.get(tx, scope, stay_id))
    if row is None:
        raise NotFound
    return row


async def listing(engine: Engine, scope: Scope, asked: PageRequest, which: WhichStays) -> Listed[StayRow]:
    """Stays, the newest first."""
    return await engine.database.read(lambda tx: stays.listing(tx, scope, asked, which))


def _refused(problem: UnknownGuests | BadDates) -> InvalidField:
    if isinstance(problem, BadDates):
        return InvalidField("departure", str(problem), "departure")
    return InvalidField(f"guests.{problem.places[0]}", "expected a guest of this property", "guest_unknown")
