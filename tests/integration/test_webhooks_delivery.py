"""One drain of an endpoint, against a real database and a customer's server that really listens: two drainers at once,
interruptions, late results, and who says that nobody drains."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.statuses import Stage
from bellhop.domain.webhook_ports import Result, State, Visit
from bellhop.store.database import Autocommit
from bellhop.store.delivery import pending_wakes
from bellhop.store.webhooks import deliveries, results
from tests.integration.webhooks_kit import QUICK, Answer, Call, Receiver, WebhookStack, build_stack, says, serving


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


async def test_two_drainers_at_once_post_nothing_twice(stack: WebhookStack, receiver: Receiver) -> None:
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(40):
        await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
    await asyncio.gather(*(stack.drain(endpoint) for _ in range(3)))
    ids = [call.json["id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 80
    assert {row.attempts for row in await stack.deliveries(endpoint)} == {1}


async def test_an_interrupted_drain_gives_back_what_it_had_in_hand(stack: WebhookStack, receiver: Receiver) -> None:
    async def never(_: Call) -> Answer:
        await asyncio.sleep(3)
        return 200, {}

    receiver.answer = never
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(12):
        await stack.tell(await stack.message(), Stage.SENT)
    draining = asyncio.create_task(stack.drain(endpoint))
    await receiver.got(8)
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining
    rows = await stack.deliveries(endpoint)
    assert all(row.next_at <= datetime.now(UTC) and row.attempts == 0 for row in rows)
    receiver.answer = None
    await stack.drain(endpoint)
    assert {row.state for row in await stack.deliveries(endpoint)} == {"delivered"}
    ids = [call.json["id"] for call in receiver.calls]
    assert len(set(ids)) == 12


async def test_a_result_that_comes_after_the_claim_ran_out_changes_nothing_unless_it_is_a_success(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)

    async def claimed() -> Any:
        async with engine.begin() as tx:
            ((delivery,),) = (await deliveries.claim(tx, [Visit(endpoint, room=5)], 30.0)).values()
            return delivery

    late = await claimed()
    await stack.due_now(endpoint)  # its time runs out
    await claimed()
    async with engine.begin() as tx:
        failed = Visit(endpoint, [Result(late.id, late.event_id, late.token, State.PENDING, 9.0, 500, "http 500")])
        await results.write(tx, [failed], 10.0, 1e6)
    assert (await stack.deliveries(endpoint))[0].attempts == 0
    async with engine.begin() as tx:
        for _ in range(2):
            delivered = Visit(endpoint, [Result(late.id, late.event_id, late.token, State.DELIVERED, status=200)])
            await results.write(tx, [delivered], 10.0, 1e6)
    (row,) = await stack.deliveries(endpoint)
    assert (row.state, row.attempts) == ("delivered", 1)


async def test_the_endpoints_row_says_that_somebody_drains_and_then_that_nobody_does(
    stack: WebhookStack, receiver: Receiver
) -> None:
    seen: list[UUID] = []

    async def look(_: Call) -> Answer:
        until = (await stack.endpoint_row(endpoint)).draining_until
        assert until is not None and until > datetime.now(UTC) + timedelta(seconds=5)
        seen.append(endpoint)
        return 200, {}

    receiver.answer = look
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    assert seen == [endpoint]
    assert (await stack.endpoint_row(endpoint)).draining_until is None


async def test_time_is_up_before_the_work_is_done(stack: WebhookStack, receiver: Receiver) -> None:
    async def slow(_: Call) -> Answer:
        await asyncio.sleep(0.5)
        return 200, {}

    receiver.answer = slow
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(100):
        await stack.tell(await stack.message(), Stage.SENT)
    assert (await stack.drain(endpoint, timeout=20.0, pace=replace(QUICK, works=2.0))).after == 0.0
    assert (await stack.endpoint_row(endpoint)).draining_until is not None, "the next drain follows at once"
    assert 0 < len(receiver.calls) < 100
    receiver.answer = None
    await stack.drain(endpoint)
    ids = [call.json["id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 100


async def test_answers_are_not_kept(stack: WebhookStack, receiver: Receiver) -> None:
    receiver.answer = says(500, x_secret="do not store")
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    assert "do not store" not in json.dumps([list(map(str, row)) for row in await stack.deliveries(endpoint)])


@pytest.mark.parametrize(
    "point", ["before it is said", "before that is committed", "before the look", "after the look"]
)
async def test_i4_a_writer_who_meets_a_leaving_drainer_is_seen_by_it_or_sees_that_nobody_drains(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    idle: list[UUID] = []
    met = False

    async def meet(here: str) -> None:
        """The whole of what a writer does: write, commit, and only then look whether somebody drains."""
        nonlocal met
        if here == point and not met:
            met = True
            await stack.tell(await stack.message(), Stage.SENT)
            idle.extend(each.id for each in await pending_wakes.clear_and_idle(Autocommit(engine), {}, {endpoint}))

    close, look = deliveries.close_drain, deliveries.next_due

    async def closing(tx: Any, endpoint_id: UUID) -> None:
        await meet("before it is said")
        await close(tx, endpoint_id)
        await meet("before that is committed")

    async def looking(tx: Any, endpoint_id: UUID) -> float | None:
        await meet("before the look")
        found = await look(tx, endpoint_id)
        await meet("after the look")
        return found

    monkeypatch.setattr(deliveries, "close_drain", closing)
    monkeypatch.setattr(deliveries, "next_due", looking)
    await stack.drain(endpoint)
    assert met
    assert receiver.calls or idle, "a lost wake-up"
    if point == "before that is committed":
        assert receiver.calls and not idle


async def test_connections_cut_in_mid_delivery_cost_no_result_in_hand(
    stack: WebhookStack, receiver: Receiver, database_dsn: str
) -> None:
    cut: list[int] = []

    async def cutting(_: Call) -> Answer:
        if len(receiver.calls) == 1:
            async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
                found = await connection.execute(
                    "select pg_terminate_backend(pid)::int from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
                )
                cut.extend(row[0] for row in await found.fetchall())
        return 200, {}

    receiver.answer = cutting
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(10):
        await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
    assert (await stack.drain(endpoint)).after is None
    assert cut
    ids = [call.json["id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 20
    assert {(row.state, row.attempts) for row in await stack.deliveries(endpoint)} == {("delivered", 1)}


async def test_while_every_place_is_stuck_the_drainer_still_says_that_it_drains(
    stack: WebhookStack, receiver: Receiver
) -> None:
    """A drainer that were silent meanwhile would leave all of them without an answer."""

    async def slow(_: Call) -> Answer:
        await receiver.got(8)
        before = (await stack.endpoint_row(endpoint)).draining_until
        while (await stack.endpoint_row(endpoint)).draining_until - before < timedelta(seconds=0.3):
            await asyncio.sleep(0.05)
        return 200, {}

    receiver.answer = slow
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(8):
        await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint, timeout=20.0, pace=replace(QUICK, extends=0.1))
    assert {row.state for row in await stack.deliveries(endpoint)} == {"delivered"}
