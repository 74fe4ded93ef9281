"""An endpoint that asks for a rest, and one that is deleted: its own row says so, not those of its deliveries. Whoever
writes deliveries that are there takes the row of their endpoint first, so nobody dead-locks with anybody."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.domain.webhook_ports import PendingDelivery, RecordUnavailable, Result, State, Visit
from bellhop.store.webhooks import deliveries, endpoints
from bellhop.webhooks.outbox import PostgresOutbox
from bellhop.webhooks.settings import WebhookSettings

from .webhooks_kit import Receiver, WebhookStack, build_stack, says, serving

BACKLOG = 1_200


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


async def backlog(stack: WebhookStack, endpoint: UUID, count: int = BACKLOG, state: str = "pending") -> None:
    """So many deliveries that are due, each of a message of its own."""
    async with stack.engine.begin() as tx:
        await tx.execute(
            text(
                """
                with made as (
                  insert into events (scope_id, subject, subject_id, type, stage, facts)
                  select :scope, 'message', uuidv7(), 'message.sent', 'sent', '{"stage": "sent"}'
                  from generate_series(1, :count) returning id, subject_id)
                insert into deliveries (scope_id, endpoint_id, event_id, subject_id, state, next_at)
                select :scope, :endpoint, id, subject_id, :state, now() - interval '1 minute' from made
                """
            ),
            {"scope": stack.scope_id, "endpoint": endpoint, "count": count, "state": state},
        )


async def one(stack: WebhookStack, query: str, **values: Any) -> Any:
    async with stack.engine.begin() as tx:
        return (await tx.execute(text(query), values)).scalar_one()


UNTOUCHED = "select count(*) from pending_deliveries where endpoint_id = :id and next_at < now()"


async def test_a_rest_rewrites_no_delivery(stack: WebhookStack, receiver: Receiver) -> None:
    receiver.answer = says(429, retry_after="120")
    endpoint = await stack.endpoint(receiver.url)
    await backlog(stack, endpoint)
    after = (await stack.drain(endpoint)).after
    assert after is not None and 110 < after <= 120
    posted = len(receiver.calls)
    assert 1 <= posted <= 16
    assert await one(stack, UNTOUCHED, id=endpoint) == BACKLOG - posted
    # What comes meanwhile waits, too, and nobody is woken for it: somebody comes when the rest is over.
    await stack.tell(await stack.message(), Stage.SENT)
    row = await stack.endpoint_row(endpoint)
    assert row.draining_until == row.rests_until > datetime.now(UTC) + timedelta(seconds=100)
    again = (await stack.drain(endpoint)).after
    assert again is not None and 100 < again <= 120
    assert len(receiver.calls) == posted
    # It is over.
    receiver.answer = says(204)
    await stack.set_endpoint(endpoint, rests_until=datetime.now(UTC), draining_until=None)
    while ((await stack.drain(endpoint)).after or 1) < 1:
        pass
    left = "select count(*) from deliveries where endpoint_id = :id and state <> 'delivered'"
    assert await one(stack, left, id=endpoint) == posted, "those that were refused have a pause of their own"


async def test_a_rest_lasts_also_when_nothing_is_owed(stack: WebhookStack, receiver: Receiver) -> None:
    """The last try of the only delivery asked for it: what comes then is not posted before."""
    receiver.answer = says(503, retry_after="90")
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    after = (await stack.drain(endpoint, pauses=())).after
    assert after is not None and 80 < after <= 90
    await stack.tell(await stack.message(), Stage.SENT)
    assert ((await stack.drain(endpoint)).after or 0) > 80
    assert len(receiver.calls) == 1


async def test_its_owner_ends_the_rest(stack: WebhookStack, receiver: Receiver) -> None:
    """A replay, another URL, switching it on: they want it now."""
    scope = Scope(stack.scope_id, stack.property_id, "test")
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    (delivery,) = await stack.deliveries(endpoint)
    for ends in (
        lambda tx: endpoints.replay_one(tx, scope, endpoint, delivery.id),
        lambda tx: endpoints.change(tx, scope, endpoint, {"is_active": True}),
        lambda tx: endpoints.change(tx, scope, endpoint, {"url": receiver.url}),
    ):
        later = datetime.now(UTC) + timedelta(hours=1)
        await stack.set_endpoint(endpoint, rests_until=later, draining_until=later)
        async with stack.engine.begin() as tx:
            assert await ends(tx)
        row = await stack.endpoint_row(endpoint)
        assert (row.rests_until, row.draining_until) == (None, None)
    later = datetime.now(UTC) + timedelta(hours=1)
    await stack.set_endpoint(endpoint, rests_until=later)
    async with stack.engine.begin() as tx:
        await endpoints.change(tx, scope, endpoint, {"description": "the same"})
    assert (await stack.endpoint_row(endpoint)).rests_until == later


async def test_deleting_an_endpoint_is_one_row_and_its_backlog_goes_in_chunks(stack: WebhookStack) -> None:
    scope = Scope(stack.scope_id, stack.property_id, "test")
    endpoint = await stack.endpoint("http://127.0.0.1:9")
    await backlog(stack, endpoint)
    async with stack.engine.begin() as tx:
        assert await endpoints.remove(tx, scope, endpoint)
    abandoned = "select count(*) from deliveries where endpoint_id = :id and state = 'abandoned'"
    assert await one(stack, abandoned, id=endpoint) == deliveries.MOST_ABANDONED < BACKLOG
    # Whoever is woken for it does the rest.
    assert (await stack.drain(endpoint)).after is None
    assert await one(stack, abandoned, id=endpoint) == BACKLOG


class Crowd:
    """Everybody who writes about three endpoints and their deliveries, as often as they can for a while."""

    def __init__(self, stack: WebhookStack, ids: list[UUID], messages: list[UUID], seconds: float) -> None:
        self.stack, self.ids, self.messages = stack, ids, messages
        self.engine = stack.engine
        self.scope = Scope(stack.scope_id, stack.property_id, "test")
        self.outbox = PostgresOutbox(stack.engine, WebhookSettings(_env_file=None, timeout=0.2, disable_after=1000.0))
        self.stop = time.monotonic() + seconds
        self.chance = random.Random(7)
        self.faults: list[str] = []
        self.done: dict[str, int] = {}

    async def again(self, work: Callable[[], Awaitable[None]]) -> None:
        name = work.__name__
        while time.monotonic() < self.stop:
            try:
                await work()
                self.done[name] = self.done.get(name, 0) + 1
            except (DBAPIError, RecordUnavailable) as error:
                self.faults.append(f"{name}: {type(getattr(error, 'orig', error)).__name__}")

    def result(self, delivery: PendingDelivery) -> Result:
        state = self.chance.choice([State.DELIVERED, State.DELIVERED, State.PENDING, State.FAILED, State.RELEASED])
        status = 204 if state is State.DELIVERED else 410 if self.chance.random() < 0.01 else 503
        hold = 0.05 if state is State.PENDING and self.chance.random() < 0.3 else 0.0
        return Result(
            delivery.id, delivery.event_id, delivery.token, state, self.chance.random() * 0.2, status, None, hold
        )

    async def drains(self) -> None:
        since = {each: found for each in list(self.ids) if (found := await self.outbox.open(each)) is not None}
        visits = [Visit(each, room=40, since=found) for each, found in since.items()]
        for last in (False, False, False, False, True):
            results: list[Visit] = []
            for visit, step in zip(visits, await self.outbox.step(visits), strict=True):
                given = [*(() if step.written else visit.results), *(self.result(each) for each in step.deliveries)]
                self.chance.shuffle(given)
                room, extend = 0 if last else 40, self.chance.random() < 0.5
                results.append(Visit(visit.endpoint_id, given, room, extend, step.since or visit.since))
            visits = results
        await self.outbox.step(visits)
        for each in since:
            await self.outbox.close(each)

    async def replays(self) -> None:
        since = datetime.now(UTC) - timedelta(days=1)
        async with self.engine.begin() as tx:
            await endpoints.replay_failed(tx, self.scope, self.chance.choice(self.ids), since)

    async def replays_one(self) -> None:
        endpoint = self.chance.choice(self.ids)
        if rows := await self.stack.deliveries(endpoint):
            async with self.engine.begin() as tx:
                await endpoints.replay_one(tx, self.scope, endpoint, self.chance.choice(rows).id)

    async def changes(self) -> None:
        active = self.chance.random() < 0.8
        async with self.engine.begin() as tx:
            await endpoints.change(tx, self.scope, self.chance.choice(self.ids), {"is_active": active})

    async def writes(self) -> None:
        stages = self.chance.sample([Stage.SENT, Stage.DELIVERED, Stage.READ], 2)
        await self.stack.tell(self.chance.choice(self.messages), *stages)

    async def deletes(self) -> None:
        await asyncio.sleep(0.6)
        gone = self.ids.pop(0)
        self.ids.append(await self.stack.endpoint("http://127.0.0.1:9/new"))
        await backlog(self.stack, self.ids[-1], 300)
        async with self.engine.begin() as tx:
            await endpoints.remove(tx, self.scope, gone)


async def test_no_two_wait_for_each_other(stack: WebhookStack) -> None:
    """Drainers (several, as after a lost heartbeat), rests, disabling, replays, changes and deletion, all at once."""
    ids = [await stack.endpoint(f"http://127.0.0.1:9/{number}") for number in range(3)]
    for each in ids:
        await backlog(stack, each, 300)
        await backlog(stack, each, 300, "failed")
    crowd = Crowd(stack, ids, [await stack.message() for _ in range(40)], 8)
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    before = await one(stack, deadlocks)
    works = [crowd.replays, crowd.replays_one, crowd.changes, crowd.writes, crowd.deletes]
    await asyncio.gather(*(crowd.again(work) for work in [*[crowd.drains] * 4, crowd.replays, *works]))
    assert crowd.faults == []
    assert await one(stack, deadlocks) == before
    assert min(crowd.done.get(work.__name__, 0) for work in [crowd.drains, *works]) > 4
