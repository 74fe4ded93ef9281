"""Intents of guests' messages: written once for each message, listed, corrected, erased with their guest.

That a message is yet to be looked at is its own pending notification (`messages.wake_due_at`): set by whoever stores
it, taken away by the transaction that writes what was found. So a repeat finds nothing to do, whatever was lost before.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    any_,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.events import EventType
from bellhop.domain.intents import Detection
from bellhop.domain.paging import Listed, Place
from bellhop.domain.rows.intents import IntentFields, IntentRow, ListIntents, Undetected
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.compiled import seconds
from bellhop.store.delivery.left_behind import Place as Since
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import intents, messages
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

SUBJECT = "intent"
_PENDING = (messages.c.direction == literal_column("'inbound'"), messages.c.wake_due_at.is_not(None))


async def text_of(tx: AsyncConnection, message_id: UUID) -> str | None:
    """What a message says that is yet to be looked at; None: it was, or its guest is erased."""
    found = await tx.execute(select(messages.c.content).where(messages.c.id == message_id, *_PENDING))
    said: str | None = found.scalar_one_or_none()
    return said


async def write(tx: AsyncConnection, message_id: UUID, detection: Detection) -> set[UUID]:
    """What was found in a message, with an event each. Returns the endpoints that are owed one. A repeat, or one for an
    erased message, writes nothing."""
    taken = await tx.execute(
        update(messages)
        .where(messages.c.id == message_id, messages.c.erased_at.is_(None), *_PENDING)
        .values(wake_due_at=None)
        .returning(messages.c.scope_id, messages.c.guest_id, messages.c.conversation_id)
    )
    of = taken.one_or_none()
    if of is None or not detection.intents:
        return set()
    rows = [
        {
            "scope_id": of.scope_id,
            "message_id": message_id,
            "guest_id": of.guest_id,
            "conversation_id": of.conversation_id,
            "type": found.type.value,
            "detected_type": found.type.value,
            "confidence": round(1000 * found.confidence),
            "evidence": found.evidence,
            "detector": detection.detector.value,
        }
        for found in detection.intents
    ]
    written = await tx.execute(insert(intents).values(rows).returning(intents.c.id, intents.c.type))
    endpoints: set[UUID] = set()
    for row in written:
        created = NewEvent(EventType.GUEST_INTENT_CREATED.value, "created", {"type": row.type})
        endpoints |= await events.write(tx, of.scope_id, SUBJECT, row.id, [created])
    return endpoints


async def undetected(tx: AsyncConnection, grace: float, after: Since, most: int) -> list[Undetected]:
    """Messages that nobody has looked at for `grace` seconds: the next after that place."""
    found = await tx.execute(
        select(messages.c.id, messages.c.scope_id, messages.c.wake_due_at)
        .where(
            *_PENDING,
            messages.c.wake_due_at < func.now() - seconds(grace),
            tuple_(messages.c.wake_due_at, messages.c.id) > (after.at, after.id),
        )
        .order_by(messages.c.wake_due_at, messages.c.id)
        .limit(most)
    )
    return from_result(Undetected, found)


def _columns(scope: Scope) -> list[ColumnElement[Any]]:
    return [
        intents.c.id,
        literal(scope.property_id, Uuid).label("property_id"),
        *(
            intents.c[name]
            for name in (
                "message_id",
                "guest_id",
                "conversation_id",
                "type",
                "detected_type",
                "confidence",
                "evidence",
                "detector",
                "status",
                "created_at",
                "updated_at",
            )
        ),
    ]


async def get(tx: AsyncConnection, scope: Scope, intent_id: UUID) -> IntentRow | None:
    """One intent of this scope."""
    mine = select(*_columns(scope)).where(intents.c.scope_id == scope.id, intents.c.id == intent_id)
    return first_of(IntentRow, await tx.execute(mine))


async def listing(tx: AsyncConnection, scope: Scope, which: ListIntents) -> Listed[IntentRow]:
    """Intents of this scope, newest first."""
    wanted: dict[str, Any] = {
        "type": which.type,
        "status": which.status,
        "guest_id": which.guest_id,
        "message_id": which.message_id,
    }
    conditions = [intents.c[name] == value for name, value in wanted.items() if value is not None]
    found = select(*_columns(scope)).where(*conditions)
    query = pages.within(found, intents.c.scope_id, scope.id, intents.c.id)
    page = pages.within(found, intents.c.scope_id, scope.id, intents.c.id, pages.before(which.page))
    rows = from_result(IntentRow, await tx.execute(pages.taken(page, which.page)))
    return await pages.page(rows, which.page, lambda row: Place(row.id), lambda: pages.count(tx, query))


async def change(tx: AsyncConnection, scope: Scope, intent_id: UUID, fields: IntentFields) -> IntentRow | None:
    """Set `fields` of an intent; None: there is no such intent in this scope."""
    if not fields:
        return await get(tx, scope, intent_id)
    changed = await tx.execute(
        update(intents)
        .where(intents.c.scope_id == scope.id, intents.c.id == intent_id)
        .values(**fields, updated_at=func.now())
        .returning(*_columns(scope))
    )
    return first_of(IntentRow, changed)


async def erase(tx: AsyncConnection, message_ids: Collection[UUID]) -> None:
    """Forget what was found in these messages, which are locked."""
    if message_ids:
        await tx.execute(delete(intents).where(intents.c.message_id == any_(literal(list(message_ids), ARRAY(Uuid)))))
