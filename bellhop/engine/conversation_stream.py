"""The stream of what happens in a property's conversations: where it begins, and what it shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import serializers
from bellhop.domain.conversation_object import conversation, entry
from bellhop.domain.conversation_stream import Place, place_at
from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix
from bellhop.domain.live import Change, Subject, event
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.store.access import keys
from bellhop.store.conversations import conversations, event_order
from bellhop.store.conversations.event_order import EventRow
from bellhop.store.conversations.moving import MOVED
from bellhop.store.database import Database

LOOKED_AT = 20
"""Events that are looked at for each that may be shown."""

_SHOWN = {
    EventType.MESSAGE_RECEIVED.value: "message",
    MOVED: "message",
    "media.kept": "message",
    "media.failed": "message",
    EventType.MESSAGE_SENT.value: "message",
    EventType.MESSAGE_DELIVERED.value: "message",
    EventType.MESSAGE_READ.value: "message",
    EventType.MESSAGE_FAILED.value: "message",
    EventType.MESSAGE_FALLBACK.value: "message",
    EventType.MESSAGE_CANCELLED.value: "message",
    EventType.CONVERSATION_UPDATED.value: "conversation",
    EventType.GUEST_DELETED.value: "guest",
}
"""What is shown, and under which name."""


async def begin(engine: Engine, seen: Place | None) -> tuple[Place, bool]:
    """Where a stream begins, and whether it goes on from what its client has seen: else from now."""
    now = await engine.database.read(event_order.horizon)
    # What a client has seen was done, and a stream begins where nothing is. What is further is another server's: the
    # database was restored.
    if seen is not None and seen.xact <= now:
        return seen, True
    return Place(now, UUID(int=0)), False


def began(place: Place, *, resumed: bool) -> bytes:
    """The first event of a stream."""
    return event("start", to_json({"resumed": resumed}), place.position)


async def is_good(engine: Engine, key_id: UUID) -> bool:
    """Whether a key opens something now."""
    return bool(await engine.database.read(lambda tx: keys.good(tx, [key_id])))


class ConversationSource:
    """Where these streams are read from: see `domain.live.Source`. An object is shown as it is when it is read, so that
    what comes later is never older."""

    looks = True

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changes(self, wanted: Sequence[tuple[Subject, int]], most: int) -> list[list[Change]]:
        async def work(tx: AsyncConnection) -> list[list[Change]]:
            asked = [(subject.scope_id, place_at(position)) for subject, position in wanted]
            found = await event_order.after(tx, asked, most * LOOKED_AT)
            return [await _shown(tx, rows, most) for rows in found]

        return await self._database.read(work)

    async def good(self, sessions: Collection[UUID]) -> set[UUID]:
        return await self._database.read(lambda tx: keys.good(tx, sessions))


async def _shown(tx: AsyncConnection, rows: Sequence[EventRow], most: int) -> list[Change]:
    """The first of these events that are shown, `most` at most; behind them an empty one, where others follow."""
    if not rows:
        return []
    objects = await _objects(tx, rows[0].scope, [row for row in rows if row.type in _SHOWN])
    made: list[Change] = []
    for row in rows:
        found = objects.get(row.subject_id) if row.type in _SHOWN else None
        if found is None:
            continue
        shown = serializers.event(row.id, row.type, row.property_id, row.created_at, found)
        made.append(Change(row.place.position, event(_SHOWN[row.type], to_json(shown), row.place.position)))
        if len(made) == most:
            return made
    last = rows[-1].place.position
    return made if made and made[-1].position == last else [*made, Change(last, b"")]


async def _objects(tx: AsyncConnection, scope: Scope, rows: Sequence[EventRow]) -> dict[UUID, dict[str, Any]]:
    """What events are about, where there is something to show: no erased message, and none outside a conversation."""
    keys_of = {name: {row.subject_id for row in rows if _SHOWN[row.type] == name} for name in set(_SHOWN.values())}
    messages = await conversations.entries(tx, scope, keys_of["message"])
    found = {key: entry(row) for key, row in messages.items() if row.conversation_id and row.content is not None}
    if keys_of["conversation"]:
        for key, one in (await conversations.of_keys(tx, scope, keys_of["conversation"])).items():
            found[key] = conversation(one)
    for key in keys_of["guest"]:
        found[key] = serializers.erased(Prefix.GUEST, key, scope.property_id)
    return found
