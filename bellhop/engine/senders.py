"""Senders of a property: looked at, and set to stand by for one another."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.delivery import Backlog
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.delivery import parked, sender_rows
from bellhop.store.delivery.sender_rows import OwnSender as OwnSender


async def listing(engine: Engine, scope: Scope, asked: PageRequest) -> Listed[OwnSender]:
    """The senders of a scope, in the order in which each channel uses them."""
    every = await engine.database.read(lambda tx: sender_rows.listing(tx, scope))
    after = asked.after
    there = (at + 1 for at, row in enumerate(every) if after and row.id == after.id)
    first = next(there, len(every)) if after else asked.offset
    listed = every[first : first + asked.limit]
    return Listed(listed, len(every), next=Place(listed[-1].id) if listed and every[first + asked.limit :] else None)


async def stand_by(engine: Engine, scope: Scope, sender_id: UUID, standby: bool) -> OwnSender:
    """Whether a sender takes over where the one before it surely did not take a message. Raises NotFound."""

    async def work(tx: AsyncConnection) -> tuple[OwnSender, list[Backlog]]:
        if not await sender_rows.stand_by(tx, scope, sender_id, standby):
            raise NotFound
        (row,) = [one for one in await sender_rows.listing(tx, scope) if one.id == sender_id]
        return row, await parked.backlogs(tx, scope.id)

    row, backlogs = await engine.database.write(work)
    engine.dispatcher.release(backlogs)
    return row
