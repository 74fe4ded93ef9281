"""What was written in a conversation, both ways, a page at a time."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.conversations import Entry
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.conversations.conversations import entry_columns
from bellhop.store.rows import from_result
from bellhop.store.tables import messages

_WROTE = 10
_RECENT = 50
"""How many of the newest are looked at for where a reply goes."""


async def history(
    tx: AsyncConnection, scope: Scope, conversation_id: UUID, asked: PageRequest, *, oldest_first: bool
) -> Listed[Entry]:
    """Messages of a conversation of this scope."""
    belongs, key = messages.c.conversation_id, messages.c.id
    every = select(*entry_columns(scope)).where(messages.c.scope_id == scope.id, belongs.is_not(None))
    mine = every.where(belongs == conversation_id)
    if oldest_first:
        # As `pages.within`, the other way round.
        both, after = tuple_(belongs, key), asked.after.id if asked.after else pages.FIRST
        ordered = every.where(and_(both > (conversation_id, after), both <= (conversation_id, pages.LAST)))
        ordered = ordered.order_by(belongs, key)
    else:
        ordered = pages.within(every, belongs, conversation_id, key, pages.before(asked))
    rows = from_result(Entry, await tx.execute(pages.taken(ordered, asked)))
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, mine))


async def wrote(tx: AsyncConnection, scope: Scope, conversation_id: UUID) -> list[Entry]:
    """What the guest wrote last in a conversation of this scope, newest first."""
    inbound = messages.c.direction == literal_column("'inbound'")
    return await _newest(tx, scope, conversation_id, _WROTE, inbound)


async def recent(tx: AsyncConnection, scope: Scope, conversation_id: UUID) -> list[Entry]:
    """What was written last in it, both ways, newest first."""
    return await _newest(tx, scope, conversation_id, _RECENT)


async def _newest(
    tx: AsyncConnection, scope: Scope, conversation_id: UUID, most: int, *which: ColumnElement[bool]
) -> list[Entry]:
    every = select(*entry_columns(scope)).where(
        messages.c.scope_id == scope.id, messages.c.conversation_id.is_not(None), *which
    )
    newest = pages.within(every, messages.c.conversation_id, conversation_id, messages.c.id)
    return from_result(Entry, await tx.execute(newest.limit(most)))
