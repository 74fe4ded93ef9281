"""Which property an accommodation is: the one that its key opens, as its setting `accommodation` calls it."""

from __future__ import annotations

from api.problems import Forbidden
from bellhop.domain.formats.booking import Hotel
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.access import PropertyRow
from bellhop.domain.scopes import Scope
from bellhop.engine import properties
from bellhop.engine.context import Engine

SETTING = "accommodation"


async def known_as(engine: Engine, scope: Scope) -> Hotel:
    """The property of a scope."""
    return _hotel(await properties.get(engine, [scope], scope.property_id))


async def hotel_of(engine: Engine, scope: Scope, accommodation: str) -> Hotel:
    """The same where it is called so. Raises Forbidden."""
    row = await properties.get(engine, [scope], scope.property_id)
    hotel = _hotel(row)
    if accommodation not in (hotel.accommodation, row.slug, render(Prefix.PROPERTY, row.id)):
        raise Forbidden(
            "This accommodation is not that of the API key. What a property is called here is its setting "
            "`accommodation`; without it, its slug or its id."
        )
    return hotel


def _hotel(row: PropertyRow) -> Hotel:
    said = row.settings.get(SETTING)
    return Hotel(row.id, str(said) if isinstance(said, (str, int)) and said else row.slug, row.name)
