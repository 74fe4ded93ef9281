"""What will go out to a guest, or to the guests of a stay."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.provider_urls import Routes
from bellhop.domain.routing import carried
from bellhop.domain.scopes import Scope
from bellhop.domain.upcoming import Upcoming
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.delivery import upcoming
from bellhop.store.delivery.upcoming import Preview
from bellhop.store.guests import profiles, stays


async def of_guest(
    engine: Engine, routes: Routes, scope: Scope, guest_id: UUID, asked: PageRequest
) -> Listed[Upcoming]:
    """What is to go out to a guest in the days to come. Raises NotFound."""

    async def work(tx: AsyncConnection) -> Listed[Upcoming]:
        if await profiles.get(tx, scope, guest_id) is None:
            raise NotFound
        return await _listing(tx, engine, routes, scope, [guest_id], asked)

    return await engine.database.read(work)


async def of_stay(engine: Engine, routes: Routes, scope: Scope, stay_id: UUID, asked: PageRequest) -> Listed[Upcoming]:
    """The same for all guests of a stay. Raises NotFound."""

    async def work(tx: AsyncConnection) -> Listed[Upcoming]:
        row = await stays.get(tx, scope, stay_id)
        if row is None:
            raise NotFound
        return await _listing(tx, engine, routes, scope, row.guests, asked)

    return await engine.database.read(work)


async def _listing(
    tx: AsyncConnection, engine: Engine, routes: Routes, scope: Scope, guests: Sequence[UUID], asked: PageRequest
) -> Listed[Upcoming]:
    finder = Preview(engine.delivery, routes, carried(engine.providers), engine.cipher, engine.book)
    return await upcoming.listing(tx, finder, scope, guests, asked)
