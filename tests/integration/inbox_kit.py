"""A guest's inbox under test: two servers of the API over one database, and what a guest's app does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Answer
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.provider_urls import Routes
from bellhop.domain.routing import carried
from bellhop.domain.scopes import Scope
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.providers import providers
from bellhop.settings import Settings
from bellhop.store.access import keys
from bellhop.store.delivery.attempt_store import AttemptStore

from .engine import free_port, key, serving

PATIENCE = 15.0


@dataclass
class Stream:
    """An open stream: what has come of it so far."""

    events: list[dict[str, Any]] = field(default_factory=list)
    """`message` events: their data, and the event's id as `_position`."""
    ended: str | None = None
    """The reason that was given; "" where none was."""
    status: int = 0
    heartbeats: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, ids: list[str]) -> list[dict[str, Any]]:
        """What has come, once there are so many events, which have these ids."""
        await self.wait(lambda: len(self.events) >= len(ids))
        assert [each["id"] for each in self.events] == ids
        return self.events

    async def wait(self, true: Any) -> None:
        """Wait until something is so of this stream."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def over(self) -> str:
        """The reason it was ended for, once it has ended."""
        await self.wait(lambda: self.ended is not None)
        assert self.ended is not None
        return self.ended

    async def read(self, http: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        """Read it to its end."""
        reason = ""
        try:
            async with http.stream("GET", "/v1/inbox/stream", headers=headers) as answer:
                self.status = answer.status_code
                self._news.set()
                name = position = ""
                async for line in answer.aiter_lines():
                    kind, _, value = line.partition(": ")
                    if line == ":":
                        self.heartbeats += 1
                    elif kind == "id":
                        position = value
                    elif kind == "event":
                        name = value
                    elif kind == "data" and name == "end":
                        reason = json.loads(value)["reason"]
                    elif kind == "data":
                        self.events.append({**json.loads(value), "_position": position})
                    self._news.set()
        finally:
            self.ended = reason
            self._news.set()


@dataclass
class Inboxes:
    """What a test does with it."""

    servers: list[httpx2.AsyncClient]
    """The API twice, with no key."""
    settings: Settings
    database: AsyncEngine
    scope: Scope
    attempts: AttemptStore
    key: dict[str, str]
    stop: Callable[[], Awaitable[None]]
    """Ask both servers to end, and wait until they have."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def http(self) -> httpx2.AsyncClient:
        """The first server."""
        return self.servers[0]

    async def guest(self, name: str = "Jordan") -> str:
        """A guest."""
        body = {"first_name": name, "last_name": "Mitchell"}
        return str((await self._ok(await self.http.post("/v1/guests", json=body, headers=self.key)))["id"])

    async def session(self, guest: str, **body: Any) -> dict[str, Any]:
        """A session, as it is answered."""
        return await self._ok(await self.http.post(f"/v1/guests/{guest}/sessions", json=body, headers=self.key))

    async def token(self, guest: str) -> dict[str, str]:
        """Headers of a new session."""
        return {"Authorization": f"Bearer {(await self.session(guest))['token']}"}

    async def accept(self, guest: str, content: str = "Your room is ready.", **fields: Any) -> str:
        """A message that was accepted and has not gone out yet."""
        body = {"channel": "in_app", "recipient": guest, "content": content, **fields}
        headers = {**self.key, "Prefer": "respond-async"}
        return str((await self._ok(await self.http.post("/v1/messaging/send", json=body, headers=headers)))["id"])

    async def claim(self, message: str) -> Answer:
        """What its workflow does when it is due."""
        answer = await self.attempts.claim(key(message), deadline=0.0)
        assert isinstance(answer, Answer)
        return answer

    async def send(self, guest: str, content: str = "Your room is ready.", **fields: Any) -> str:
        """A message that lies in the guest's inbox."""
        message = await self.accept(guest, content, **fields)
        assert (await self.claim(message)).status == "sent"
        return message

    async def message(self, message: str) -> dict[str, Any]:
        """As its property sees it."""
        return await self._ok(await self.http.get(f"/v1/messaging/{message}", headers=self.key))

    def open(self, token: dict[str, str], after: str | None = None, server: int = 0) -> Stream:
        """A stream on one of the servers."""
        stream = Stream()
        headers = token if after is None else {**token, "Last-Event-ID": after}
        self._tasks.append(asyncio.create_task(stream.read(self.servers[server], headers)))
        return stream

    async def inbox(self, token: dict[str, str], **query: Any) -> list[dict[str, Any]]:
        """A page of the inbox."""
        answer = await self.http.get("/v1/inbox/messages", params=query, headers=token)
        return list((await self._ok(answer))["data"])

    async def report(self, token: dict[str, str], message: str, word: str, server: int = 0) -> httpx2.Response:
        """What an app says of one message."""
        return await self.servers[server].post(f"/v1/inbox/messages/{message}/{word}", headers=token)

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """Rows of a statement, committed."""
        async with self.database.begin() as tx:
            found = await tx.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []

    async def _ok(self, answer: httpx2.Response) -> dict[str, Any]:
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    async def close(self) -> None:
        """Let go of all streams."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def open_inboxes(settings: Settings, database: AsyncEngine, **limits: Any) -> AsyncIterator[Inboxes]:
    """Two servers over `database`. Temporal is away: `Inboxes.claim` does what a workflow would ask for."""
    book = AddressBook(settings.bellhop.secret_key.get_secret_value())
    async with database.begin() as tx:
        scope = (await ensure_property(tx, "Grand Sunset Resort", "grand-sunset"))["test"]
        await ensure_accounts(tx, scope, settings)
        _, raw = await keys.create(tx, scope, "back end", ["*"], rate_limit=1_000_000)
    away = settings.temporal.model_copy(update={"address": "127.0.0.1:1"})
    api = settings.api.model_copy(update={"stream_heartbeat": 1.0, **limits})
    attempts = AttemptStore(
        database,
        settings.delivery,
        Routes(settings.bellhop.public_url, None),
        carried(providers()),
        settings.bellhop.credential_cipher(),
        book,
        lambda _: None,
    )
    async with AsyncExitStack() as clients, AsyncExitStack() as serving_:
        servers = []
        for _ in range(2):
            bellhop = settings.bellhop.model_copy(
                update={"public_url": f"http://127.0.0.1:{free_port()}", "accept_wait": 0.0}
            )
            url = await serving_.enter_async_context(
                serving(settings.model_copy(update={"bellhop": bellhop, "temporal": away, "api": api}))
            )
            servers.append(await clients.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=30)))
        headers = {"Authorization": f"Bearer {raw}"}
        made = Inboxes(servers, settings, database, scope, attempts, headers, serving_.aclose)
        try:
            yield made
        finally:
            await made.close()


def guest_key(guest: str) -> Any:
    """The row key behind `gst_…`."""
    return parse(Prefix.GUEST, guest)
