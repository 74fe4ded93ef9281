"""The run-up of a scheduled message: it waits in a worker for its time, and cancel, move and erase win until then."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities.messages import _to_its_end
from activities.run_up import RunUp
from bellhop.domain.answers import Answer, Next
from bellhop.domain.run_up import Coming, ComingMessages
from bellhop.settings import Settings
from bellhop.store.delivery.first_attempts import CROWD, FEW, FirstAttempts
from bellhop.store.delivery.receipts import Signal
from bellhop.temporal.client import connect
from bellhop.temporal.contract import TASK_QUEUE_AHEAD
from bellhop.temporal.held_signals import HeldSignals

from .engine import SMS, Engine, key, working
from .test_fairness import neighbour


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A process that starts one message a second before its time: several of them, and there is time to change one."""
    settings.delivery.run_up_rate = 1.0
    return settings


def ahead(seconds: float) -> dict[str, Any]:
    return {"scheduled_at": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()}


async def waits(stack: Engine, message_id: str) -> None:
    """Until its workflow has been started, and its task is open in a worker."""
    async with asyncio.timeout(20):
        while True:
            # It may not be there yet.
            with suppress(RPCError):
                events = (await stack.history(message_id)).events
                if events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
                    return
            await asyncio.sleep(0.05)


async def test_it_is_handed_over_at_its_time_and_was_started_before(stack: Engine) -> None:
    sent = [await stack.send({**SMS, "content": f"At its time {number}", **ahead(4.0)}) for number in range(3)]
    for one in sent:
        await stack.until(one["id"], "delivered")
        await stack.workflow_closed(one["id"])
        events = (await stack.history(one["id"])).events
        assert events[0].workflow_execution_started_event_attributes.task_queue.name == TASK_QUEUE_AHEAD
        due = datetime.fromisoformat(one["scheduled_at"])
        (begun, *_) = [one for one in events if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED]
        assert begun.event_time.ToDatetime(UTC) < due
        # No more of Temporal than for one that goes out at once.
        assert len(events) <= 15
    early = await stack.rows("select 1 from messages where sent_at < scheduled_at")
    assert not early
    accepted = {one["content"]: datetime.fromisoformat(one["accepted_at"]) for one in await stack.accepted()}
    assert all(accepted[one["content"]] >= datetime.fromisoformat(one["scheduled_at"]) for one in sent)


async def test_cancelled_and_moved_until_its_time(stack: Engine) -> None:
    # Others take the last places before that time.
    when = ahead(5.0)
    for _ in range(2):
        await stack.send({**SMS, "content": "Other", **when})
    cancelled = await stack.send({**SMS, "content": "Cancelled", **when})
    later = await stack.send({**SMS, "content": "Later", **when})
    sooner = await stack.send({**SMS, "content": "Sooner", **ahead(60.0)})
    await asyncio.gather(waits(stack, cancelled["id"]), waits(stack, later["id"]))
    assert (await stack.http.post(f"/v1/messaging/{cancelled['id']}/cancel")).status_code == 200
    moved = await stack.http.patch(f"/v1/messaging/{later['id']}", json=ahead(8.0))
    assert moved.status_code == 200
    at_once = await stack.http.patch(f"/v1/messaging/{sooner['id']}", json={"scheduled_at": None})
    assert at_once.status_code == 200
    await stack.until(sooner["id"], "delivered")
    assert await stack.workflow_closed(cancelled["id"]) == "cancelled"
    await stack.until(later["id"], "delivered")
    assert await stack.workflow_closed(later["id"]) == "delivered"
    accepted = {one["content"]: one["accepted_at"] for one in await stack.accepted()}
    assert accepted.keys() == {"Later", "Other", "Sooner"}
    assert datetime.fromisoformat(accepted["Later"]) >= datetime.fromisoformat(moved.json()["scheduled_at"])


