"""The workflow of an endpoint, with a drain that is only told what to answer. In the sandbox, against a real server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, Worker

from bellhop.domain.answers import Drained
from bellhop.temporal import contract
from workflows.endpoint import EndpointWorkflow


class Drains:
    """Answers as told; `None` at the end of the list, for ever."""

    def __init__(self, *answers: float | Exception | None) -> None:
        self.answers = list(answers)
        self.begun = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.news = asyncio.Condition()

    @activity.defn(name=contract.DRAIN)
    async def drain(self, endpoint: str) -> Drained:
        async with self.news:
            self.begun += 1
            self.news.notify_all()
        await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return Drained(answer)

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(lambda: self.begun >= count)


@asynccontextmanager
async def working(client: Client, drains: Drains) -> AsyncIterator[None]:
    async with (
        Worker(client, task_queue=contract.TASK_QUEUE_WORKFLOWS, workflows=[EndpointWorkflow]),
        Worker(client, task_queue=contract.TASK_QUEUE_WEBHOOKS, activities=[drains.drain]),
    ):
        yield


async def wake(client: Client, key: str) -> WorkflowHandle[object, None]:
    return await client.start_workflow(
        contract.ENDPOINT_WORKFLOW,
        key,
        id=f"whe_{key}",
        task_queue=contract.TASK_QUEUE_WORKFLOWS,
        start_signal=contract.WAKE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


async def test_nothing_pending_ends_it_after_one_drain(temporal: Client, key: str) -> None:
    drains = Drains(None)
    async with working(temporal, drains):
        handle = await wake(temporal, key)
        await asyncio.wait_for(handle.result(), 10)
    assert drains.begun == 1
    history = await handle.fetch_history()
    assert len(history.events) <= 12, "what one lonely event costs Temporal"


async def test_a_wake_during_the_drain_is_not_lost(temporal: Client, key: str) -> None:
    drains = Drains(None, None)
    drains.gate.clear()
    async with working(temporal, drains):
        handle = await wake(temporal, key)
        await drains.reach(1)
        await wake(temporal, key)
        drains.gate.set()
        await asyncio.wait_for(handle.result(), 10)
    assert drains.begun == 2


async def test_it_drains_again_when_the_next_delivery_is_due(temporal: Client, key: str) -> None:
    drains = Drains(0.3, 0.0, None)
    async with working(temporal, drains):
        handle = await wake(temporal, key)
        await asyncio.wait_for(handle.result(), 10)
    assert drains.begun == 3
    history = await handle.fetch_history()
    timers = [event for event in history.events if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    assert len(timers) == 1, "no timer for what is due at once"


async def test_a_wake_ends_the_wait(temporal: Client, key: str) -> None:
    drains = Drains(3600.0, None)
    async with working(temporal, drains):
        handle = await wake(temporal, key)
        await drains.reach(1)
        async with asyncio.timeout(10):
            while "Waiting" not in await details(handle):
                await asyncio.sleep(0.02)
        await wake(temporal, key)
        await asyncio.wait_for(handle.result(), 10)
    assert drains.begun == 2


async def test_a_drain_that_fails_is_repeated_for_ever(temporal: Client, key: str) -> None:
    drains = Drains(ApplicationError("no record"), ApplicationError("no record"), None)
    async with working(temporal, drains):
        await asyncio.wait_for((await wake(temporal, key)).result(), 20)
    assert drains.begun == 3


async def test_a_woken_endpoint_begins_anew_after_its_end_and_its_history_replays(temporal: Client, key: str) -> None:
    drains = Drains(None, 0.1, None)
    async with working(temporal, drains):
        first = await wake(temporal, key)
        await asyncio.wait_for(first.result(), 10)
        second = await wake(temporal, key)
        await asyncio.wait_for(second.result(), 10)
    assert first.first_execution_run_id != second.first_execution_run_id
    replayer = Replayer(workflows=[EndpointWorkflow])
    for handle in (first, second):
        run = temporal.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        await replayer.replay_workflow(await run.fetch_history())


async def details(handle: WorkflowHandle[object, None]) -> str:
    """What an operator reads in Temporal's UI."""
    return str(await handle.query("__temporal_workflow_metadata"))
