"""Histories of the other workflows (an endpoint's, a sweep's, a release's, intents'), replayed like those of messages.
To add one:

BELLHOP_RECORD_HISTORIES=endpoint_retried make test TESTS=tests/workflows/test_other_histories.py JOBS=0
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from bellhop.domain.ids import (
    Prefix,
    endpoint_workflow,
    intents_workflow,
    paced_release_workflow,
    parse,
    release_workflow,
)
from bellhop.domain.sweeps import SweepKind
from bellhop.sandbox.testing import Receiver, running
from bellhop.settings import Settings
from bellhop.temporal import contract, recovery
from bellhop.temporal.schedules import keep_sweeping
from tests.integration.engine import SMS, Engine, running_engine, stop_sweeping
from tests.integration.test_intents import BOTH, guest, writes
from tests.integration.test_paced import rated
from tests.integration.test_parked import change, resume, send, waits
from tests.integration.test_sweeps import ended
from tests.workflows.test_message_histories import plain
from workflows.broadcast import BroadcastWorkflow
from workflows.endpoint import EndpointWorkflow
from workflows.intents import IntentsWorkflow
from workflows.release import PacedReleaseWorkflow, ReleaseWorkflow
from workflows.sweep import SweepWorkflow

HISTORIES = Path(__file__).parent / "histories" / "others"
RECORDING = [name for name in os.environ.get("BELLHOP_RECORD_HISTORIES", "").split(",") if name]
NAMES = (
    "endpoint_drained",
    "endpoint_retried",
    "released",
    "paced",
    # Of the one schedule for every kind of work, and of a kind's own: from the beginning, and from where it had ended.
    "sweep",
    "sweep_of_a_kind",
    "sweep_that_goes_on",
    "intents",
    "broadcast",
)

WORKFLOWS = [
    BroadcastWorkflow,
    EndpointWorkflow,
    IntentsWorkflow,
    PacedReleaseWorkflow,
    ReleaseWorkflow,
    SweepWorkflow,
]


@pytest.mark.parametrize("runner", [SandboxedWorkflowRunner(), UnsandboxedWorkflowRunner()], ids=["sandboxed", "plain"])
@pytest.mark.parametrize("name", NAMES)
async def test_it_replays(name: str, runner: WorkflowRunner) -> None:
    history = WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text(encoding="utf-8"))
    await Replayer(workflows=WORKFLOWS, workflow_runner=runner).replay_workflow(history)


def test_they_are_all_there() -> None:
    assert {path.stem for path in HISTORIES.glob("*.json")} == set(NAMES)


# --- making them ---


@pytest.fixture
async def stack(settings: Settings, engine: AsyncEngine, temporal: Client) -> AsyncIterator[Engine]:
    # Longer than a drainer looks on: the workflow waits.
    settings.webhook.retry_pauses = [5.0, 3600.0]
    with running() as sandbox_url:
        async with running_engine(settings, engine, temporal, sandbox_url) as made:
            yield made


async def drained(stack: Engine, answers: tuple[int, ...]) -> str:
    """Deliver the events of one message to an endpoint that first gives these answers. Returns the workflow's id."""
    with Receiver().open() as customer:
        customer.answers = list(answers)
        made = await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hooks"})
        endpoint = parse(Prefix.ENDPOINT, made.json()["id"])
        assert isinstance(endpoint, UUID)
        await stack.until((await stack.send(SMS))["id"], "delivered")
        await asyncio.to_thread(customer.wait, lambda calls: len(calls) >= 2 + len(answers), 40)
        await asyncio.sleep(4)
    return endpoint_workflow(endpoint)


ANSWERS: dict[str, tuple[int, ...]] = {"endpoint_drained": (), "endpoint_retried": (500,)}


async def swept(stack: Engine) -> str:
    name = f"sweep-{uuid4()}"
    await (
        await stack.client.start_workflow(contract.SWEEP_WORKFLOW, id=name, task_queue=contract.TASK_QUEUE_RECOVERY)
    ).result()
    return name