async def test_whatever_the_record_says_at_its_time_wins(stack: Engine) -> None:
    """Erased, expired, in quiet hours or of a property that is paused since, while it waited in the worker."""
    guest = (
        await stack.http.post("/v1/guests", json={"first_name": "Ada", "last_name": "Byron", "phone": "+13055557711"})
    ).json()["id"]
    when = ahead(7.0)
    # Others take the last places before that time.
    for _ in range(2):
        await stack.send({**SMS, "content": "Other", **when})
    async with await neighbour(stack) as harbour:
        answer = await harbour.post("/v1/messaging/send", json={**SMS, "content": "Paused", **when})
    paused = answer.json()
    erased = await stack.send({**SMS, "recipient": "+13055557711", "guest_id": guest, "content": "Erased", **when})
    expired = await stack.send({**SMS, "content": "Expired", **when})
    quiet = await stack.send({**SMS, "content": "Quiet", **when})
    await asyncio.gather(*(waits(stack, one["id"]) for one in (paused, erased, expired, quiet)))
    assert (await stack.http.delete(f"/v1/guests/{guest}")).status_code == 204
    night = '{"quiet_hours": [{"categories": ["transactional"], "from": "00:00", "to": "23:59"}]}'
    for changed in (
        "update scopes set paused_at = now() where id = (select scope_id from messages where id = :paused)",
        "update messages set expires_at = now() where id = :expired",
        f"update scopes set settings = '{night}' where id = (select scope_id from messages where id = :quiet)",
    ):
        given = {"paused": paused, "expired": expired, "quiet": quiet}
        await stack.rows(changed + " returning id", **{n: key(m["id"]) for n, m in given.items() if f":{n}" in changed})
    assert datetime.now(UTC) < datetime.fromisoformat(quiet["scheduled_at"]), "too slow to say anything"
    await stack.until(expired["id"], "failed")
    async with asyncio.timeout(20):
        while not (await stack.rows("select id from messages where waits_for = 'paused'")):
            await asyncio.sleep(0.05)
        # Until the quiet hours are over.
        while not (
            await stack.rows("select id from messages where id = :id and due_at > scheduled_at", id=key(quiet["id"]))
        ):
            await asyncio.sleep(0.05)
    (row,) = await stack.rows("select stage from messages where id = :id", id=key(erased["id"]))
    assert row["stage"] == "cancelled" and await stack.workflow_closed(erased["id"]) == "cancelled"
    assert await stack.accepted() == []


