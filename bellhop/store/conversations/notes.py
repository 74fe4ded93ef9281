"""Notes of the property beside a conversation: guests never see them, and they go with their guest."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import any_, delete, func, insert, literal, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.conversations import NoteRow
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.conversations import changes
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import conversation_notes, conversations, messages, stay_guests

_COLUMNS = [
    conversation_notes.c[name] for name in ("id", "conversation_id", "author", "key_id", "content", "created_at")
]


async def add(
    tx: AsyncConnection, scope: Scope, conversation_id: UUID, content: str, author: str | None, key_id: UUID | None
) -> NoteRow | None:
    """Write a note; None: no such conversation here. Under the conversation's lock, as its erasure is."""
    if not await changes.lock(tx, scope, conversation_id):
        return None
    made = await tx.execute(
        insert(conversation_notes)
        .values(scope_id=scope.id, conversation_id=conversation_id, content=content, author=author, key_id=key_id)
        .returning(*_COLUMNS)
    )
    return first_of(NoteRow, made)


async def listing(tx: AsyncConnection, scope: Scope, conversation_id: UUID, asked: PageRequest) -> Listed[NoteRow]:
    """Notes beside a conversation of this scope, newest first."""
    of, key = conversation_notes.c.conversation_id, conversation_notes.c.id
    every = select(*_COLUMNS).where(conversation_notes.c.scope_id == scope.id)
    newest = pages.within(every, of, conversation_id, key, pages.before(asked))
    rows = from_result(NoteRow, await tx.execute(pages.taken(newest, asked)))
    mine = every.where(of == conversation_id)
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, mine))


async def taken_part(tx: AsyncConnection, scope: Scope, guest_id: UUID) -> list[UUID]:
    """The conversations that a guest, who is locked, takes part in or has written in: before their messages are
    emptied, which say where that was."""
    theirs = select(stay_guests.c.stay_id).where(stay_guests.c.guest_id == guest_id)
    found = await tx.execute(
        union(
            select(conversations.c.id).where(conversations.c.guest_id == guest_id),
            select(conversations.c.id).where(conversations.c.stay_id.in_(theirs)),
            # Not only those that are in some: a planner would read the index of all who are.
            select(messages.c.conversation_id).where(messages.c.scope_id == scope.id, messages.c.guest_id == guest_id),
        )
    )
    return [key for key in found.scalars() if key is not None]


async def forget(tx: AsyncConnection, scope: Scope, conversation_ids: Sequence[UUID]) -> None:
    """Remove whatever the property noted beside conversations: notes, tags, whom they were given to."""
    if not conversation_ids:
        return
    mine = (
        conversations.c.scope_id == scope.id,
        conversations.c.id == any_(literal(list(conversation_ids), ARRAY(Uuid))),
    )
    locked = await tx.execute(select(conversations.c.id).where(*mine).order_by(conversations.c.id).with_for_update())
    keys = literal(list(locked.scalars()), ARRAY(Uuid))
    await tx.execute(delete(conversation_notes).where(conversation_notes.c.conversation_id == any_(keys)))
    await tx.execute(
        update(conversations)
        .where(conversations.c.id == any_(keys))
        .values(tags=[], assigned_to=None, updated_at=func.now())
    )
