"""PostgreSQL's disk is full, in the middle of everything: refused plainly, nothing half done, and it goes on by itself
when there is room again. Once the database only says so (anywhere), once the disk really is full (wherever a test may
have one of its own), which ends with PostgreSQL's panic and restarts that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from bellhop.ops.migrate import migrate
from bellhop.sandbox.testing import running
from bellhop.settings import Settings
from bellhop.store.connections import make_engine
from tests.integration.engine import EMAIL, SMS, Engine, running_engine
from tests.integration.spool_kit import spool
from tests.integration.webhooks_kit import serving

from .small_disk import SmallDisk, possible, small_disk

PACE = {"sendgrid_delivered_after": 1, "sendgrid_open_after": 8, "sendgrid_retry_pauses": [0.5] * 60}
GROWING = ("messages", "events", "attempts", "receipts", "deliveries", "idempotency")


@dataclass
class SaysSo:
    """The database answers 53100 to whatever would make it grow."""

    dsn: str

    def __post_init__(self) -> None:
        self._run(
            "create function no_space() returns trigger language plpgsql as $$ begin "
            "raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$"
        )

    def fill(self) -> None:
        for table in GROWING:
            self._run(f"create trigger no_space before insert or update on {table} execute function no_space()")

    def make_room(self) -> None:
        for table in GROWING:
            self._run(f"drop trigger no_space on {table}")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)


@asynccontextmanager
async def _stack(settings: Settings, dsn: str, temporal: Client) -> AsyncIterator[Engine]:
    settings.postgres.dsn = SecretStr(dsn)
    engine = make_engine(settings.postgres, "tests")
    try:
        with running() as sandbox_url:
            async with running_engine(settings, engine, temporal, sandbox_url) as stack:
                yield stack
    finally:
        await engine.dispose()


async def test_a_database_that_says_its_disk_is_full(settings: Settings, temporal: Client) -> None:
    dsn = settings.postgres.dsn.get_secret_value()
    async with _stack(settings, dsn, temporal) as stack:
        await _fill_and_mend(stack, SaysSo(dsn))


async def _fill_and_mend(stack: Engine, disk: SaysSo | SmallDisk, worse: Callable[[], Any] | None = None) -> None:
    async with serving() as customer:
        made = await stack.http.post("/v1/webhooks", json={"url": customer.url})
        assert made.status_code == 201, made.text
        # On its way through every stage when the disk fills up.
        await stack.sandbox.put("/_sandbox/settings", json=PACE)
        await stack.fault("accept_then_slow", to="+13055559401", delay=1.5)
        await stack.fault("rate_limit", to="+13055559402", retry_after=1)
        await stack.fault("accept_then_reset", to="+13055559403")
        soon = (await stack.rows("select now() + interval '2 s' as at"))[0]["at"].isoformat()
        sent = [
            await stack.send(EMAIL, now=True),
            *[await stack.send({**SMS, "recipient": f"+1305555940{n}"}) for n in range(1, 4)],
            await stack.send({**SMS, "recipient": "+13055559404", "scheduled_at": soon}),
        ]
        await _called(stack, 4)
        await asyncio.to_thread(disk.fill)
        bodies = {f"full-{n}": {**SMS, "recipient": f"+130555595{n:02}"} for n in range(60)}
        accepted = await _refused(stack, bodies, enough=8)
        await _nothing_half_done(stack, len(sent) + accepted)
        # Everything that was under way comes up against it.
        await asyncio.sleep(1.2)
        if worse is not None:
            await worse()
            accepted += await _refused(stack, bodies, enough=8)
        await _receipt_kept(stack)
        await asyncio.to_thread(disk.make_room)
        sent += [await _patiently(stack, body, name) for name, body in bodies.items()]
        for one in sent:
            await stack.until(one["id"], "delivered", "read", seconds=60)
        assert len(await stack.rows("select id from messages")) == len(sent) == len({one["id"] for one in sent})
        await _once_each(stack, sent)
        await stack.until(sent[0]["id"], "read", seconds=60)
        await customer.received(2 * len(sent), within=60)
        ids: dict[tuple[str, str], set[str]] = {}
        for call in customer.calls:
            ids.setdefault((call.json["data"]["id"], call.json["type"]), set()).add(call.json["id"])
        assert all(len(known) == 1 for known in ids.values())


async def _refused(stack: Engine, bodies: dict[str, Any], enough: int) -> int:
    """Send until so many are refused; all of them by 503. Returns how many were accepted: a full disk has half empty
    pages."""
    accepted: set[str] = set()
    refused = 0
    for name, body in bodies.items():
        answer = await _send(stack, body, name)
        if answer.status_code == 201:
            accepted.add(answer.json()["id"])
            continue
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable"), answer.text
        assert int(answer.headers["retry-after"]) >= 1
        refused += 1
        if refused == enough:
            return len(accepted)
    raise AssertionError("the disk is not full")


async def _send(stack: Engine, body: dict[str, Any], key: str) -> httpx2.Response:
    return await stack.http.post(
        "/v1/messaging/send", json=body, headers={"Idempotency-Key": key, "Prefer": "respond-async"}
    )


async def _patiently(stack: Engine, body: dict[str, Any], key: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (answer := await _send(stack, body, key)).status_code != 201:
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.2)
    return dict(answer.json())


async def _nothing_half_done(stack: Engine, accepted: int) -> None:
    """What was refused left no row behind."""
    (counted,) = await stack.rows(
        "select (select count(*) from messages) as messages,"
        " (select count(*) from events where type = 'message.queued') as events"
    )
    assert counted == {"messages": accepted, "events": accepted}


async def _called(stack: Engine, count: int) -> None:
    async with asyncio.timeout(20):
        while len((await stack.sandbox.get("/_sandbox/requests")).json()["data"]) < count:
            await asyncio.sleep(0.02)


async def _receipt_kept(stack: Engine) -> None:
    """Wait until a provider's news is on the API's own disk: it was taken, and is recorded later."""
    async with asyncio.timeout(30):
        while not (await spool(stack))["waiting"]:
            await asyncio.sleep(0.05)


async def _once_each(stack: Engine, sent: list[dict[str, Any]]) -> None:
    accepted = await stack.accepted()
    assert sorted(one["to"] for one in accepted) == sorted(one["recipient"] for one in sent)
    # For want of room nothing was set aside as if it could not be recorded.
    said = await spool(stack)
    assert (said["waiting"], said["rejected"]) == (0, 0)


async def _switch_logs(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for _ in range(20):
            await connection.execute("select pg_switch_wal(), pg_logical_emit_message(false, '', 'x')")


if possible():

    async def test_a_disk_that_is_really_full_until_postgres_panics(settings: Settings, temporal: Client) -> None:
        with small_disk() as disk:
            settings.postgres.dsn = SecretStr(disk.dsn)
            await migrate(settings)

            async def panic() -> None:
                """The write-ahead log needs its next file, and there is no room for one."""
                with pytest.raises(psycopg.OperationalError):
                    await _switch_logs(disk.dsn)

            async with _stack(settings, disk.dsn, temporal) as stack:
                await _fill_and_mend(stack, disk, panic)
            assert "No space left on device" in disk.log()
            assert "PANIC" in disk.log()
