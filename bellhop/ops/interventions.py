"""What an operator does by command to what is running: pause and resume a property, hold and mend an account. The
engine does it; who and why stay on record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from bellhop.domain import serializers
from bellhop.domain.operators import Operator
from bellhop.domain.paging import PageRequest
from bellhop.domain.scopes import Scope
from bellhop.domain.text import visible
from bellhop.engine import accounts, properties
from bellhop.engine.context import Engine
from bellhop.ops.administration import Refused, scope_of, scopes_of

SHOWN = 20
"""So many of the last things that operators did."""


def _operator(actor: str, reason: str) -> Operator:
    if not visible(reason):
        raise Refused("--reason has to say why.")
    return Operator(actor, reason.strip())


async def _chosen(engine: Engine, slug: str, environment: str | None) -> list[Scope]:
    """One environment of a property, or both."""
    if environment is not None:
        return [await scope_of(engine, slug, environment)]
    return [scope for _, scope in sorted((await scopes_of(engine, slug)).items())]


async def show_property(engine: Engine, slug: str) -> dict[str, Any]:
    """A property, where it stands in each environment, and what operators did to it last."""
    there = await scopes_of(engine, slug)
    shown: dict[str, Any] = {}
    environments: dict[str, Any] = {}
    for environment, scope in sorted(there.items()):
        row = serializers.property_(await properties.get(engine, [scope], scope.property_id))
        shown = shown or {name: row[name] for name in ("id", "slug", "name", "timezone")}
        found = (await accounts.listing(engine, scope, PageRequest(limit=1000))).rows
        environments[environment] = {
            "paused_at": row["paused_at"],
            "settings": row["settings"],
            "channels": await accounts.channels(engine, scope),
            "accounts": [serializers.account(each, environment) for each in found],
        }
    done = await properties.actions(engine, list(there.values()), SHOWN)
    return {**shown, "environments": environments, "actions": [serializers.operator_action(each) for each in done]}


async def pause_property(
    engine: Engine, slug: str, environment: str | None, *, reason: str, actor: str
) -> dict[str, Any]:
    """Let nothing of a property go out. `environment` None: of both."""
    operator = _operator(actor, reason)
    done = await properties.pause(engine, await _chosen(engine, slug, environment), operator)
    return await _paused(engine, slug, done)


async def resume_property(
    engine: Engine, slug: str, environment: str | None, *, reason: str, actor: str
) -> dict[str, Any]:
    """Let what waits go out. `environment` None: of both."""
    operator = _operator(actor, reason)
    done = await properties.resume(engine, await _chosen(engine, slug, environment), operator)
    return await _paused(engine, slug, done)


async def _paused(engine: Engine, slug: str, changed: list[Scope]) -> dict[str, Any]:
    shown = await show_property(engine, slug)
    return {
        "property": slug,
        "changed": sorted(scope.environment for scope in changed),
        "paused_at": {word: each["paused_at"] for word, each in shown["environments"].items()},
    }


async def hold_accounts(
    engine: Engine, slug: str, environment: str, provider: str | None, *, reason: str, actor: str
) -> dict[str, Any]:
    """Send nothing through a property's accounts of a provider, or through any."""
    operator = _operator(actor, reason)
    (scope,) = await _chosen(engine, slug, environment)
    ids = await _accounts(engine, scope, provider)
    rows, held = await accounts.hold(engine, scope, ids, operator)
    return {"property": slug, "held": held, "accounts": [serializers.account(row, environment) for row in rows]}


async def mend_accounts(
    engine: Engine, slug: str, environment: str | None, provider: str | None, *, reason: str, actor: str
) -> dict[str, Any]:
    """Take a property's held accounts to be well again, whoever held them. `environment` None: of both."""
    mended, operator = 0, _operator(actor, reason)
    for scope in await _chosen(engine, slug, environment):
        ids = await _accounts(engine, scope, provider, one=environment is not None)
        _, count = await accounts.mend(engine, scope, ids, operator)
        mended += count
    return {"property": slug, "mended": mended}


async def _accounts(engine: Engine, scope: Scope, provider: str | None, *, one: bool = True) -> list[UUID]:
    found = (await accounts.listing(engine, scope, PageRequest(limit=1000))).rows
    these = [row.id for row in found if provider in (None, row.provider)]
    if not these and one:
        known = ", ".join(sorted({row.provider for row in found})) or "none"
        raise Refused(f"--provider: there is no such account in {scope.environment}; its providers are: {known}.")
    return these