async def released(stack: Engine) -> str:
    """Pause the property, park two messages, and let them go one by one. Returns the workflow's id."""
    stack.settings.delivery.release_rate = 4.0
    await change(stack, "update scopes set paused_at = now()")
    sent = await send(stack, 2)
    for message in sent:
        await waits(stack, message, "paused")
    await resume(stack)
    for message in sent:
        await stack.until(message, "delivered")
    name = release_workflow(stack.scope.id, "sms")
    await stack.client.get_workflow_handle(name).result()
    return name


async def paced(stack: Engine) -> str:
    """Three messages of a sender that takes two a second. Returns the workflow's id."""
    pace = await rated(stack, 2)
    for message in await send(stack, 3):
        await stack.until(message, "delivered")
    name = paced_release_workflow(pace)
    await stack.client.get_workflow_handle(name).result()
    return name


async def swept_of_a_kind(stack: Engine, number: int) -> str:
    """The first or the second sweep for messages past due, of which there are more than one sweep wakes."""
    recovery.PAGE = 2
    for _ in range(3):
        await stack.send({**SMS, "scheduled_at": "2031-05-01T10:00:00Z"})
    await change(stack, "update messages set wake_due_at = null, due_at = now() - interval '1 day'")
    name = contract.sweep_schedule(SweepKind.PAST_DUE)
    try:
        await keep_sweeping(stack.client, {SweepKind.PAST_DUE: 3600.0})
        for sweep in range(number + 1):
            if sweep:
                await stack.client.get_schedule_handle(name).trigger()
            action, _ = await ended(stack, name, sweep)
    finally:
        await stop_sweeping(stack.client)
    return action


async def looked_for_intents(stack: Engine) -> str:
    """A guest writes, and what they want is found. Returns the workflow's id."""
    await guest(stack)
    name = intents_workflow(await writes(stack, BOTH))
    async with asyncio.timeout(20):
        # It is started in the background, after the callback was answered.
        while True:
            try:
                assert await stack.client.get_workflow_handle(name, result_type=int).result() == 2
                return name
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            await asyncio.sleep(0.05)


async def broadcast(stack: Engine) -> str:
    """A broadcast for a far day, which is then begun at once. Returns the workflow's id."""
    message = {"channel": "sms", "content": "Wine tasting on Friday."}
    body = {"name": "Wine", "message": message, "to": {"recipients": ["+13055551234"]}}
    name = str((await stack.http.post("/v1/broadcasts", json=body)).json()["id"])
    for begins in ({"at": "2030-01-01T09:00:00Z"}, {}):
        await asyncio.sleep(2)
        assert (await stack.http.post(f"/v1/broadcasts/{name}/start", json=begins)).status_code == 200
    async with asyncio.timeout(20):
        while (await stack.http.get(f"/v1/broadcasts/{name}")).json()["state"] != "finished":
            await asyncio.sleep(0.1)
    await stack.client.get_workflow_handle(name).result()
    return name


MADE_BY: dict[str, Callable[[Engine], Awaitable[str]]] = {
    **{name: partial(drained, answers=answers) for name, answers in ANSWERS.items()},
    "released": released,
    "paced": paced,
    "sweep": swept,
    "sweep_of_a_kind": partial(swept_of_a_kind, number=0),
    "sweep_that_goes_on": partial(swept_of_a_kind, number=1),
    "intents": looked_for_intents,
    "broadcast": broadcast,
}

if RECORDING:
    # Only when asked: see the top of this file.
    @pytest.mark.parametrize("name", RECORDING)
    async def test_record(stack: Engine, name: str) -> None:
        made = await MADE_BY[name](stack)
        history = await stack.client.get_workflow_handle(made).fetch_history()
        HISTORIES.mkdir(exist_ok=True)
        (HISTORIES / f"{name}.json").write_text(plain(history), encoding="utf-8")
