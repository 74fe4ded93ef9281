"""Recovery's sweeps: a schedule for each kind of work; each sweep goes on where the last one ended, in any process."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import (
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.recovery import BEAT, RecoveryActivities
from bellhop.domain.answers import Swept
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.sweeps import SweepKind
from bellhop.store.access import installation
from bellhop.temporal import contract
from bellhop.temporal.schedules import keep_sweeping
from workflows.sweep import SweepWorkflow

from .engine import SMS, Engine, key, stop_sweeping
from .test_recovery import accept, age, change, sweeper

pytestmark = pytest.mark.usefixtures("temporal_namespace")


async def test_the_schedules_sweep(stack: Engine) -> None:
    message = await accept(stack)
    await age(stack)
    try:
        await keep_sweeping(stack.client, dict.fromkeys(SweepKind, 3600.0))
        # Another worker, another pace: the last word counts.
        await keep_sweeping(stack.client, {kind: 1.0 + n for n, kind in enumerate(SweepKind)})
        await stack.until(message, "delivered", seconds=30)
        for number, kind in enumerate(SweepKind):
            found = await stack.client.get_schedule_handle(contract.sweep_schedule(kind)).describe()
            assert [each.every.total_seconds() for each in found.schedule.spec.intervals] == [1.0 + number]
            assert found.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    finally:
        await stop_sweeping(stack.client)


async def test_the_one_schedule_of_before_goes_once_the_others_are_there(idle_stack: Engine) -> None:
    old = idle_stack.client.get_schedule_handle(contract.SWEEP_SCHEDULE)
    action = ScheduleActionStartWorkflow(
        contract.SWEEP_WORKFLOW, id=contract.SWEEP_SCHEDULE, task_queue=contract.TASK_QUEUE_RECOVERY
    )
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))])
    await idle_stack.client.create_schedule(contract.SWEEP_SCHEDULE, Schedule(action=action, spec=spec))
    try:
        for _ in range(2):
            await keep_sweeping(idle_stack.client, dict.fromkeys(SweepKind, 3600.0))
            for kind in SweepKind:
                await idle_stack.client.get_schedule_handle(contract.sweep_schedule(kind)).describe()
            with pytest.raises(RPCError, match="not found"):
                await old.describe()
    finally:
        await stop_sweeping(idle_stack.client)


async def test_workers_that_start_anew_starve_nobody(idle_stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sweep is another process's, which remembers nothing, and those in front stay as they are."""
    monkeypatch.setattr("bellhop.temporal.recovery.PAGE", 2)
    # Its own: sweeps that other tests' schedules have begun and nobody has done wait on the usual one.
    monkeypatch.setattr(contract, "TASK_QUEUE_RECOVERY", f"bellhop-recovery-{uuid4().hex}")
    messages = [await accept(idle_stack) for _ in range(5)]
    await change(idle_stack, "update messages set wake_due_at = null")
    for minutes, message in enumerate(messages):
        await change(
            idle_stack, "update messages set due_at = now() - make_interval(mins => :minutes) where id = :id",
            id=key(message), minutes=60 - minutes,
        )  # fmt: skip
    name = contract.sweep_schedule(SweepKind.PAST_DUE)
    try:
        await keep_sweeping(idle_stack.client, {SweepKind.PAST_DUE: 3600.0})
        found: list[Swept] = []
        for number in range(4):
            if number:
                await idle_stack.client.get_schedule_handle(name).trigger()
            activities = RecoveryActivities(sweeper(idle_stack))
            async with Worker(
                idle_stack.client,
                task_queue=contract.TASK_QUEUE_RECOVERY,
                workflows=[SweepWorkflow],
                activities=[activities.sweep_kind],
            ):
                found.append((await ended(idle_stack, name, number))[1])
        assert [swept.woken for swept in found] == [2, 2, 1, 2]
        assert [swept.next is None for swept in found] == [False, False, True, False]
    finally:
        await stop_sweeping(idle_stack.client)


