"""What an operator sees by command of what guests want."""

from __future__ import annotations

from typing import Any

from bellhop.domain.intent_object import intent
from bellhop.domain.intents import IntentStatus, IntentType
from bellhop.domain.paging import PageRequest
from bellhop.domain.rows.intents import ListIntents
from bellhop.engine import intents
from bellhop.engine.context import Engine
from bellhop.ops.administration import Refused
from bellhop.store.access import properties


async def listing(
    engine: Engine, slug: str, environment: str, kind: str | None, status: str | None, limit: int
) -> list[dict[str, Any]]:
    """The newest intents of a property in one environment."""
    there = await engine.database.read(lambda tx: properties.scopes_of(tx, slug))
    if environment not in there:
        raise Refused(f"There is no property '{slug}'. `bellhop properties list` shows those there are.")
    which = ListIntents(
        type=IntentType(kind) if kind else None,
        status=IntentStatus(status) if status else None,
        page=PageRequest(limit),
    )
    listed = await intents.listing(engine, there[environment], which)
    return [intent(row) for row in listed.rows]
