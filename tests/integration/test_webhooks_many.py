"""Many endpoints in one process: they share its visits to the record, and none waits for another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.drain import EndpointActivities
from bellhop.domain.statuses import Stage
from bellhop.domain.webhook_ports import RecordUnavailable, Visit
from bellhop.store.webhooks import deliveries
from bellhop.webhooks.outbox import PostgresOutbox
from bellhop.webhooks.poster import make_client
from bellhop.webhooks.settings import WebhookSettings
from tests.integration.webhooks_kit import (
    LOCAL,
    Answer,
    Call,
    Receiver,
    WebhookStack,
    activities,
    build_stack,
    serving,
)

MANY = 40


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


@pytest.fixture
async def process(stack: WebhookStack) -> AsyncIterator[EndpointActivities]:
    """What one worker has."""
    settings = WebhookSettings(allow=LOCAL, retry_pauses=[60.0], timeout=20.0)
    async with make_client(settings) as client:
        yield activities(stack.engine, settings, client, stack.woken)


async def drained(process: EndpointActivities, *endpoints: Any) -> None:
    await asyncio.gather(*(ActivityEnvironment().run(process.drain, str(each)) for each in endpoints))


async def test_they_share_their_visits_and_each_gets_everything_once_and_in_order(
    stack: WebhookStack, receiver: Receiver, process: EndpointActivities, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits: list[int] = []
    step = PostgresOutbox.step

    async def counted(self: PostgresOutbox, asked: Any) -> Any:
        visits.append(len(asked))
        if len(visits) == 2:
            raise RecordUnavailable  # and is there again, when it is asked for each alone
        return await step(self, asked)

    monkeypatch.setattr(PostgresOutbox, "step", counted)
    endpoints = [await stack.endpoint(f"{receiver.url}/{number}") for number in range(MANY)]
    for _ in range(5):
        await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
    await drained(process, *endpoints)
    assert max(Counter(call.path + call.json["id"] for call in receiver.calls).values()) == 1
    for number in range(MANY):
        reported: dict[str, list[str]] = {}
        for call in receiver.at(f"/{number}"):
            reported.setdefault(call.json["data"]["id"], []).append(call.json["type"])
        assert list(reported.values()) == [["message.sent", "message.delivered"]] * 5
    assert max(visits) > MANY / 2
    together = [count for count in visits if count > 1]
    assert len(together) < 10 * MANY, "an endpoint looks for itself"
    async with stack.engine.begin() as tx:
        left = await tx.execute(text("select count(*) from pending_deliveries"))
        assert left.scalar_one() == 0, "what is delivered stays among what is pending"


async def test_an_endpoint_that_somebody_has_locked_holds_up_nobody_else(
    stack: WebhookStack, receiver: Receiver, process: EndpointActivities
) -> None:
    locked, free = [await stack.endpoint(receiver.url + path) for path in ("/locked", "/free")]
    release = asyncio.Event()

    async def lock() -> None:
        async with stack.engine.begin() as tx:
            await tx.execute(text("select from endpoints where id = :id for update"), {"id": locked})
            holds.set()
            await release.wait()

    holds = asyncio.Event()

    async def answer(call: Call) -> Answer:
        if call.path == "/locked" and not locking:
            locking.append(asyncio.create_task(lock()))
            await holds.wait()
        return 200, {}

    locking: list[asyncio.Task[None]] = []
    receiver.answer = answer
    await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
    draining = asyncio.create_task(drained(process, locked, free))
    await receiver.got(2, "/free")
    async with asyncio.timeout(10):
        while {row.state for row in await stack.deliveries(free)} != {"delivered"}:
            await asyncio.sleep(0.02)
    release.set()
    await asyncio.gather(draining, *locking)
    assert {(row.state, row.attempts) for row in await stack.deliveries(locked)} == {("delivered", 1)}
    assert len(receiver.at("/locked")) == 2


async def test_a_drain_knows_since_when_something_may_be_due(stack: WebhookStack, engine: AsyncEngine) -> None:
    endpoint = await stack.endpoint("http://127.0.0.1:9/")
    async with engine.begin() as tx:
        since = await deliveries.open_drain(tx, endpoint, 10.0)
    assert since is not None
    assert timedelta(seconds=55) < datetime.now(UTC) - since < timedelta(seconds=90), (
        "as long as a transaction may last"
    )
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.pass_time(endpoint, 3_600)
    async with engine.begin() as tx:
        assert await deliveries.claim(tx, [Visit(endpoint, room=5, since=since)], 30.0) == {}
        since = await deliveries.open_drain(tx, endpoint, 10.0)
        assert since is not None
        assert len((await deliveries.claim(tx, [Visit(endpoint, room=5, since=since)], 30.0))[endpoint]) == 1
