"""Properties: those a caller's scopes belong to, looked at and changed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from uuid import UUID

from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.access import PropertyFields, PropertyRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.access import properties


async def listing(engine: Engine, scopes: Sequence[Scope], asked: PageRequest) -> Listed[PropertyRow]:
    """The properties of these scopes, oldest first."""
    ids = sorted({scope.property_id for scope in scopes})
    first = bisect_right(ids, asked.after.id) if asked.after else asked.offset
    listed = ids[first : first + asked.limit]
    shown = [scope for scope in scopes if scope.property_id in set(listed)]
    rows = await engine.database.read(lambda tx: properties.of_scopes(tx, shown)) if shown else []
    return Listed(rows, len(ids), next=Place(listed[-1]) if ids[first + asked.limit :] else None)


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
