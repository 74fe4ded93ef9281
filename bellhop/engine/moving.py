"""A guest's message moved to another guest, with who did it and why on record."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.operators import Operator, OperatorAction
from bellhop.domain.rows.conversations import Entry
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound, UnknownGuest, WriterKnown
from bellhop.store.access import operator_actions
from bellhop.store.conversations import conversations, moving


async def move(engine: Engine, scope: Scope, message_id: UUID, guest_id: UUID, operator: Operator) -> Entry:
    """Say whose a guest's message is. Repeating it changes nothing. Raises NotFound, UnknownGuest, WriterKnown."""

    async def work(tx: AsyncConnection) -> Entry:
        try:
            moved = await moving.move(tx, scope, message_id, guest_id, engine.book)
        except moving.UnknownGuest:
            raise UnknownGuest("guest_id") from None
        except moving.WriterKnown:
            raise WriterKnown from None
        if moved is None:
            raise NotFound
        if moved:
            await operator_actions.write(tx, scope, OperatorAction.MOVE, message_id, operator)
        return (await conversations.entries(tx, scope, [message_id]))[message_id]

    return await engine.database.write(work)