async def test_one_that_the_worker_takes_for_due_too_soon_is_not_handed_over(
    stack: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.run_up.MARGIN", -1.0)
    another = await connect(stack.settings.temporal, lazy=False)
    async with working(replace(stack, client=another)):
        sent = [await stack.send({**SMS, "content": f"Not before {number}", **ahead(3.0)}) for number in range(3)]
        for one in sent:
            await stack.until(one["id"], "delivered")
    accepted = {one["content"]: datetime.fromisoformat(one["accepted_at"]) for one in await stack.accepted()}
    assert len(await stack.accepted()) == 3, "two workers, one copy"
    assert all(accepted[one["content"]] >= datetime.fromisoformat(one["scheduled_at"]) for one in sent)


class _Elsewhere:
    """A record whose clock is hours behind, and which takes a while to answer."""

    def __init__(self, due_in: float) -> None:
        self.behind = asyncio.get_running_loop().time() + 7200.0
        self.due = self.now() + due_in

    def now(self) -> float:
        return asyncio.get_running_loop().time() - self.behind

    async def coming(self, message_ids: Collection[UUID]) -> ComingMessages:
        now = self.now()
        await asyncio.sleep(0.05)
        return ComingMessages(now, [Coming(one, UUID(int=0), self.due, 3) for one in message_ids])


async def test_it_is_time_by_the_records_clock() -> None:
    record = _Elsewhere(0.4)
    async with asyncio.timeout(5):
        await _pass(RunUp(record, 1, 60.0), UUID(int=1))
    assert record.now() >= record.due


async def test_a_crowd_goes_on_one_after_another_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without: they went on all at once, LINGERS after they were handed over, also all at once."""
    monkeypatch.setattr("activities.run_up.LINGERS", 0.2)
    monkeypatch.setattr("activities.run_up.GO_ON", 20.0)
    monkeypatch.setattr("activities.run_up.ALL_ON", 1.0)
    record, loop, went_on = _Elsewhere(0.3), asyncio.get_running_loop(), list[float]()
    run_up = RunUp(record, 1, 60.0)

    async def one(number: int) -> None:
        await _pass(run_up, UUID(int=number))
        went_on.append(loop.time())

    async with asyncio.timeout(20):
        await asyncio.gather(*map(one, range(1, 40)))
    *lingered, last = sorted(went_on[1:])
    paces = [after - before for before, after in pairwise(lingered[:10])]
    assert min(paces) > 0.03
    due = record.due + record.behind
    # What finds no place in between goes on together with the last, before its task has to say that it lives.
    assert last < due + 1.0 + 0.5


@pytest.mark.parametrize(("ends", "expected"), [(False, ["recorded"]), (True, [])])
async def test_a_call_is_recorded_though_temporal_gives_its_activity_up(ends: bool, expected: list[str]) -> None:
    recorded: list[str] = []

    async def call() -> None:
        await asyncio.sleep(0.05)
        recorded.append("recorded")

    async def deliver() -> None:
        await _to_its_end(call())

    activity = ActivityEnvironment()
    running = asyncio.create_task(activity.run(deliver))
    await asyncio.sleep(0.01)
    if ends:
        activity.worker_shutdown()
    activity.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.06)
    assert recorded == expected


async def test_one_moved_to_earlier_goes_out_though_its_task_is_open(idle_stack: Engine) -> None:
    sent = await idle_stack.send({**SMS, **ahead(20.0)})
    run_up = RunUp(FirstAttempts(idle_stack.database), 5, 60.0)
    went = asyncio.create_task(_pass(run_up, key(sent["id"])))
    await asyncio.sleep(0.5)
    assert not went.done()
    assert (await idle_stack.http.patch(f"/v1/messaging/{sent['id']}", json={"scheduled_at": None})).status_code == 200
    async with asyncio.timeout(5):
        await went


async def test_nobody_waits_who_has_no_time_to_wait_for(idle_stack: Engine) -> None:
    far, cancelled = [await idle_stack.send({**SMS, **ahead(3600.0)}) for _ in range(2)]
    near = await idle_stack.send({**SMS, **ahead(30.0)})
    await idle_stack.http.post(f"/v1/messaging/{cancelled['id']}/cancel")
    run_up = RunUp(FirstAttempts(idle_stack.database), 5, 60.0)
    async with asyncio.timeout(10):
        await asyncio.gather(_pass(run_up, key(far["id"])), _pass(run_up, key(cancelled["id"])))
        waiting = asyncio.create_task(_pass(run_up, key(near["id"])))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        # The process ends: `claim` says of it that its time has not come, and another one sees to it.
        run_up.close()
        await waiting
        await _pass(run_up, key(near["id"]))


async def test_the_most_urgent_and_each_property_in_turn(idle_stack: Engine) -> None:
    when = ahead(2.0)
    order: list[str] = []

    async def go(sent: dict[str, Any], name: str) -> None:
        async with run_up.turn(str(key(sent["id"]))):
            order.append(name)
            await asyncio.sleep(0.02)

    async with await neighbour(idle_stack) as harbour:
        crowd = [await idle_stack.send({**SMS, **when}) for _ in range(10)]
        answer = await harbour.post("/v1/messaging/send", json={**SMS, **when})
        assert answer.status_code == 201, answer.text
        urgent = await idle_stack.send({**SMS, "priority": "urgent", **when})
        run_up = RunUp(FirstAttempts(idle_stack.database), 1, 60.0)
        async with asyncio.timeout(20):
            await asyncio.gather(
                *(go(one, "crowd") for one in crowd), go(answer.json(), "neighbour"), go(urgent, "urgent")
            )
    assert order.index("urgent") <= 1 and order.index("neighbour") <= 3 and len(order) == 12


class _Away:
    async def coming(self, _: object) -> ComingMessages:
        raise OSError("away")


async def test_where_the_record_is_away_claim_meets_it(idle_stack: Engine) -> None:
    async with asyncio.timeout(5):
        await _pass(RunUp(_Away(), 1, 60.0), key((await idle_stack.send(SMS))["id"]))


async def test_what_can_wait_is_held_while_many_wait_for_their_first_attempt(idle_stack: Engine) -> None:
    sent: list[Signal] = []
    first = FirstAttempts(idle_stack.database)
    held = HeldSignals(first, lambda signal, _: sent.append(signal))
    crowd = [await idle_stack.send(SMS) for _ in range(CROWD + 1)]
    assert not first.suspected
    at, keys = datetime.now(UTC), [key(one["id"]) for one in crowd]
    close = [Signal(one, Answer("delivered", Next.CLOSE), at) for one in keys]
    held.add(close[: FEW - 1])
    assert len(sent) == FEW - 1, "a few say nothing of a crowd"
    held.add([*close[FEW - 1 :], Signal(keys[0], Answer("queued", Next.AGAIN), at)])
    assert len(sent) == FEW and sent[-1].answer.next is Next.AGAIN, "what goes out by it is never held"
    await asyncio.sleep(0.5)
    assert len(sent) == FEW and await first.crowded()
    await idle_stack.http.post(f"/v1/messaging/{crowd[0]['id']}/cancel")
    async with asyncio.timeout(5):
        while len(sent) < len(close) + 1:
            await asyncio.sleep(0.05)
    assert not await first.crowded()
    held.add(close[:1])
    await held.close()
    assert len(sent) == len(close) + 2, "nothing is lost at the end"


async def _pass(run_up: RunUp, message: UUID) -> None:
    async with run_up.turn(str(message)):
        pass
