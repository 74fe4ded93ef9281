"""In what order webhooks arrive, within a message and among messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import Prefix, render
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.store.webhooks import endpoints
from tests.integration.webhooks_kit import Answer, Call, Receiver, WebhookStack, build_stack, says, serving


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


async def test_i4_stages_of_one_message_arrive_in_order_while_messages_go_in_parallel(
    stack: WebhookStack, receiver: Receiver
) -> None:
    under_way: list[int] = [0, 0]

    async def slow(_: Call) -> Answer:
        under_way[0] += 1
        under_way[1] = max(under_way)
        await asyncio.sleep(0.05)
        under_way[0] -= 1
        return 200, {}

    receiver.answer = slow
    endpoint = await stack.endpoint(receiver.url)
    messages = [await stack.message() for _ in range(20)]
    for message in messages:
        await stack.tell(message, Stage.SENT, Stage.DELIVERED, Stage.READ)
    await stack.drain(endpoint)
    reported: dict[str, list[str]] = {}
    for call in receiver.calls:
        reported.setdefault(call.json["data"]["id"], []).append(call.json["type"])
    assert len(reported) == 20
    assert all(order == ["message.sent", "message.delivered", "message.read"] for order in reported.values())
    assert 4 <= under_way[1] <= 8


async def test_i4_a_failing_event_holds_up_its_own_message_and_no_other(
    stack: WebhookStack, receiver: Receiver
) -> None:
    bad, good = await stack.message(), await stack.message()

    async def answer(call: Call) -> Answer:
        return (500 if call.json["data"]["id"] == render(Prefix.MESSAGE, bad) else 200), {}

    receiver.answer = answer
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(bad, Stage.SENT, Stage.DELIVERED)
    await stack.tell(good, Stage.SENT, Stage.DELIVERED)
    after = (await stack.drain(endpoint)).after
    assert after is not None and 50 < after <= 66
    assert [call.json["type"] for call in receiver.calls if call.json["data"]["id"] == render(Prefix.MESSAGE, bad)] == [
        "message.sent"
    ]
    assert {row.state for row in await stack.deliveries(endpoint) if row.subject_id == good} == {"delivered"}

    # A later event of that message is due at once, and waits; it costs no second look and no busy loop.
    await stack.tell(bad, Stage.READ)
    assert 50 < ((await stack.drain(endpoint)).after or 0) <= 66

    receiver.calls.clear()
    receiver.answer = None
    await stack.due_now(endpoint)
    assert (await stack.drain(endpoint)).after is None
    assert [call.json["type"] for call in receiver.calls] == ["message.sent", "message.delivered", "message.read"]


async def test_those_behind_a_replayed_delivery_follow_at_once(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine
) -> None:
    receiver.answer = says(500, 200)
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED, Stage.READ)
    assert ((await stack.drain(endpoint)).after or 0) > 50
    first, *later = await stack.deliveries(endpoint)
    assert all(row.next_at == first.next_at for row in later), "parked: looked at again when the first one is"
    async with engine.begin() as tx:
        scope = Scope(stack.scope_id, stack.property_id, "test")
        await endpoints.replay_one(tx, scope, endpoint, first.id)
    assert (await stack.drain(endpoint)).after is None
    reported = [call.json["type"] for call in receiver.calls]
    assert reported == ["message.sent", "message.sent", "message.delivered", "message.read"]
