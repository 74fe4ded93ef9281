"""An account that hangs keeps nobody else waiting, and what waits for it has no attempt that a kill leaves unknown."""

from __future__ import annotations

import asyncio

import pytest

from .engine import EMAIL, SMS, Engine, key, working
from .test_fairness import neighbour, send

HANGS = "+13055559002"
WAITING = 24
SLOTS = 3
"""Half of the threads, as long as nobody else wants them."""


@pytest.fixture
async def hanging(idle_stack: Engine) -> list[str]:
    """Messages that are all due now, to a number that never answers."""
    idle_stack.settings.delivery.threads = 2 * SLOTS
    idle_stack.settings.delivery.call_timeout = 4.0
    idle_stack.settings.delivery.lease = 6.0
    return [(await send(idle_stack.http, "hangs", recipient=HANGS))["id"] for _ in range(WAITING)]


async def under_way(stack: Engine) -> int:
    (found,) = await stack.rows("select count(*) as count from attempts where state = 'in_flight'")
    return int(found["count"])


async def until_called(stack: Engine) -> None:
    async with asyncio.timeout(30):
        while await under_way(stack) < SLOTS:
            await asyncio.sleep(0.05)


async def test_its_neighbours_and_other_channels_go_on(idle_stack: Engine, hanging: list[str]) -> None:
    async with await neighbour(idle_stack) as harbour, working(idle_stack):
        await until_called(idle_stack)
        sms = await send(harbour, "neighbour")
        mail = await idle_stack.send(EMAIL)
        async with asyncio.timeout(30):
            while (await harbour.get(f"/v1/messaging/{sms['id']}")).json()["status"] == "queued":
                await asyncio.sleep(0.05)
        await idle_stack.until(mail["id"], "sent", "delivered", "read", seconds=30)
        tried = await idle_stack.rows(
            "select distinct message_id from attempts where message_id = any(:ids)", ids=[key(one) for one in hanging]
        )
        # Not all of them had to hang first.
        assert len(tried) < WAITING // 2, len(tried)


async def test_no_more_are_claimed_than_are_called(idle_stack: Engine, hanging: list[str]) -> None:
    async with working(idle_stack):
        await until_called(idle_stack)
        for _ in range(20):
            assert await under_way(idle_stack) <= SLOTS
            await asyncio.sleep(0.1)


async def test_who_waits_for_a_turn_is_asked_for_on_the_queue_of_its_provider(
    idle_stack: Engine, hanging: list[str]
) -> None:
    async with working(idle_stack):
        await until_called(idle_stack)
        async with asyncio.timeout(30):
            queues: set[str] = set()
            while not queues:
                for one in hanging:
                    for event in (await idle_stack.history(one)).events:
                        if event.HasField("activity_task_scheduled_event_attributes"):
                            queues.add(event.activity_task_scheduled_event_attributes.task_queue.name)
                await asyncio.sleep(0.1)
        assert queues == {"bellhop-providers-twilio-test"}


async def test_who_waits_for_a_turn_is_nothing_left_behind(idle_stack: Engine, hanging: list[str]) -> None:
    async with working(idle_stack):
        await until_called(idle_stack)
        waiting: list[dict[str, object]] = []
        async with asyncio.timeout(30):
            while len(waiting) < WAITING // 2:
                waiting = await idle_stack.rows(
                    "select id from messages where due_at > now() and id not in (select message_id from attempts)"
                )
                await asyncio.sleep(0.1)
        moved = await idle_stack.http.patch(f"/v1/messaging/{hanging[-1]}", json={"scheduled_at": None})
        assert moved.status_code in (200, 409), "it waits: it can be moved"


async def test_who_waits_can_still_be_cancelled(idle_stack: Engine, hanging: list[str]) -> None:
    async with working(idle_stack):
        await until_called(idle_stack)
        (waiting, *_) = await idle_stack.rows(
            "select id as key from messages where id not in (select message_id from attempts)"
        )
        public = next(one for one in hanging if key(one) == waiting["key"])
        assert (await idle_stack.http.post(f"/v1/messaging/{public}/cancel")).status_code == 200
        assert await idle_stack.workflow_closed(public) == "cancelled"


async def test_they_go_out_once_it_answers_again(idle_stack: Engine) -> None:
    idle_stack.settings.delivery.threads = 2 * SLOTS
    await idle_stack.fault("slow", count=4, delay=1.0)
    sent = [(await idle_stack.send({**SMS, "content": f"number {number}"}))["id"] for number in range(12)]
    async with working(idle_stack):
        for one in sent:
            await idle_stack.until(one, "sent", "delivered", seconds=40)
    for one in sent:
        assert [attempt["state"] for attempt in await idle_stack.attempts(one)].count("accepted") == 1
