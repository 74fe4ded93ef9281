"""Guests' texts that are no property's: shown to the operator, given to a property, or forgotten."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.delivery_ports import CallbackRequest, Inbound
from bellhop.domain.rows.unmatched import UnmatchedText
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.conversations import inbound, unmatched
from bellhop.store.conversations.inbound import Received


class NotOfThatAccount(Exception):
    """The property sends through another account than the one that the text came to."""


async def listing(engine: Engine, *, limit: int) -> list[tuple[UnmatchedText, Inbound | None]]:
    """The newest texts that are nobody's, each with what it says; None: this version cannot read it."""
    rows = await engine.database.read(lambda tx: unmatched.listing(tx, limit))
    return [(row, _read(engine, row)) for row in rows]


async def assign(engine: Engine, receipt_id: UUID, scope: Scope) -> UUID:
    """Make it a message of this scope, which is told of it as of any other. Returns the message's key. Raises NotFound,
    NotOfThatAccount."""

    async def work(tx: AsyncConnection) -> tuple[UUID, Received]:
        row = await unmatched.locked(tx, receipt_id)
        item = _read(engine, row) if row is not None else None
        if row is None or item is None:
            raise NotFound
        account_id = await unmatched.account_of(tx, scope, row)
        if row.environment != scope.environment or account_id is None:
            raise NotOfThatAccount
        return await inbound.assign(tx, row.id, scope.id, (account_id, row.provider), item, engine.book)

    message_id, received = await engine.database.write(work)
    engine.dispatcher.wake_endpoints(received.endpoints)
    engine.dispatcher.detect_intents(received.texts)
    engine.dispatcher.settle_files(received.files)
    return message_id


async def discard(engine: Engine, receipt_id: UUID) -> None:
    """Forget what it says. Raises NotFound."""

    async def work(tx: AsyncConnection) -> None:
        if await unmatched.locked(tx, receipt_id) is None:
            raise NotFound
        await unmatched.discard(tx, receipt_id)

    await engine.database.write(work)


def _read(engine: Engine, row: UnmatchedText) -> Inbound | None:
    """What is stored of it, read as the provider's callback that it was."""
    provider = engine.providers.get(row.provider)
    kept = CallbackRequest("", "inbound", {}, {"content-type": "application/json"}, json.dumps(row.payload).encode())
    try:
        items = provider.parse(kept) if provider is not None else []
    except ValueError:
        items = []
    found = next((item for item in items if isinstance(item, Inbound)), None)
    return replace(found, occurred_at=row.occurred_at or row.received_at) if found else None
