"""What the property does with a conversation: it is assigned, tagged, put aside, closed, opened again, read.

Lock order: the conversation; nothing after it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.conversations import ConversationStatus
from bellhop.domain.events import EventType
from bellhop.domain.rows.conversations import ConversationFields, ConversationRow
from bellhop.domain.scopes import Scope
from bellhop.store.conversations.conversations import SUBJECT, of
from bellhop.store.rows import first_of
from bellhop.store.tables import conversations, messages
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent


async def lock(tx: AsyncConnection, scope: Scope, conversation_id: UUID) -> bool:
    """Whether this scope has such a conversation, which nothing changes before the commit, no message either."""
    mine = conversations.c.scope_id == scope.id, conversations.c.id == conversation_id
    found = await tx.execute(select(conversations.c.id).where(*mine).with_for_update(key_share=True))
    return found.scalar_one_or_none() is not None


async def change(
    tx: AsyncConnection, scope: Scope, conversation_id: UUID, fields: ConversationFields
) -> set[UUID] | None:
    """Set `fields`. Returns the endpoints that are owed an event; None: no such conversation here."""
    if not await lock(tx, scope, conversation_id):
        return None
    # Read under the lock.
    row = first_of(ConversationRow, await tx.execute(of(scope).where(conversations.c.id == conversation_id)))
    assert row is not None
    values: dict[str, Any] = {
        name: fields[name] for name in ("assigned_to", "tags") if name in fields and fields[name] != getattr(row, name)
    }
    changed = sorted(values)
    stands = _standing(row, fields)
    if stands:
        values |= stands
        changed.append("status")
    if not changed:
        return set()
    await tx.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(**values, updated_at=func.now())
    )
    return await write_event(tx, scope.id, conversation_id, changed)


def _standing(row: ConversationRow, fields: ConversationFields) -> dict[str, Any]:
    """What makes it stand as `fields` say, if it does not."""
    status = fields.get("status")
    until = fields.get("snoozed_until", row.snoozed_until)
    if status is None and "snoozed_until" in fields and until != row.snoozed_until:
        return {"snoozed_until": until, **({} if until is None else {"closed_at": None})}
    if status is ConversationStatus.SNOOZED and (row.status is not status or until != row.snoozed_until):
        return {"snoozed_until": until, "closed_at": None}
    if status is ConversationStatus.CLOSED and row.status is not status:
        return {"closed_at": func.now(), "snoozed_until": None}
    if status is ConversationStatus.OPEN and row.status is not status:
        return {"closed_at": None, "snoozed_until": None}
    return {}


async def write_event(tx: AsyncConnection, scope_id: UUID, conversation_id: UUID, changed: list[str]) -> set[UUID]:
    """Write `conversation.updated`. Returns the endpoints that are owed it."""
    event = NewEvent(EventType.CONVERSATION_UPDATED.value, facts={"changed": changed})
    return await events.write(tx, scope_id, SUBJECT, conversation_id, [event])


async def read(tx: AsyncConnection, scope: Scope, conversation_id: UUID, up_to: UUID) -> bool:
    """Move the property's mark to the last of the guest's messages up to that key; never back. False: no such
    conversation here."""
    if not await lock(tx, scope, conversation_id):
        return False
    last = await tx.execute(
        select(messages.c.id)
        .where(messages.c.conversation_id == conversation_id, messages.c.direction == "inbound", messages.c.id <= up_to)
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    if (found := last.scalar_one_or_none()) is not None:
        further = func.coalesce(conversations.c.read_id < found, True)
        await tx.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id, further)
            .values(read_id=found, read_at=func.now(), updated_at=func.now())
        )
    return True
