"""Properties: those a caller's scopes belong to, looked at and changed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from bellhop.domain.rows.access import PropertyFields, PropertyRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.access import properties


async def listing(
    engine: Engine, scopes: Sequence[Scope], *, limit: int = 50, offset: int = 0
) -> tuple[list[PropertyRow], int]:
    """The properties of these scopes, oldest first, and how many there are in all."""
    rows = await engine.database.read(lambda tx: properties.of_scopes(tx, scopes))
    return rows[offset : offset + limit], len(rows)


async def get(engine: Engine, scopes: Sequence[Scope], property_id: UUID) -> PropertyRow:
    """One property. Raises NotFound when none of `scopes` is of it."""
    scope = _of(scopes, property_id)
    return (await engine.database.read(lambda tx: properties.of_scopes(tx, [scope])))[0]


async def change(engine: Engine, scopes: Sequence[Scope], property_id: UUID, fields: PropertyFields) -> PropertyRow:
    """Set `fields` of a property. Raises NotFound when none of `scopes` is of it."""
    scope = _of(scopes, property_id)
    return await engine.database.write(lambda tx: properties.change(tx, scope, fields))


def _of(scopes: Sequence[Scope], property_id: UUID) -> Scope:
    for scope in scopes:
        if scope.property_id == property_id:
            return scope
    raise NotFound
