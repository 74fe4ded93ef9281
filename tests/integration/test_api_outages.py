"""The API while Postgres or Temporal is away: it starts, says so plainly, and recovers by itself."""

from __future__ import annotations

from uuid import uuid4

import httpx2
import psycopg
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from bellhop.domain import keys
from bellhop.settings import Settings
from tests.integration.conftest_api import SMS, open_api


async def test_without_postgres_it_starts_and_answers_503(settings: Settings) -> None:
    nowhere = settings.postgres.model_copy(update={"dsn": SecretStr("postgresql://nobody@127.0.0.1:1/none")})
    app = create_app(settings.model_copy(update={"postgres": nowhere}))
    raw = keys.mint("test", uuid4()).raw
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://api", headers={"X-API-Key": raw}) as http,
    ):
        assert (await http.get("/healthz")).status_code == 200
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["postgres"]) == (503, False)
        for answer in (
            await http.post("/v1/messaging/send", json=SMS),
            await http.post("/v1/receipts/twilio/AC0/status", data={"a": "b"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_restart_of_postgres_is_not_noticed(settings: Settings, engine: AsyncEngine) -> None:
    async with open_api(settings, engine) as api:
        assert (await api.send()).status_code == 201
        with psycopg.connect(settings.postgres.dsn.get_secret_value(), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and application_name = 'bellhop-api'"
            )
        assert [(await api.send()).status_code for _ in range(3)] == [201, 201, 201]
        assert (await api.http.get("/v1/messaging")).json()["total"] == 4


async def test_before_migrations_it_answers_503(settings: Settings, engine: AsyncEngine) -> None:
    async with open_api(settings, engine) as api:
        await api.sql("alter table messages rename to not_yet")
        answer = await api.send()
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        await api.sql("alter table not_yet rename to messages")
        assert (await api.send()).status_code == 201


async def test_without_temporal_messages_are_accepted(settings: Settings, engine: AsyncEngine) -> None:
    async with open_api(settings, engine) as api:
        assert (await api.send()).status_code == 201
        ready = (await api.http.get("/readyz")).json()
        assert (ready["status"], ready["postgres"], ready["temporal"]) == ("unavailable", True, False)
        # The notification stays pending in the row: recovery finds it.
        assert await api.sql("select count(*) from messages where wake_due_at is not null") == [(1,)]
