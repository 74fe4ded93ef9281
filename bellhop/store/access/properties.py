"""Properties and their two scopes, test and live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.rows.access import PropertyFields, PropertyRow
from bellhop.domain.scopes import Scope
from bellhop.store.rows import from_result, from_row
from bellhop.store.tables import properties, scopes


async def create(
    tx: AsyncConnection, name: str, slug: str, fields: PropertyFields | None = None
) -> tuple[PropertyRow, dict[str, Scope]]:
    """A new property with its scopes, by environment. `fields`: any of type, timezone, currency, country, settings."""
    row = await tx.execute(insert(properties).values(name=name, slug=slug, **(fields or {})).returning(*properties.c))
    made = from_row(PropertyRow, row.one())
    opened = await tx.execute(
        insert(scopes).returning(scopes.c.id, scopes.c.environment),
        [{"property_id": made.id, "environment": word} for word in ("test", "live")],
    )
    return made, {row.environment: Scope(row.id, made.id, row.environment) for row in opened}


async def of_scopes(tx: AsyncConnection, opened: Sequence[Scope]) -> list[PropertyRow]:
    """The properties these scopes belong to, oldest first."""
    rows = await tx.execute(
        select(properties).where(properties.c.id.in_({scope.property_id for scope in opened})).order_by(properties.c.id)
    )
    return from_result(PropertyRow, rows)


async def change(tx: AsyncConnection, scope: Scope, fields: PropertyFields) -> PropertyRow:
    """Set `fields` of the scope's property; nothing moves when there is nothing to set."""
    if not fields:
        return (await of_scopes(tx, [scope]))[0]
    row = await tx.execute(
        update(properties)
        .where(properties.c.id == scope.property_id)
        .values(**fields, updated_at=func.now())
        .returning(*properties.c)
    )
    return from_row(PropertyRow, row.one())


async def choose(tx: AsyncConnection, scope: Scope, when_unknown: Mapping[str, str]) -> dict[str, Any]:
    """Set what one environment does, by channel, with what can't be known, beside what is set there already. Returns
    its settings, which come before the property's."""
    row = (await tx.execute(select(scopes.c.settings).where(scopes.c.id == scope.id).with_for_update())).scalar_one()
    settings = {**row, "outcome_unknown": {**row.get("outcome_unknown", {}), **when_unknown}}
    await tx.execute(update(scopes).where(scopes.c.id == scope.id).values(settings=settings))
    return settings


async def scopes_of(tx: AsyncConnection, slug: str) -> dict[str, Scope]:
    """The scopes of the property with that short name, by environment; empty when there is none."""
    rows = await tx.execute(
        select(scopes.c.id, scopes.c.property_id, scopes.c.environment)
        .join(properties, properties.c.id == scopes.c.property_id)
        .where(properties.c.slug == slug)
    )
    return {row.environment: Scope(row.id, row.property_id, row.environment) for row in rows}


async def every_scope(tx: AsyncConnection) -> list[Scope]:
    """All scopes of the installation."""
    rows = await tx.execute(select(scopes).order_by(scopes.c.id))
    return [Scope(row.id, row.property_id, row.environment) for row in rows]


async def everything(tx: AsyncConnection) -> list[PropertyRow]:
    """All properties of the installation, oldest first."""
    return from_result(PropertyRow, await tx.execute(select(properties).order_by(properties.c.id)))
