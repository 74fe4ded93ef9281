"""Temporal loses its state: every pending workflow is made anew from PostgreSQL, and nothing goes out twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from bellhop.domain.ids import message_workflow
from bellhop.domain.sweeps import SweepKind
from bellhop.ops.composition import recover
from bellhop.temporal import contract
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.temporal.recovery import PostgresSweeper
from bellhop.temporal.schedules import watch_over

from .engine import EMAIL, SMS, Engine, key, stop_sweeping, working


async def empty(client: Client) -> Client:
    """A namespace nobody has ever used: Temporal as it is after losing its disk."""
    name = f"anew-{uuid4().hex[:12]}"
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86_400))
    )
    made = await Client.connect(client.service_client.config.target_host, namespace=name)
    async with asyncio.timeout(60):
        while True:
            try:
                # Namespaces are known to every part of the server some seconds later.
                await made.start_workflow(contract.SWEEP_WORKFLOW, id="probe", task_queue="nobody's")
                await made.get_workflow_handle("probe").terminate()
                return made
            except RPCError:
                await asyncio.sleep(0.2)


@pytest.fixture
async def lost(idle_stack: Engine) -> AsyncIterator[tuple[Engine, Engine]]:
    """The stack as it was, and the same stack after Temporal lost everything."""
    await idle_stack.sweep()  # this Temporal is on record
    client = await empty(idle_stack.client)
    async with TemporalDispatcher(client, idle_stack.database) as dispatcher:
        yield idle_stack, replace(idle_stack, client=client, dispatcher=dispatcher)


async def runs(stack: Engine, message: str) -> bool:
    try:
        found = await stack.client.get_workflow_handle(message_workflow(key(message))).describe()
    except RPCError:
        return False
    return found.status is WorkflowExecutionStatus.RUNNING


async def nothing_pending(stack: Engine) -> None:
    """Nothing is left to notify. A notification whose row was locked just then stays until a sweep; here it goes."""
    async with asyncio.timeout(20):
        while await stack.rows("select from messages where wake_due_at > now() - interval '3 seconds'"):
            await asyncio.sleep(0.05)
    await stack.rows("update messages set wake_due_at = null where wake_due_at is not null returning id")


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_every_pending_message_goes_on_and_nothing_is_sent_twice(lost: tuple[Engine, Engine]) -> None:
    before, after = lost
    async with working(before):
        done = await before.send({**SMS, "content": "Done"})
        await before.until(done["id"], "delivered")
        unread = await before.send({**EMAIL, "recipient": "noopen@example.com"})
        await before.until(unread["id"], "delivered")
        followed = await before.send({**SMS, "recipient": "+13055559032", "content": "Sent, and no more"})
        await before.until(followed["id"], "sent")
        await before.workflow_closed(done["id"])
    due = datetime.now(UTC) + timedelta(seconds=4)
    ahead = await before.send({**SMS, "content": "Ahead", "scheduled_at": due.isoformat()})
    far = await before.send({**SMS, "content": "Far ahead", "scheduled_at": soon(3600)})
    waiting = await before.send({**SMS, "content": "Waiting"})
    gone = await before.send({**SMS, "content": "Withdrawn", "scheduled_at": soon(3600)})
    assert (await before.http.post(f"/v1/messaging/{gone['id']}/cancel")).status_code == 200
    # What it was told, it knew; it is not told again by itself.
    await nothing_pending(before)

    async with working(after):
        await after.sweep()
        for message in (waiting, ahead):
            await after.until(message["id"], "delivered")
        assert await runs(after, far["id"])
        assert await runs(after, followed["id"])
        assert await runs(after, unread["id"]), "it may still be read"
        assert not await runs(after, done["id"])
        assert not await runs(after, gone["id"])
        assert await after.sweep() == 0, "made once"
    taken = {one["content"].strip(): one for one in await after.accepted()}
    assert sorted(one["content"].strip() for one in await after.accepted()) == sorted(
        ["Done", "Sent, and no more", "Ahead", "Waiting", EMAIL["content"]]
    )
    assert datetime.fromisoformat(taken["Ahead"]["accepted_at"]) >= due


async def test_recover_makes_what_is_missing_at_once_and_leaves_alone_what_runs(idle_stack: Engine) -> None:
    """One workflow is missing in a Temporal that is otherwise well (restored from a backup, say)."""
    missing = await idle_stack.send({**SMS, "content": "Missing", "scheduled_at": soon(3600)})
    there = await idle_stack.send({**SMS, "content": "There", "scheduled_at": soon(3600)})
    await nothing_pending(idle_stack)
    handle = idle_stack.client.get_workflow_handle(message_workflow(key(missing["id"])))
    await handle.terminate()
    run = (await idle_stack.client.get_workflow_handle(message_workflow(key(there["id"]))).describe()).run_id
    settings = idle_stack.settings.model_copy(deep=True)
    settings.temporal.namespace = idle_stack.client.namespace
    looked: list[tuple[int, int]] = []
    made, _ = await recover(settings, lambda *seen: looked.append(seen))
    assert made == 1
    assert looked[-1] == (2, 1)
    assert await runs(idle_stack, missing["id"])
    again = (await idle_stack.client.get_workflow_handle(message_workflow(key(there["id"]))).describe()).run_id
    assert again == run
    assert (await recover(settings))[0] == 0
    await stop_sweeping(idle_stack.client)


async def test_a_rebuild_that_was_cut_off_goes_on_where_it_was(
    lost: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellhop.temporal.recovery.PAGE", 2)
    before, after = lost
    sent = [await before.send({**SMS, "content": f"Number {n}", "scheduled_at": soon(3600)}) for n in range(5)]
    sweeper: PostgresSweeper = after.sweeper
    start, calls = after.dispatcher.start_message, 0

    async def fails(*args: object, **options: object) -> bool:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise OSError
        return await start(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(after.dispatcher, "start_message", fails)
    with pytest.raises(OSError):
        await sweeper.sweep()
    assert await sweeper.rebuild() == 2, "the page that failed had made one, and the first two are not looked at again"
    assert all([await runs(after, one["id"]) for one in sent])


async def test_a_lost_schedule_is_put_back(lost: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it nobody would ever look whether something was left behind."""
    monkeypatch.setattr("bellhop.temporal.schedules.LOOK_AGAIN", 0.2)
    _, after = lost
    watching = asyncio.create_task(watch_over(after.client, after.sweeper, dict.fromkeys(SweepKind, 3600.0)))
    handle = after.client.get_schedule_handle(contract.sweep_schedule(SweepKind.LAPSED))

    async def there() -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    await handle.describe()
                    return
                except RPCError:
                    await asyncio.sleep(0.05)

    try:
        await there()
        await handle.delete()
        await asyncio.sleep(0.1)
        await there()
    finally:
        watching.cancel()
        await stop_sweeping(after.client)