async def ended(stack: Engine, schedule: str, number: int) -> tuple[str, Swept]:
    """A sweep of that schedule, the first, the second, …: its id and, once it has ended, what it found."""
    async with asyncio.timeout(30):
        while (
            len(actions := (await stack.client.get_schedule_handle(schedule).describe()).info.recent_actions) <= number
        ):
            await asyncio.sleep(0.05)
        action = actions[number].action
        assert isinstance(action, ScheduleActionExecutionStartWorkflow)
        handle = stack.client.get_workflow_handle(action.workflow_id, result_type=Swept)
        return action.workflow_id, await handle.result()


async def test_a_rebuild_goes_on_in_another_worker(idle_stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await idle_stack.send({**SMS, "scheduled_at": "2031-05-01T10:00:00Z"})
    async with idle_stack.database.begin() as tx:
        await installation.set_temporal_namespace(tx, "another")
    monkeypatch.setattr("bellhop.temporal.recovery.PAGE", 1)
    monkeypatch.setattr("bellhop.temporal.recovery.LONGEST_LOOK", 3.0)
    one, start = sweeper(idle_stack), idle_stack.dispatcher.start_message
    started: list[UUID] = []

    async def slow(row: MessageRow, *given: Any, **named: Any) -> bool:
        if len(started) == 2:
            await asyncio.sleep(60)
        started.append(row.id)
        return await start(row, *given, **named)

    monkeypatch.setattr(idle_stack.dispatcher, "start_message", slow)
    cut_off = await one.look(SweepKind.NAMESPACE)
    assert cut_off.at_once and cut_off.next is not None
    monkeypatch.setattr(idle_stack.dispatcher, "start_message", start)
    again = await sweeper(idle_stack).look(SweepKind.NAMESPACE, cut_off.next)
    assert (again.next, again.at_once) == (None, False)
    assert (await sweeper(idle_stack).look(SweepKind.NAMESPACE, "nobody's place")).next is None


async def test_endpoints_and_histories_go_on_where_they_were(
    idle_stack: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellhop.temporal.recovery.PAGE", 2)
    for number in range(3):
        await change(idle_stack, "insert into history_erasures (workflow_id) values (:id)", id=f"nobody{number}")
    one = await sweeper(idle_stack).look(SweepKind.HISTORIES)
    assert one.at_once and len(await idle_stack.rows("select * from history_erasures")) == 1
    two = await sweeper(idle_stack).look(SweepKind.HISTORIES, one.next)
    assert (two.next, two.at_once) == (None, False)
    assert await idle_stack.rows("select * from history_erasures") == []
    for kind in SweepKind:
        assert (await sweeper(idle_stack).look(kind, "what another version wrote")).next is None


async def test_a_sweep_whose_worker_was_killed_is_noticed_within_seconds(stack: Engine) -> None:
    """No other sweep of its kind runs meanwhile, so a long time-out alone would leave it unattended for as long."""
    handle = await stack.client.start_workflow(
        contract.SWEEP_WORKFLOW, id=f"sweep-{uuid4()}", task_queue=contract.TASK_QUEUE_RECOVERY, result_type=int
    )
    assert await handle.result() == 0
    scheduled = [event.activity_task_scheduled_event_attributes async for event in handle.fetch_history_events()]
    (timeout,) = [asked.heartbeat_timeout.ToTimedelta().total_seconds() for asked in scheduled if asked.activity_id]
    assert BEAT * 3 < timeout <= 15
    try:
        await keep_sweeping(stack.client, {SweepKind.PENDING: 3600.0})
        await ended(stack, contract.sweep_schedule(SweepKind.PENDING), 0)
        found = await stack.client.get_schedule_handle(contract.sweep_schedule(SweepKind.PENDING)).describe()
        action = found.schedule.action
        assert isinstance(action, ScheduleActionStartWorkflow)
        assert action.task_timeout is not None and action.task_timeout.total_seconds() <= 15, "it is in a workflow task"
    finally:
        await stop_sweeping(stack.client)
