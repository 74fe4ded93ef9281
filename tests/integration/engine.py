"""The engine of one test: everything the worker and the door build, in this process, against the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.addresses import AddressBook
from bellhop.conductor import Conductor
from bellhop.ids import message_workflow
from bellhop.messages import Channel
from bellhop.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings
from bellhop.store import messages, progress
from bellhop.store.messages import NewMessage
from bellhop.store.scopes import Scope
from bellhop.temporal import register_search_attributes
from bellhop.webhooks import make_client
from worker import activity_workers, workflow_worker

GUEST = "+13055551234"


@dataclass
class Engine:
    """What a test does with it: accept messages and wait for them."""

    settings: Settings
    database: AsyncEngine
    conductor: Conductor
    client: Client
    book: AddressBook
    scope: Scope

    async def accept(self, *, tell: bool = True, **fields: Any) -> UUID:
        """Accept a message as the API does; `tell=False`: as if the process died before telling Temporal."""
        fields = {"channel": Channel.SMS, "recipient": GUEST, "content": "Your suite is ready."} | fields
        async with self.database.begin() as tx:
            row = await messages.accept(tx, self.scope, NewMessage(**fields), self.book, 3600)
        if tell:
            self.conductor.accepted(row)
        return row["id"]  # type: ignore[no-any-return]

    async def row(self, message_id: UUID) -> dict[str, Any]:
        """The message as it is."""
        async with self.database.begin() as tx:
            row = await messages.get(tx, self.scope, message_id)
        assert row is not None
        return row

    async def attempts(self, message_id: UUID) -> list[dict[str, Any]]:
        """Its attempts."""
        async with self.database.begin() as tx:
            return await progress.attempts_of(tx, message_id)

    async def until(self, message_id: UUID, *stages: str, seconds: float = 15) -> dict[str, Any]:
        """The message once it stands at one of `stages`."""
        row: dict[str, Any] = {}
        async with asyncio.timeout(seconds):
            while (row := await self.row(message_id))["stage"] not in stages:
                await asyncio.sleep(0.05)
        return row

    async def history(self, message_id: UUID) -> list[str]:
        """The names of its workflow's events."""
        handle = self.client.get_workflow_handle(message_workflow(message_id))
        return [str(event.event_type) async for event in handle.fetch_history_events()]


@asynccontextmanager
async def running_engine(
    settings: Settings, database: AsyncEngine, client: Client, *, workers: bool = True
) -> AsyncIterator[Engine]:
    """An engine with a property in the test environment, and a worker unless told otherwise."""
    await register_search_attributes(client)
    book = AddressBook(settings.bellhop.secret_key.get_secret_value())
    async with database.begin() as tx:
        scopes = await ensure_property(tx, "Grand Sunset Resort", "grand-sunset")
        await ensure_accounts(tx, scopes["test"], settings)
    pool = ThreadPoolExecutor(8)
    posts = make_client(settings.webhook)
    async with posts, Conductor(client, database) as conductor:
        engine = Engine(settings, database, conductor, client, book, scopes["test"])
        made = [workflow_worker(client), *activity_workers(client, settings, database, conductor, pool, posts)]
        if not workers:
            yield engine
            return
        running = [asyncio.create_task(worker.run()) for worker in made]
        try:
            yield engine
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in made))
            await asyncio.gather(*running)
            pool.shutdown(wait=False)
