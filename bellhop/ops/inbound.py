"""What an operator does by command about guests' messages: asks providers for those that were lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bellhop.domain.provider_urls import Routes
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.engine import inbound_lists
from bellhop.engine.context import Engine
from bellhop.engine.inbound_lists import Progress
from bellhop.ops.administration import Refused
from bellhop.providers import providers
from bellhop.store.access import properties


async def fetch(
    engine: Engine, routes: Routes, slug: str, environment: str, since: datetime | None, progress: Progress
) -> list[dict[str, Any]]:
    """Ask the accounts of a property for guests' messages that no callback brought."""
    scope = await _scope(engine, slug, environment)
    asking = replace(engine, providers=providers())
    return [
        {
            "provider": done.provider,
            "identity": done.identity,
            "since": timestamp(done.since),
            "listed": done.listed,
            "new": done.new,
            "problem": done.problem,
        }
        for done in await inbound_lists.fetch_of(asking, routes, scope, since, progress)
    ]


async def _scope(engine: Engine, slug: str, environment: str) -> Scope:
    there = await engine.database.read(lambda tx: properties.scopes_of(tx, slug))
    if environment not in there:
        raise Refused(f"There is no property '{slug}'. `bellhop properties list` shows those there are.")
    return there[environment]
