"""Properties and their two scopes, test and live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.operators import Operator, OperatorAction
from bellhop.domain.rows.access import PropertyFields, PropertyRow
from bellhop.domain.scopes import ENVIRONMENTS, Scope
from bellhop.store.access import operator_actions
from bellhop.store.rows import from_result
from bellhop.store.tables import properties, scopes

_SHARED = [column for column in properties.c if column.name != "settings"]


async def create(
    tx: AsyncConnection, name: str, slug: str, fields: PropertyFields | None = None
) -> tuple[PropertyRow, dict[str, Scope]]:
    """A new property with its scopes, by environment. `fields`: any of type, timezone, currency, country, settings."""
    given = dict(fields or {})
    settings = given.pop("settings", {})
    row = await tx.execute(insert(properties).values(name=name, slug=slug, **given).returning(properties.c.id))
    made = row.scalar_one()
    rows = await tx.execute(
        insert(scopes).returning(scopes.c.id, scopes.c.environment),
        [{"property_id": made, "environment": word, "settings": settings} for word in ENVIRONMENTS],
    )
    opened = {row.environment: Scope(row.id, made, row.environment) for row in rows}
    return (await of_scopes(tx, [opened["live"]]))[0], opened


async def of_scopes(tx: AsyncConnection, opened: Sequence[Scope]) -> list[PropertyRow]:
    """The properties these scopes belong to as each is seen from its scope (of several, the first), oldest first."""
    rows = await tx.execute(
        select(*_SHARED, scopes.c.settings, scopes.c.own, scopes.c.paused_at)
        .join(scopes, scopes.c.property_id == properties.c.id)
        .where(scopes.c.id.in_({scope.id for scope in opened}))
        .order_by(properties.c.id, scopes.c.id.desc())
    )
    seen: dict[UUID, dict[str, Any]] = {}
    for row in rows.mappings():
        shown: dict[str, Any] = dict(row)
        own = shown.pop("own")
        seen[shown["id"]] = {**shown, **own}
    return [PropertyRow(**shown) for shown in seen.values()]


async def change(tx: AsyncConnection, scope: Scope, fields: PropertyFields) -> PropertyRow:
    """Set `fields` of the scope's property; nothing moves when there is nothing to set. Settings are each environment's
    own, and what is set from test is seen in test only: nothing there changes what live uses."""
    shared = dict(fields)
    own: dict[str, Any] = {}
    if "settings" in shared:
        own["settings"] = shared.pop("settings")
    if shared and scope.environment != "live":
        own["own"] = scopes.c.own.op("||")(literal(shared, JSONB))
        shared = {}
    if own:
        await tx.execute(update(scopes).where(scopes.c.id == scope.id).values(**own))
    if fields:
        await tx.execute(
            update(properties).where(properties.c.id == scope.property_id).values(**shared, updated_at=func.now())
        )
    return (await of_scopes(tx, [scope]))[0]


async def pause(tx: AsyncConnection, scope: Scope, operator: Operator) -> bool:
    """Nothing of this scope goes out from now on; what is being called is not taken back. False: so it was already."""
    paused = await tx.execute(
        update(scopes).where(scopes.c.id == scope.id, scopes.c.paused_at.is_(None)).values(paused_at=func.now())
    )
    if paused.rowcount:
        await operator_actions.write(tx, scope, OperatorAction.PAUSE, scope.property_id, operator)
    return bool(paused.rowcount)


async def resume(tx: AsyncConnection, scope: Scope, operator: Operator) -> bool:
    """What waits goes out. False: it was not paused."""
    resumed = await tx.execute(
        update(scopes).where(scopes.c.id == scope.id, scopes.c.paused_at.is_not(None)).values(paused_at=None)
    )
    if resumed.rowcount:
        await operator_actions.write(tx, scope, OperatorAction.RESUME, scope.property_id, operator)
    return bool(resumed.rowcount)


async def choose(tx: AsyncConnection, scope: Scope, when_unknown: Mapping[str, str]) -> dict[str, Any]:
    """Set what one environment does, by channel, with what can't be known, beside what is set there already. Returns
    its settings."""
    row = (await tx.execute(select(scopes.c.settings).where(scopes.c.id == scope.id).with_for_update())).scalar_one()
    settings = {**row, "outcome_unknown": {**row.get("outcome_unknown", {}), **when_unknown}}
    await tx.execute(update(scopes).where(scopes.c.id == scope.id).values(settings=settings))
    return settings


async def channel_order(tx: AsyncConnection, scope: Scope) -> tuple[Any, datetime]:
    """In which order a scope's channels are tried where a message leaves that open, as it is set; and the time."""
    row = await tx.execute(
        select(scopes.c.settings["channel_order"].label("channel_order"), func.now().label("now")).where(
            scopes.c.id == scope.id
        )
    )
    found = row.one()
    return found.channel_order, found.now


async def set_channel_order(tx: AsyncConnection, scope: Scope, order: Sequence[str]) -> None:
    """Set it; empty: the usual one."""
    await set_setting(tx, scope, "channel_order", list(order) or None)


async def locked_setting(tx: AsyncConnection, scope: Scope, name: str) -> Any:
    """One of a scope's settings, which nobody else changes before this transaction ends; None: it is not set."""
    row = await tx.execute(select(scopes.c.settings[name]).where(scopes.c.id == scope.id).with_for_update())
    return row.scalar_one()


async def set_setting(tx: AsyncConnection, scope: Scope, name: str, value: Any) -> None:
    """Set one of a scope's settings; None: the usual."""
    without = scopes.c.settings.op("-")(name)
    settings = without.op("||")(literal({name: value}, JSONB)) if value is not None else without
    await tx.execute(update(scopes).where(scopes.c.id == scope.id).values(settings=settings))


async def merge_settings(
    tx: AsyncConnection, scope: Scope, given: Mapping[str, Any], check: Callable[[Mapping[str, Any]], None]
) -> dict[str, Any]:
    """Set some of a scope's settings beside the others, those that are empty not at all, unless `check` of them all
    raises. Returns all of them."""
    row = (await tx.execute(select(scopes.c.settings).where(scopes.c.id == scope.id).with_for_update())).scalar_one()
    settings = {name: value for name, value in {**row, **given}.items() if name not in given or value}
    if given:
        check(settings)
        await tx.execute(update(scopes).where(scopes.c.id == scope.id).values(settings=settings))
    return settings


async def limit(tx: AsyncConnection, scope: Scope, requests: int | None) -> None:
    """Let all keys of one environment together make so many requests a minute; None: the usual number."""
    await tx.execute(update(scopes).where(scopes.c.id == scope.id).values(rate_limit=requests))


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
