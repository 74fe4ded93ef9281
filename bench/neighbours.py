"""Another property on the same installation: what it sends while somebody is in trouble, and how late that goes out."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.dev.proving import RATE_LIMIT
from bellhop.domain.scopes import Scope
from bellhop.store.access import keys, properties
from bench.guests import Refused, Sent

_NUMBERS = itertools.count()
BUSY = 30.0
"""Seconds for which a busy API is asked again."""


class Neighbour:
    """`async with`: a client with a key of its own."""

    def __init__(self, api_url: str, key: str, name: str) -> None:
        self._send_url = f"{api_url}/v1/messaging/send"
        self._key = key
        self._name = name

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._key}", "Prefer": "respond-async"},
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2),
            timeout=aiohttp.ClientTimeout(total=60),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.close()

    async def send(self, channel: str = "sms", *, to: str = "", due: datetime | None = None, **fields: Any) -> Sent:
        """Hand in one message. Raises Refused."""
        number = next(_NUMBERS)
        content = f"{self._name} {number:06}: your room is ready."
        others = {"email": f"guest{number}@example.net", "push": f"device-{number}:APA91b"}
        to = to or others.get(channel, f"+1312{2_000_000 + number}")
        body: dict[str, Any] = {"channel": channel, "recipient": to, "content": content, **fields}
        if channel == "email":
            body |= {"subject": "Your stay", "content_type": "text/html"}
        if due is not None:
            body["scheduled_at"] = due.isoformat()
        at, began = time.time(), time.perf_counter()
        while True:
            async with self._http.post(self._send_url, json=body) as answer:
                accepted: Mapping[str, Any] = await answer.json()
                took = time.perf_counter() - began
            if answer.status == 201:
                return Sent(accepted["id"], channel, content, at, took, due)
            if answer.status != 503 or took > BUSY:
                raise Refused(f"send: {answer.status} {str(accepted)[:300]}")
            # As a good client does; the time counts.
            await asyncio.sleep(0.2)

    async def keep_sending(self, seconds: float, every: float, channel: str = "sms", **fields: Any) -> list[Sent]:
        """One message now and then, for a while, however long each takes to be accepted."""
        began, sending = time.perf_counter(), list[asyncio.Task[Sent]]()
        while (now := time.perf_counter() - began) < seconds:
            sending.append(asyncio.create_task(self.send(channel, **fields)))
            await asyncio.sleep(max(0.0, len(sending) * every - now))
        return list(await asyncio.gather(*sending))


async def settle_in(engine: AsyncEngine, like: Scope, name: str, environment: str) -> tuple[Scope, str]:
    """A property that sends through accounts like those of `like`. Returns its scope in that environment and a key. A
    live one reaches the sandbox too: there is nothing else on this machine."""
    async with engine.begin() as tx:
        _, made = await properties.create(tx, name, name.lower().replace(" ", "-"))
        scope = made[environment]
        await _copy_accounts(tx, like, scope)
        _, key = await keys.create(tx, scope, "bench", ["*"], rate_limit=RATE_LIMIT)
    return scope, key


async def _copy_accounts(tx: AsyncConnection, like: Scope, scope: Scope) -> None:
    for account in (
        await tx.execute(text("select id from provider_accounts where scope_id = :id"), {"id": like.id})
    ).all():
        (copy,) = await copied(tx, "provider_accounts", "id = :id", {"scope_id": scope.id}, id=account.id)
        await copied(tx, "senders", "account_id = :id", {"scope_id": scope.id, "account_id": copy}, id=account.id)


async def copied(
    tx: AsyncConnection, table: str, which: str, others: Mapping[str, UUID], times: int = 1, **values: Any
) -> list[UUID]:
    """Rows like those there are, `times` each, but for their ids and `others`. Returns the new ids."""
    columns = await tx.execute(
        text(
            "select column_name from information_schema.columns where table_schema = 'public' and table_name = :table"
        ),
        {"table": table},
    )
    kept = [name for name in columns.scalars() if name not in ("id", *others)]
    copy = f"""
        insert into {table} ({", ".join([*kept, *others])})
        select {", ".join([*kept, *(f"cast(:{name} as uuid)" for name in others)])}
        from {table}, generate_series(1, {times}) where {which} returning id
    """
    return list((await tx.execute(text(copy), {**values, **others})).scalars())
