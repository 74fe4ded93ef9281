"""Conversations with guests: listed, read, assigned, put aside, closed, noted. Replies: `replies.py`."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.conversations import ConversationStatus, Side
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.conversations import Conversation, ConversationFields, Entry, NoteRow, WhichConversations
from bellhop.domain.scopes import Scope
from bellhop.domain.windows import GUEST_READS
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound, OutsideWindow
from bellhop.store import pages
from bellhop.store.conversations import changes, conversations, notes
from bellhop.store.conversations import history as messages

OVER = {
    Side.PROPERTY: None,
    Side.GUEST: f"Guests can look at what was written about a stay for {GUEST_READS.days} days after its check-out or "
    "cancellation: that is over.",
}
"""What each side is told that comes too late; None: as usual."""


async def listing(engine: Engine, scope: Scope, which: WhichConversations) -> Listed[Conversation]:
    """Conversations of a scope, that with the newest message first."""
    return await engine.database.read(lambda tx: conversations.listing(tx, scope, which))


async def get(engine: Engine, scope: Scope, conversation_id: UUID) -> Conversation:
    """One conversation. Raises NotFound."""
    return await engine.database.read(lambda tx: _there(tx, scope, conversation_id))


async def history(
    engine: Engine,
    scope: Scope,
    conversation_id: UUID,
    asked: PageRequest,
    *,
    oldest_first: bool = False,
    side: Side = Side.PROPERTY,
) -> Listed[Entry]:
    """What was written in it, both ways. `side`: who looks, each for so long after a stay (`domain.windows`). Raises
    NotFound, OutsideWindow."""

    async def work(tx: AsyncConnection) -> Listed[Entry]:
        await readable(tx, scope, await _there(tx, scope, conversation_id), side)
        return await messages.history(tx, scope, conversation_id, asked, oldest_first=oldest_first)

    return await engine.database.read(work)


async def change(engine: Engine, scope: Scope, conversation_id: UUID, fields: ConversationFields) -> Conversation:
    """Set `fields` of a conversation; what is as it was changes nothing. Raises NotFound, InvalidField."""
    status, until = fields.get("status"), fields.get("snoozed_until")
    if status is ConversationStatus.SNOOZED and until is None:
        raise InvalidField("snoozed_until", "expected a time until which it is put aside", "snoozed_until")
    if status not in (None, ConversationStatus.SNOOZED) and until is not None:
        expected = f"expected none, or null: it is to be {status.value}" if status else ""
        raise InvalidField("snoozed_until", expected, "snoozed_until")

    async def work(tx: AsyncConnection) -> tuple[set[UUID], Conversation]:
        endpoints = await changes.change(tx, scope, conversation_id, fields)
        if endpoints is None:
            raise NotFound
        return endpoints, await _there(tx, scope, conversation_id)

    endpoints, changed = await engine.database.write(work)
    engine.dispatcher.wake_endpoints(endpoints)
    return changed


async def read(engine: Engine, scope: Scope, conversation_id: UUID, up_to: UUID | None) -> Conversation:
    """Say that the property has read the guest's messages up to that one; None: all. Raises NotFound."""

    async def work(tx: AsyncConnection) -> Conversation:
        if not await changes.read(tx, scope, conversation_id, up_to or pages.LAST):
            raise NotFound
        return await _there(tx, scope, conversation_id)

    return await engine.database.write(work)


async def add_note(
    engine: Engine, scope: Scope, conversation_id: UUID, content: str, author: str | None, key_id: UUID | None
) -> NoteRow:
    """Note something beside a conversation. Raises NotFound."""
    row = await engine.database.write(lambda tx: notes.add(tx, scope, conversation_id, content, author, key_id))
    if row is None:
        raise NotFound
    return row


async def list_notes(engine: Engine, scope: Scope, conversation_id: UUID, asked: PageRequest) -> Listed[NoteRow]:
    """What was noted beside it, newest first. Raises NotFound, OutsideWindow."""

    async def work(tx: AsyncConnection) -> Listed[NoteRow]:
        await readable(tx, scope, await _there(tx, scope, conversation_id))
        return await notes.listing(tx, scope, conversation_id, asked)

    return await engine.database.read(work)


async def readable(tx: AsyncConnection, scope: Scope, known: Conversation, side: Side = Side.PROPERTY) -> None:
    """Raises OutsideWindow where that side may not look at it any more."""
    if known.row.stay_id is None:
        return
    over = (await conversations.ends(tx, scope, [known.row.stay_id])).get(known.row.stay_id)
    if over is not None and not conversations.readable(over, side):
        raise OutsideWindow(OVER[side])


async def _there(tx: AsyncConnection, scope: Scope, conversation_id: UUID) -> Conversation:
    found = await conversations.get(tx, scope, conversation_id)
    if found is None:
        raise NotFound
    return found
