"""One message of a guest's, as its property sees it, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.ids import Prefix, render
from bellhop.domain.inbound_files import SENTENCES, FileProblem
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.store.messages import timeline
from bellhop.store.messages.timeline import Entry
from bellhop.store.rows import first_of
from bellhop.store.tables import events, messages

_SHOWN = [messages.c[each.name] for each in fields(PublicMessage) if each.name != "property_id"]
_EXPLAINED = {
    "media.kept": "the file was fetched from the provider, checked and kept",
    "media.not_fetched": "it is asked for again",
    "media.failed": "it is not asked for again",
}


async def get(tx: AsyncConnection, scope: Scope, message_id: UUID) -> PublicMessage | None:
    """A guest's message to this scope; None where there is none, or its guest was erased."""
    found = await tx.execute(
        select(*_SHOWN, literal(scope.property_id, Uuid).label("property_id")).where(
            messages.c.scope_id == scope.id,
            messages.c.id == message_id,
            messages.c.direction == "inbound",
            messages.c.erased_at.is_(None),
        )
    )
    return first_of(PublicMessage, found)


async def entries(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[Entry]:
    """Its timeline: entries `{at, what, detail, …}` in the order of time."""
    found = await tx.execute(
        select(events.c.id, events.c.type, events.c.facts, events.c.created_at)
        .where(events.c.subject_id == message_id, events.c.scope_id == scope.id)
        .order_by(events.c.id)
    )
    happened: list[Entry] = [
        {"at": row.created_at, "what": row.type, "event_id": render(Prefix.EVENT, row.id), **_said(row.type, row.facts)}
        for row in found
    ]
    happened += await timeline.webhooks_of(tx, scope, message_id)
    happened.sort(key=lambda entry: entry["at"])
    return [{**entry, "at": timestamp(entry["at"])} for entry in happened]


def _said(what: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Which file it is about, from 1, and why it is not there, in a sentence."""
    if what not in _EXPLAINED:
        return {}
    why = facts.get("problem")
    sentence = f"{SENTENCES[FileProblem(why)]} " if why else ""
    code = {"code": why} if why else {}
    return {
        "detail": f"{sentence}({_EXPLAINED[what]})" if why else _EXPLAINED[what],
        "file": facts["position"] + 1,
    } | code
