"""The API of one test: the real application over its own database, called through ASGI with a key that may do all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from api.dialects import DIALECTS
from api.dialects.dialect import Dialect
from bellhop.domain.scopes import Scope
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings
from bellhop.store.access import keys

SMS: dict[str, Any] = {"channel": "sms", "recipient": "+13055551234", "content": "Your suite is ready."}
EMAIL: dict[str, Any] = {
    "channel": "email",
    "recipient": "jordan.mitchell@example.com",
    "subject": "Tomorrow",
    "content": "We look forward to welcoming you.",
}
JORDAN: dict[str, Any] = {
    "first_name": "Jordan",
    "last_name": "Mitchell",
    "email": "jordan.mitchell@example.com",
    "phone": "+13055551234",
}


@dataclass
class Api:
    """What a test does with it."""

    app: FastAPI
    http: httpx2.AsyncClient
    database: AsyncEngine
    scope: Scope
    live: Scope
    key: str

    async def mint(self, *rights: str, scope: Scope | None = None, rate_limit: int | None = None) -> dict[str, str]:
        """Headers with a new key of these rights."""
        async with self.database.begin() as tx:
            _, raw = await keys.create(tx, scope or self.scope, "test", rights or ["*"], rate_limit=rate_limit)
        return {"Authorization": f"Bearer {raw}"}

    async def neighbour(self) -> dict[str, str]:
        """Headers with a key of another property."""
        async with self.database.begin() as tx:
            other = (await ensure_property(tx, "Other House", "other-house"))["test"]
        return await self.mint(scope=other)

    async def send(self, headers: dict[str, str] | None = None, **fields: Any) -> httpx2.Response:
        """POST /v1/messaging/send of an SMS with other `fields`."""
        return await self.http.post("/v1/messaging/send", json=SMS | fields, headers=headers)

    async def later(self, **fields: Any) -> dict[str, Any]:
        """A message that still waits."""
        answer = await self.send(**{"scheduled_at": "2030-01-01T09:00:00Z"} | fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def guest(self, **fields: Any) -> dict[str, Any]:
        """A guest."""
        answer = await self.http.post("/v1/guests", json=JORDAN | fields)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """Rows of a statement, committed."""
        async with self.database.begin() as tx:
            found = await tx.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []

    async def rows(self, table: str) -> int:
        """How many rows a table has."""
        return int((await self.sql(f"select count(*) from {table}"))[0][0])


@asynccontextmanager
async def open_api(
    settings: Settings, database: AsyncEngine, *, accept_wait: float = 0, dialects: Sequence[Dialect] = DIALECTS
) -> AsyncIterator[Api]:
    """The API over `database`, with one property whose test scope can send through the sandbox.

    Temporal is away: notifications stay pending in the rows, where a test can see them.
    """
    async with database.begin() as tx:
        scopes = await ensure_property(tx, "Grand Sunset Resort", "grand-sunset")
        await ensure_accounts(tx, scopes["test"], settings)
        _, raw = await keys.create(tx, scopes["test"], "everything", ["*"])
    bellhop = settings.bellhop.model_copy(update={"accept_wait": accept_wait})
    away = settings.temporal.model_copy(update={"address": "127.0.0.1:1"})
    app = create_app(settings.model_copy(update={"bellhop": bellhop, "temporal": away}), dialects)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=transport, base_url="http://api", headers={"Authorization": f"Bearer {raw}"}
        ) as http,
    ):
        yield Api(app, http, database, scopes["test"], scopes["live"], raw)
