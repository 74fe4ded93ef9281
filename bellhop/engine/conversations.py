"""Conversations with guests: listed, looked at, read."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.conversations import Conversation, Entry, WhichConversations
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.conversations import conversations
from bellhop.store.conversations import history as messages


async def listing(engine: Engine, scope: Scope, which: WhichConversations) -> Listed[Conversation]:
    """Conversations of a scope, that with the newest message first."""
    return await engine.database.read(lambda tx: conversations.listing(tx, scope, which))


async def get(engine: Engine, scope: Scope, conversation_id: UUID) -> Conversation:
    """One conversation. Raises NotFound."""
    return await engine.database.read(lambda tx: _there(tx, scope, conversation_id))


async def history(
    engine: Engine, scope: Scope, conversation_id: UUID, asked: PageRequest, *, oldest_first: bool = False
) -> Listed[Entry]:
    """What was written in it, both ways. Raises NotFound."""

    async def work(tx: AsyncConnection) -> Listed[Entry]:
        await _there(tx, scope, conversation_id)
        return await messages.history(tx, scope, conversation_id, asked, oldest_first=oldest_first)

    return await engine.database.read(work)


async def _there(tx: AsyncConnection, scope: Scope, conversation_id: UUID) -> Conversation:
    found = await conversations.get(tx, scope, conversation_id)
    if found is None:
        raise NotFound
    return found
