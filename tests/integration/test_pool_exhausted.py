"""Connections run out, a process's own or PostgreSQL's: callers are told soon, workers wait, nothing is half done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import Prefix, parse
from bellhop.settings import Settings
from bellhop.store.connections import make_engine
from bellhop.temporal.dispatcher import TemporalDispatcher
from tests.integration.conftest_api import SMS, Api, open_api
from tests.integration.engine import Engine, working

# A callback that bears no signature we would know: what matters is that it is refused before anybody looks.
SOON = 8.0
"""Seconds. Less than the workers' patience for a connection, with which this was seen to fail."""
RECEIPT = "/v1/receipts/twilio/AC00000000000000000000000000000000/status"


def small(settings: Settings, pool: int, dsn: str | None = None) -> Settings:
    """The same settings with so many connections."""
    given = {"pool_size": pool} | ({"dsn": SecretStr(dsn)} if dsn else {})
    return settings.model_copy(update={"postgres": settings.postgres.model_copy(update=given)})


@contextmanager
def locked(dsn: str, message_id: UUID) -> Iterator[None]:
    """Somebody else's transaction holds the message's row."""
    with psycopg.connect(dsn) as elsewhere:
        elsewhere.execute("select from messages where id = %s for update", [message_id])
        yield


async def _timed(call: Coroutine[Any, Any, httpx2.Response]) -> tuple[httpx2.Response, float]:
    began = time.monotonic()
    return await call, time.monotonic() - began


