"""Guests: created or matched, changed, listed, erased. Endpoints that are owed an event are woken after the commit."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.guests import GuestFields, GuestRow
from bellhop.domain.scopes import Scope
from bellhop.engine import assets
from bellhop.engine.context import Engine
from bellhop.engine.errors import GuestConflict, NotFound
from bellhop.engine.idempotency import IdempotencyKey, Once, once
from bellhop.store.conversations import taking_over
from bellhop.store.conversations.inbound import Text
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.guests import erasure, profiles

CREATED = 201
KNOWN = 200
"""What is recorded as the first answer: the guest is new, or was matched."""


async def upsert(
    engine: Engine, scope: Scope, fields: GuestFields, key: IdempotencyKey | None = None
) -> Once[GuestRow]:
    """Create a guest, or update and re-activate the one with this external id or e-mail address. `fields`: at least
    first and last name; of a known guest those that are absent stay.

    Raises GuestConflict when the two name different guests, IdempotencyMismatch, IdempotencySubjectGone.
    """
    endpoints: set[UUID] = set()

    async def write(tx: AsyncConnection) -> Once[GuestRow]:
        written = await profiles.upsert(tx, scope, fields, engine.book)
        endpoints.update(written.endpoints, await taking_over.take_over(tx, scope.id, [written.row.id]))
        return Once(written.row, written.row.id, CREATED if written.created else KNOWN)

    try:
        done = await engine.database.write(
            lambda tx: once(
                tx,
                engine.book,
                scope,
                "guest",
                key,
                make=lambda: write(tx),
                find=lambda guest_id: profiles.get(tx, scope, guest_id),
            )
        )
    except profiles.GuestConflict as conflict:
        raise GuestConflict(conflict.field) from None
    engine.dispatcher.wake_endpoints(endpoints)
    return done


async def change(engine: Engine, scope: Scope, guest_id: UUID, fields: GuestFields) -> GuestRow:
    """Set `fields` of a guest. Raises NotFound, GuestConflict."""

    async def write(tx: AsyncConnection) -> tuple[GuestRow, set[UUID]]:
        written = await profiles.change(tx, scope, guest_id, fields, engine.book)
        if written is None:
            raise NotFound
        return written.row, written.endpoints | await taking_over.take_over(tx, scope.id, [guest_id])

    try:
        row, endpoints = await engine.database.write(write)
    except profiles.GuestConflict as conflict:
        raise GuestConflict(conflict.field) from None
    engine.dispatcher.wake_endpoints(endpoints)
    return row


async def get(engine: Engine, scope: Scope, guest_id: UUID) -> GuestRow:
    """One guest. Raises NotFound."""
    row = await engine.database.read(lambda tx: profiles.get(tx, scope, guest_id))
    if row is None:
        raise NotFound
    return row


async def listing(engine: Engine, scope: Scope, asked: PageRequest, search: str | None = None) -> Listed[GuestRow]:
    """Guests, newest first. `search`: any part of a name or e-mail address."""
    return await engine.database.read(lambda tx: profiles.listing(tx, scope, asked, search=search))


async def erase(engine: Engine, scope: Scope, guest_id: UUID) -> None:
    """Erase a guest with everything that tells of them; what waited to be sent is cancelled when this returns. Raises
    NotFound."""
    erased = await engine.database.write(
        lambda tx: erasure.erase(tx, scope, guest_id, engine.book), timeout=BULK_TIMEOUT
    )
    if erased is None:
        raise NotFound
    await assets.remove(engine, erased.files)
    engine.dispatcher.settle_files(Text(*each) for each in erased.at_providers)
    for row in erased.woken:
        engine.dispatcher.woken(row)
    engine.dispatcher.wake_endpoints(erased.endpoints)
