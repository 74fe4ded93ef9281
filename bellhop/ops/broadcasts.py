"""What an operator sees of broadcasts, and does with them, by command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from bellhop.domain.broadcast_object import broadcast, progress
from bellhop.domain.broadcasts import BroadcastState
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.paging import PageRequest
from bellhop.domain.rows.broadcasts import BroadcastRow
from bellhop.domain.scopes import Scope
from bellhop.engine import broadcasts
from bellhop.engine.context import Engine
from bellhop.engine.errors import EngineError, NotFound
from bellhop.ops.administration import Refused
from bellhop.store.access import properties

_DO: dict[str, Callable[[Engine, Scope, UUID], Awaitable[BroadcastRow]]] = {
    "pause": broadcasts.pause,
    "resume": broadcasts.resume,
    "cancel": broadcasts.cancel,
}


async def listing(
    engine: Engine, slug: str, environment: str, state: BroadcastState | None, limit: int
) -> list[dict[str, Any]]:
    """The newest broadcasts of a property in one environment."""
    scope = await _scope(engine, slug, environment)
    listed = await broadcasts.listing(engine, scope, PageRequest(limit), state)
    return [broadcast(row) for row in listed.rows]


async def show(engine: Engine, slug: str, environment: str, broadcast_id: str) -> dict[str, Any]:
    """One of them, and how far it is."""
    scope = await _scope(engine, slug, environment)
    try:
        row, far = await broadcasts.get(engine, scope, _key(broadcast_id))
    except NotFound:
        raise _unknown(broadcast_id) from None
    return broadcast(row) | {"progress": progress(far.pending, far.accepted, far.refused, far.messages)}


async def change(engine: Engine, slug: str, environment: str, broadcast_id: str, verb: str) -> dict[str, Any]:
    """Pause, resume or cancel one."""
    scope = await _scope(engine, slug, environment)
    try:
        return broadcast(await _DO[verb](engine, scope, _key(broadcast_id)))
    except NotFound:
        raise _unknown(broadcast_id) from None
    except EngineError as problem:
        raise Refused(str(problem)) from None


async def _scope(engine: Engine, slug: str, environment: str) -> Scope:
    there = await engine.database.read(lambda tx: properties.scopes_of(tx, slug))
    if environment not in there:
        raise Refused(f"There is no property '{slug}'. `bellhop properties list` shows those there are.")
    return there[environment]


def _key(broadcast_id: str) -> UUID:
    key = parse(Prefix.BROADCAST, broadcast_id)
    if key is None:
        raise _unknown(broadcast_id)
    return key


def _unknown(broadcast_id: str) -> Refused:
    return Refused(f"That property has no broadcast '{broadcast_id}'. `bellhop broadcasts list` shows their ids.")
