"""What an operator does by command about guests' messages: asks providers for those that were lost, and says whose
those are that no property got."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from bellhop.domain.ids import Prefix, render
from bellhop.domain.provider_urls import Routes
from bellhop.domain.serializers import timestamp
from bellhop.engine import inbound_lists, unmatched_texts
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.engine.inbound_lists import Progress
from bellhop.engine.unmatched_texts import NotOfThatAccount
from bellhop.ops.administration import Refused, scope_of
from bellhop.providers import providers


async def fetch(
    engine: Engine, routes: Routes, slug: str, environment: str, since: datetime | None, progress: Progress
) -> list[dict[str, Any]]:
    """Ask the accounts of a property for guests' messages that no callback brought."""
    scope = await scope_of(engine, slug, environment)
    return [
        {
            "provider": done.provider,
            "identity": done.identity,
            "since": timestamp(done.since),
            "listed": done.listed,
            "new": done.new,
            "problem": done.problem,
        }
        for done in await inbound_lists.fetch_of(_asking(engine), routes, scope, since, progress)
    ]


async def unmatched(engine: Engine, limit: int) -> list[dict[str, Any]]:
    """Guests' texts that are no property's, the newest first."""
    return [
        {
            "id": str(row.id),
            "received_at": timestamp(row.received_at),
            "provider": row.provider,
            "identity": row.identity,
            "environment": row.environment,
            "to": item.recipient if item else None,
            "from": item.sender if item else None,
            "text": item.text if item else None,
            **({"media_count": item.details.media_count} if item and item.details.media_count else {}),
        }
        for row, item in await unmatched_texts.listing(_asking(engine), limit=limit)
    ]


async def assign(engine: Engine, text_id: str, slug: str, environment: str) -> dict[str, Any]:
    """Give one of them to a property."""
    scope = await scope_of(engine, slug, environment)
    try:
        message_id = await unmatched_texts.assign(_asking(engine), _key(text_id), scope)
    except NotFound:
        raise Refused(_NONE.format(text_id)) from None
    except NotOfThatAccount:
        raise Refused(
            f"{slug} ({environment}) has no such account: the text came to another one (`bellhop inbound unmatched`)."
        ) from None
    return {"id": render(Prefix.INBOUND, message_id), "property": slug, "environment": environment}


async def discard(engine: Engine, text_id: str) -> dict[str, Any]:
    """Forget what one of them says."""
    try:
        await unmatched_texts.discard(engine, _key(text_id))
    except NotFound:
        raise Refused(_NONE.format(text_id)) from None
    return {"id": text_id, "discarded": True}


_NONE = "There is no text {} that is nobody's. `bellhop inbound unmatched` shows those there are."


def _key(text_id: str) -> UUID:
    try:
        return UUID(text_id)
    except ValueError:
        raise Refused(_NONE.format(text_id)) from None


def _asking(engine: Engine) -> Engine:
    """With the providers, which can read what they posted."""
    return replace(engine, providers=providers())
