"""Properties: those a caller's scopes belong to, looked at and changed; and, for operators, every one there is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import keyword_answers, policy_settings, retention
from bellhop.domain.consent_keywords import Keyword
from bellhop.domain.operators import Operator
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.access import OperatorActionRow, PropertyFields, PropertyRow
from bellhop.domain.rows.delivery import Backlog
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.access import operator_actions, properties
from bellhop.store.delivery import parked


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


async def ensure(engine: Engine, name: str, slug: str, timezone: str) -> dict[str, Scope]:
    """The scopes of the property with that short name, by environment; made where there is none. One that is there
    stays as it is."""

    async def work(tx: AsyncConnection) -> dict[str, Scope]:
        there = await properties.scopes_of(tx, slug)
        return there or (await properties.create(tx, name, slug, {"timezone": timezone}))[1]

    return await engine.database.write(work)


async def everything(engine: Engine) -> list[tuple[PropertyRow, dict[str, Scope]]]:
    """Every property of the installation, oldest first, each with its scopes by environment."""

    async def work(tx: AsyncConnection) -> list[tuple[PropertyRow, dict[str, Scope]]]:
        of_each: dict[UUID, dict[str, Scope]] = {}
        for scope in await properties.every_scope(tx):
            of_each.setdefault(scope.property_id, {})[scope.environment] = scope
        # One made between the two is seen the next time.
        return [(row, of_each[row.id]) for row in await properties.everything(tx) if row.id in of_each]

    return await engine.database.read(work)


async def by_slug(engine: Engine, slug: str) -> dict[str, Scope]:
    """The scopes of the property with that short name, by environment; empty when there is none."""
    return await engine.database.read(lambda tx: properties.scopes_of(tx, slug))


async def choose(engine: Engine, scope: Scope, when_unknown: Mapping[str, str]) -> dict[str, Any]:
    """Set what a scope does, by channel, with a message of which nobody can say whether a provider took it (`fail` or
    `resend`); other channels stay as they are. Returns all of its settings."""
    return await engine.database.write(lambda tx: properties.choose(tx, scope, when_unknown))


async def order(engine: Engine, scope: Scope, channels: Sequence[str]) -> None:
    """In which order a scope's channels are tried where a message leaves that open; empty: the usual one."""
    await engine.database.write(lambda tx: properties.set_channel_order(tx, scope, channels))


async def policy(engine: Engine, scope: Scope, given: Mapping[str, Any]) -> dict[str, Any]:
    """Set those of a scope's quiet hours, caps, validity and copies (`policy_settings.NAMES`) that are given, the
    others stay; empty: none. Returns what is set. Raises BadSetting."""
    settings = await engine.database.write(
        lambda tx: properties.merge_settings(tx, scope, given, policy_settings.check)
    )
    return {name: settings[name] for name in policy_settings.NAMES if name in settings}


async def answer(
    engine: Engine, scope: Scope, keyword: Keyword, language: str, text: str | bool | None
) -> dict[str, Any]:
    """What a scope answers to a keyword in a language; None: Bellhop's own text; False: nothing, in no language.
    Returns the setting. Raises ValueError on what cannot be one."""

    async def work(tx: AsyncConnection) -> dict[str, Any]:
        known = await properties.locked_setting(tx, scope, keyword_answers.SETTING)
        answers = dict(known) if isinstance(known, Mapping) else {}
        texts = answers.pop(keyword.value, None)
        if text is False:
            answers[keyword.value] = False
        else:
            kept = {**(texts if isinstance(texts, Mapping) else {}), language.lower(): text}
            if kept := {tag: each for tag, each in kept.items() if each is not None}:
                answers[keyword.value] = kept
        checked: dict[str, Any] = keyword_answers.checked(answers)
        await properties.set_setting(tx, scope, keyword_answers.SETTING, checked or None)
        return checked

    return await engine.database.write(work)


async def retain(engine: Engine, scope: Scope, days: Mapping[str, int | None]) -> dict[str, Any]:
    """For how many days a scope keeps things (see `retention.LONGEST`); None: as long as the installation does; what is
    left out stays as it is. Returns the setting. Raises ValueError on what cannot be one."""

    async def work(tx: AsyncConnection) -> dict[str, Any]:
        known = await properties.locked_setting(tx, scope, retention.SETTING)
        kept = retention.checked({**(known if isinstance(known, Mapping) else {}), **days})
        await properties.set_setting(tx, scope, retention.SETTING, kept or None)
        return kept

    return await engine.database.write(work)


async def limit(engine: Engine, scope: Scope, requests: int | None) -> None:
    """Let all keys of a scope together make so many requests a minute; None: the usual number."""
    await engine.database.write(lambda tx: properties.limit(tx, scope, requests))


async def actions(engine: Engine, scopes: Sequence[Scope], most: int) -> list[OperatorActionRow]:
    """The last things that operators did in these scopes, the last first."""
    return await engine.database.read(lambda tx: operator_actions.last(tx, scopes, most))


async def pause(engine: Engine, scopes: Sequence[Scope], operator: Operator) -> list[Scope]:
    """Nothing of these scopes goes out from now on; messages are accepted, and wait. What a provider is being called
    with is not taken back. Returns those that were not paused before."""

    async def work(tx: AsyncConnection) -> list[Scope]:
        return [scope for scope in scopes if await properties.pause(tx, scope, operator)]

    return await engine.database.write(work)


async def resume(engine: Engine, scopes: Sequence[Scope], operator: Operator) -> list[Scope]:
    """What waits in these scopes goes out, unless it has expired meanwhile. Returns those that were paused."""

    async def work(tx: AsyncConnection) -> tuple[list[Scope], list[Backlog]]:
        resumed = [scope for scope in scopes if await properties.resume(tx, scope, operator)]
        return resumed, [each for scope in resumed for each in await parked.backlogs(tx, scope.id)]

    resumed, backlogs = await engine.database.write(work)
    engine.dispatcher.release(backlogs)
    return resumed


def of_property(scopes: Sequence[Scope], property_id: UUID) -> list[Scope]:
    """Those of `scopes` that are the property's. Raises NotFound when there are none."""
    return [scope for scope in scopes if scope.property_id == property_id] or [_of(scopes, property_id)]


def _of(scopes: Sequence[Scope], property_id: UUID) -> Scope:
    for scope in scopes:
        if scope.property_id == property_id:
            return scope
    raise NotFound
