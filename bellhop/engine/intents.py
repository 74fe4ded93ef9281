"""What guests want: listed, looked at, corrected."""

from __future__ import annotations

from uuid import UUID

from bellhop.domain.paging import Listed
from bellhop.domain.rows.intents import IntentFields, IntentRow, ListIntents
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.conversations import intents


async def listing(engine: Engine, scope: Scope, which: ListIntents) -> Listed[IntentRow]:
    """Intents of a scope, newest first."""
    return await engine.database.read(lambda tx: intents.listing(tx, scope, which))


async def get(engine: Engine, scope: Scope, intent_id: UUID) -> IntentRow:
    """One intent. Raises NotFound."""
    return _there(await engine.database.read(lambda tx: intents.get(tx, scope, intent_id)))


async def change(engine: Engine, scope: Scope, intent_id: UUID, fields: IntentFields) -> IntentRow:
    """Set `fields` of an intent. Raises NotFound."""
    return _there(await engine.database.write(lambda tx: intents.change(tx, scope, intent_id, fields)))


def _there(row: IntentRow | None) -> IntentRow:
    if row is None:
        raise NotFound
    return row
