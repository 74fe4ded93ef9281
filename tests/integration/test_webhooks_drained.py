"""Endpoints drained by the real workflow on a real Temporal server, woken by the real dispatcher."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.drain_loop import Pace
from bellhop.domain.ids import Prefix, endpoint_workflow, render
from bellhop.domain.signing import verify
from bellhop.domain.statuses import Stage
from bellhop.settings import Settings
from bellhop.temporal import contract
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.webhooks.poster import make_client
from tests.integration.webhooks_kit import QUICK, Answer, Call, Receiver, WebhookStack, activities, build_stack, serving
from workflows.endpoint import EndpointWorkflow


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


@asynccontextmanager
async def working(
    client: Client, engine: AsyncEngine, settings: Settings, pace: Pace = QUICK
) -> AsyncIterator[TemporalDispatcher]:
    """A worker for endpoints, and the dispatcher as any process has one."""
    async with make_client(settings.webhook) as http, TemporalDispatcher(client, engine) as dispatcher:
        does = activities(engine, settings.webhook, http, dispatcher, pace)
        async with (
            Worker(
                client,
                task_queue=contract.TASK_QUEUE_WEBHOOKS,
                workflows=[EndpointWorkflow],
                workflow_runner=UnsandboxedWorkflowRunner(),
                activities=[does.drain],
            ),
        ):
            yield dispatcher


async def test_no_wake_up_is_lost_between_writers_and_a_drainer_that_is_just_leaving(
    stack: WebhookStack, receiver: Receiver, temporal: Client, engine: AsyncEngine, settings: Settings
) -> None:
    """A drainer that stops looking after next to nothing meets writers everywhere. No recovery is running that would
    deliver what is missed. (Each single point of meeting: test_webhooks_delivery.)"""
    await stack.endpoint(receiver.url)
    hasty = replace(QUICK, linger=0.0, poll=0.005, tick=0.002)
    rounds = 50
    async with working(temporal, engine, settings, hasty) as dispatcher:
        for done in range(1, rounds + 1):
            dispatcher.wake_endpoints(await stack.tell(await stack.message(), Stage.SENT))
            await receiver.got(done, within=15)
            # From here the drainer writes its result, looks round and leaves.
            await asyncio.sleep(random.uniform(0, 0.06))
    assert len({call.json["id"] for call in receiver.calls}) == len(receiver.calls) == rounds


async def test_a_slow_endpoint_delays_itself_only(
    stack: WebhookStack, receiver: Receiver, temporal: Client, engine: AsyncEngine, settings: Settings
) -> None:
    fast_has_all = asyncio.Event()

    async def answer(call: Call) -> Answer:
        if call.path == "/slow":
            await fast_has_all.wait()
        return 200, {}

    receiver.answer = answer
    settings.webhook.timeout = 60.0
    await stack.endpoint(receiver.url + "/slow")
    await stack.endpoint(receiver.url + "/fast")
    async with working(temporal, engine, settings) as dispatcher:
        for _ in range(30):
            dispatcher.wake_endpoints(await stack.tell(await stack.message(), Stage.SENT))
        await receiver.got(30, "/fast")
        assert len(receiver.at("/slow")) <= 8, "none of them has been answered"
        fast_has_all.set()


async def test_a_busy_endpoint_costs_temporal_next_to_nothing_and_tells_it_no_guests_data(
    stack: WebhookStack, receiver: Receiver, temporal: Client, engine: AsyncEngine, settings: Settings
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    async with working(temporal, engine, settings, replace(QUICK, linger=1.0)) as dispatcher:
        for _ in range(60):
            dispatcher.wake_endpoints(await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED))
        await receiver.got(120)
        handle = temporal.get_workflow_handle(endpoint_workflow(endpoint))
        await asyncio.wait_for(handle.result(), 15)
    history = await handle.fetch_history()
    # Those who wrote before the first drain had begun all woke it; from then on nobody did.
    assert len(history.events) < 40
    text = json.dumps(history.to_json_dict())
    assert "3055551234" not in text and receiver.url not in text
    secret = (await stack.endpoint_row(endpoint)).secret
    assert secret not in text


async def test_a_failed_delivery_is_tried_again_by_the_workflows_own_timer(
    stack: WebhookStack, receiver: Receiver, temporal: Client, engine: AsyncEngine, settings: Settings
) -> None:
    failures = [503, 500]

    async def answer(_: Call) -> Answer:
        return (failures.pop(0) if failures else 200), {"retry-after": "1"}

    receiver.answer = answer
    endpoint = await stack.endpoint(receiver.url)
    settings.webhook.retry_pauses = [0.5, 0.5]
    async with working(temporal, engine, settings) as dispatcher:
        dispatcher.wake_endpoints(await stack.tell(await stack.message(), Stage.SENT))
        first, _, third = await receiver.got(3)
        await asyncio.wait_for(temporal.get_workflow_handle(endpoint_workflow(endpoint)).result(), 15)
    assert first.json["id"] == third.json["id"]
    (row,) = await stack.deliveries(endpoint)
    assert (row.state, row.attempts) == ("delivered", 3)


DRAINER = textwrap.dedent(
    """
    import asyncio, sys
    from uuid import UUID
    from pydantic import SecretStr
    from bellhop.store.connections import make_engine
    from bellhop.store.settings import PostgresSettings
    from tests.integration.webhooks_kit import WebhookStack

    async def main(dsn, endpoint):
        engine = make_engine(PostgresSettings(dsn=SecretStr(dsn)), "test-drainer")
        await WebhookStack(engine, UUID(int=0), UUID(int=0)).drain(UUID(endpoint), timeout=2.0)

    asyncio.run(main(*sys.argv[1:]))
    """
)


async def test_i4_a_drainer_killed_in_mid_delivery_costs_no_event_and_makes_no_second_id(
    stack: WebhookStack, receiver: Receiver, database_dsn: str
) -> None:
    async def hold(_: Call) -> Answer:
        await asyncio.sleep(1.5)
        return 200, {}

    receiver.answer = hold
    endpoint = await stack.endpoint(receiver.url)
    messages = [await stack.message() for _ in range(4)]
    for message in messages:
        await stack.tell(message, Stage.SENT, Stage.DELIVERED)
    process = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-c", DRAINER, database_dsn, str(endpoint)], env={**os.environ}
    )
    await receiver.got(4, within=20)
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)
    assert {row.attempts for row in await stack.deliveries(endpoint)} == {0}, "nobody could write down what came of it"

    receiver.answer = None
    after = (await stack.drain(endpoint)).after
    assert after is not None and after > 0, "the dead drainer's claims still stand"
    while after is not None:
        await asyncio.sleep(after)
        after = (await stack.drain(endpoint)).after

    secret = (await stack.endpoint_row(endpoint)).secret
    ids: dict[tuple[str, str], set[str]] = {}
    for call in receiver.calls:
        assert verify(secret, call.headers, call.body, now=datetime.now(UTC))
        ids.setdefault((call.json["data"]["id"], call.json["type"]), set()).add(call.json["id"])
    assert all(len(known) == 1 for known in ids.values())
    assert set(ids) == {
        (render(Prefix.MESSAGE, message), kind)
        for message in messages
        for kind in ("message.sent", "message.delivered")
    }
    assert len(receiver.calls) == 12, "the four in hand came again, and nothing else"