def _unavailable(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable"), answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("pool", [1, 2])
async def test_an_api_whose_connections_are_all_waiting_says_so_and_recovers(
    settings: Settings, engine: AsyncEngine, database_dsn: str, pool: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with the workers' patience: callers wait for as long as others wait for their lock."""
    monkeypatch.setattr("bellhop.store.connections.LOCK_TIMEOUT_MS", 30_000)
    async with open_api(small(settings, pool), engine) as api:
        message = await api.later()
        key = parse(Prefix.MESSAGE, message["id"])
        assert key is not None
        before = await _written(api)
        with locked(database_dsn, key):
            waiting = [
                asyncio.create_task(_timed(api.http.post(f"/v1/messaging/{message['id']}/cancel"))) for _ in range(pool)
            ]
            await _all_waiting(api, pool)
            probes = asyncio.gather(_timed(api.http.get("/healthz")), _timed(api.http.get("/readyz")))
            refused = await asyncio.gather(
                _timed(api.send({"Idempotency-Key": "again"})),
                _timed(api.send()),
            )
            for answer, took in refused:
                _unavailable(answer)
                assert took < SOON
            # Callbacks have connections of their own: this one is looked at, and its account is nobody's.
            callback, took = await _timed(api.http.post(RECEIPT, data={"MessageSid": "SM1"}))
            assert (callback.status_code, took < 1.0) == (404, True)
            (alive, alive_took), (ready, ready_took) = await probes
            assert (alive.status_code, ready.status_code) == (200, 503)
            assert alive_took < SOON and ready_took < SOON
            assert await _written(api) == before
        # The lock is free before its own time-out: who waited for it gets on, and so does everybody else.
        assert [(await task)[0].status_code for task in waiting] == [200] * pool
        assert (await api.http.get("/readyz")).json()["postgres"] is True
        first, again = await api.send({"Idempotency-Key": "again"}), await api.send({"Idempotency-Key": "again"})
        assert first.status_code == again.status_code == 201
        assert first.json()["id"] == again.json()["id"]
        assert (await _written(api))["messages"] == before["messages"] + 1


async def _all_waiting(api: Api, count: int) -> None:
    """Until so many of the API's connections wait for a lock."""
    async with asyncio.timeout(20):
        while True:
            rows = await api.sql(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and application_name = 'bellhop-api' and wait_event_type = 'Lock'"
            )
            if rows == [(count,)]:
                return
            await asyncio.sleep(0.02)


async def _written(api: Api) -> dict[str, int]:
    return {name: await api.rows(name) for name in ("messages", "events", "idempotency", "receipts", "attempts")}


async def test_a_lock_that_is_never_freed_is_a_503_too(
    settings: Settings, engine: AsyncEngine, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellhop.store.connections.LOCK_TIMEOUT_MS", 300)
    async with open_api(settings, engine) as api:
        message = await api.later()
        key = parse(Prefix.MESSAGE, message["id"])
        assert key is not None
        with locked(database_dsn, key):
            _unavailable(await api.http.post(f"/v1/messaging/{message['id']}/cancel"))
        assert (await api.http.get(f"/v1/messaging/{message['id']}")).json()["status"] == "queued"
        assert (await api.http.post(f"/v1/messaging/{message['id']}/cancel")).status_code == 200


@asynccontextmanager
async def crowded(database_dsn: str, engine: AsyncEngine) -> AsyncIterator[tuple[str, psycopg.AsyncConnection]]:
    """A user who may have one connection (the tests' own may have any number), and that connection. Taken by somebody
    else, PostgreSQL refuses the next one with 53300, as it does at `max_connections`."""
    name = "crowded_" + database_dsn.rpartition("test_")[2][:12]
    async with engine.begin() as tx:
        await tx.execute(text(f"create role {name} login connection limit 1"))
        for right in ("all tables", "all sequences"):
            await tx.execute(text(f"grant all on {right} in schema public to {name}"))
    dsn = f"{database_dsn}&user={quote(name)}".replace("postgresql://postgres@", "postgresql://")
    taken = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            await psycopg.AsyncConnection.connect(dsn)
        yield dsn, taken
    finally:
        await taken.close()
        async with engine.begin() as tx:
            await tx.execute(text(f"drop owned by {name}"))
            await tx.execute(text(f"drop role {name}"))


async def test_an_api_that_postgres_has_no_connection_for_says_so_and_recovers(
    settings: Settings, engine: AsyncEngine, database_dsn: str
) -> None:
    async with (
        crowded(database_dsn, engine) as (dsn, taken),
        open_api(small(settings, 1, dsn), engine) as api,
    ):
        before = await _written(api)
        for call in (api.send(), api.http.post(RECEIPT, data={"MessageSid": "SM1"}), api.http.get("/v1/messaging")):
            answer, took = await _timed(call)
            _unavailable(answer)
            assert took < SOON
        ready, took = await _timed(api.http.get("/readyz"))
        assert (ready.status_code, ready.json()["postgres"]) == (503, False) and took < SOON
        assert await _written(api) == before
        await taken.close()
        # It counts until its process has gone, a moment later.
        async with asyncio.timeout(20):
            while (answer := await api.send()).status_code == 503:
                await asyncio.sleep(0.05)
        assert answer.status_code == 201


@pytest.mark.parametrize("whose", ["its own", "the server's"])
async def test_a_worker_without_connections_waits_and_loses_nothing(
    idle_stack: Engine, settings: Settings, engine: AsyncEngine, database_dsn: str, whose: str
) -> None:
    """Messages in every state of work: not begun, in the provider's hands, answered with 429, unknown. The worker
    cannot write a word for longer than its patience for a connection (1 s here), several times over.

    Seen to fail when an activity that failed is not tried again: what was not begun stays queued.
    """
    async with crowded(database_dsn, engine) as (crowded_dsn, taken):
        await taken.close()
        few = make_engine(small(settings, 1, crowded_dsn).postgres, "worker-tests", pool_timeout=1.0)
        stack = replace(idle_stack, settings=small(settings, 1, crowded_dsn))
        async with TemporalDispatcher(stack.client, few) as dispatcher:
            stack = replace(stack, database=few, dispatcher=dispatcher)
            await stack.fault("accept_then_slow", to="+13055559301")
            await stack.fault("rate_limit", to="+13055559302", retry_after=1)
            await stack.fault("accept_then_reset", to="+13055559303")
            async with working(stack):
                sent = [await stack.send({**SMS, "recipient": f"+1305555930{n}"}) for n in range(1, 4)]
                await _called(stack, 3)
                async with _without(whose, few, crowded_dsn, engine):
                    sent += [await stack.send({**SMS, "recipient": f"+1305555931{n}"}) for n in range(3)]
                    await asyncio.sleep(2.5)
                for one in sent:
                    await stack.until(one["id"], "delivered", seconds=40)
        await few.dispose()
    taken_by_provider = [one["to"] for one in await idle_stack.accepted()]
    assert sorted(taken_by_provider) == sorted(one["recipient"] for one in sent)
    for one in sent:
        reported = [kind for kind in await idle_stack.events(one["id"]) if kind.startswith("message.")]
        assert reported == ["message.sent", "message.delivered"]


async def _called(stack: Engine, count: int) -> None:
    async with asyncio.timeout(20):
        while len((await stack.sandbox.get("/_sandbox/requests")).json()["data"]) < count:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _without(whose: str, few: AsyncEngine, dsn: str, engine: AsyncEngine) -> AsyncIterator[None]:
    """The worker's one connection is in use, or PostgreSQL gives it none."""
    if whose == "its own":
        while True:
            try:
                own = await few.connect()
            except PoolTimeout:
                continue  # the worker was quicker
            break
        try:
            yield
        finally:
            await own.close()
        return
    cut = text(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'bellhop-worker-tests'"
    )
    while True:
        async with engine.begin() as tx:
            await tx.execute(cut)
        try:
            taken = await psycopg.AsyncConnection.connect(dsn)
        except psycopg.OperationalError:
            continue  # the worker was quicker
        break
    async with taken:
        yield
