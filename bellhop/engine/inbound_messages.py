"""What guests have written: one message, and what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.conversations import inbound_messages


async def get(engine: Engine, scope: Scope, message_id: UUID) -> PublicMessage:
    """One message of a guest's. Raises NotFound."""
    row = await engine.database.read(lambda tx: inbound_messages.get(tx, scope, message_id))
    if row is None:
        raise NotFound
    return row


async def timeline(engine: Engine, scope: Scope, message_id: UUID) -> list[dict[str, Any]]:
    """What became of it, in the order of time. Raises NotFound."""
    await get(engine, scope, message_id)
    return await engine.database.read(lambda tx: inbound_messages.entries(tx, scope, message_id))
