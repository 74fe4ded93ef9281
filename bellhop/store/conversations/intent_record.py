"""The transactions around the detection of intents: none is open while a detector works."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.intents import Detection
from bellhop.store.conversations import intents


class IntentRecord:
    """activities.intents.Record over Postgres. `wake`: wakes endpoints that are owed an event."""

    def __init__(self, engine: AsyncEngine, wake: Callable[[Collection[UUID]], None]) -> None:
        self._engine = engine
        self._wake = wake

    async def text_of(self, message_id: UUID) -> str | None:
        async with self._engine.begin() as tx:
            return await intents.text_of(tx, message_id)

    async def write(self, message_id: UUID, detection: Detection) -> None:
        async with self._engine.begin() as tx:
            endpoints = await intents.write(tx, message_id, detection)
        self._wake(endpoints)
