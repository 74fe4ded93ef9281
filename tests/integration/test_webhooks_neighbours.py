"""Customers' servers that misbehave in every way at once, and one that a flood goes to: nobody else waits for them, no
other endpoint and no message."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.domain.ids import Prefix, endpoint_workflow, parse
from bellhop.settings import Settings
from tests.integration.engine import EMAIL, SMS, Engine, free_port, running_engine
from tests.integration.misbehaving import MisbehavingServers, misbehaving_servers
from tests.integration.webhooks_kit import Call, Receiver, serving

PATIENCE = 20.0
"""How long a customer's server may take. What one of them takes is seen in the times of whoever waits for it."""
SLOW = 14.0
NEIGHBOURLY = 13.0
"""Far more than anything needs, and less than the slow one does."""


@pytest.fixture
async def stack(settings: Settings, engine: AsyncEngine, temporal: Client, sandbox_url: str) -> AsyncIterator[Engine]:
    """The whole engine, with the time limits for customers of production."""
    settings.webhook.timeout = PATIENCE
    settings.webhook.retry_pauses = [1.0] * 60
    async with running_engine(settings, engine, temporal, sandbox_url) as made:
        yield made


@pytest.fixture
async def healthy() -> AsyncIterator[Receiver]:
    """A good neighbour."""
    async with serving() as one:
        yield one


async def _endpoint(stack: Engine, url: str) -> str:
    made = await stack.http.post("/v1/webhooks", json={"url": url})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def _deliveries(stack: Engine, endpoint: str) -> list[dict[str, Any]]:
    return await stack.rows("select * from deliveries where endpoint_id = :id", id=parse(Prefix.ENDPOINT, endpoint))


async def test_nobody_waits_for_a_server_that_misbehaves(stack: Engine, healthy: Receiver) -> None:
    """Seen to fail with fewer places for drains than endpoints, and with a limit on connections that all share."""
    async with misbehaving_servers(SLOW, healthy.url + "/elsewhere") as bad:
        endpoints = {path: await _endpoint(stack, bad.url + path) for path in bad.WAYS}
        endpoints["/down"] = await _endpoint(stack, f"http://127.0.0.1:{free_port()}/down")
        await _endpoint(stack, healthy.url + "/fine")
        sent = [await stack.send(EMAIL if number % 4 == 0 else SMS) for number in range(12)]
        for message in sent:
            await stack.until(message["id"], "delivered", "read")
        expected = {message["id"]: 3 if message["channel"] == "email" else 2 for message in sent}
        await healthy.got(sum(expected.values()) + 1, "/fine", within=60)
        _good_for(healthy, expected)
        assert max(call.late for call in healthy.at("/fine")) < NEIGHBOURLY
        times = await stack.rows("select extract(epoch from delivered_at - created_at)::float8 as took from messages")
        assert max(row["took"] for row in times) < NEIGHBOURLY, "messages wait for webhooks"
        await _apart(stack, bad, endpoints, healthy)


def _good_for(healthy: Receiver, expected: dict[str, int]) -> None:
    """The neighbour got everything, once, in order within a message, and learned that another endpoint is off."""
    calls: dict[str, list[Call]] = {}
    for call in healthy.at("/fine"):
        calls.setdefault(call.json["data"]["id"], []).append(call)
    (notice,) = [calls.pop(key) for key in list(calls) if key not in expected]
    assert [call.json["type"] for call in notice] == ["endpoint.disabled"]
    order = ["message.sent", "message.delivered", "message.read"]
    for key, count in expected.items():
        assert [call.json["type"] for call in calls[key]] == order[:count]


async def _apart(stack: Engine, bad: MisbehavingServers, endpoints: dict[str, str], healthy: Receiver) -> None:
    """Each misbehaviour has its word; an answer counts by its status, whatever its body does."""
    words = {
        "/late": {None},
        "/endless": {None},
        "/drip": {None},
        "/never": {"timeout"},
        "/headers": {"not http", "reset"},
        "/reset": {"reset", "not http"},
        "/garbage": {"not http"},
        "/half": {"not http"},
        "/redirect": {"http 302"},
        "/gone": {"http 410"},
        "/down": {"refused"},
    }
    async with asyncio.timeout(60):
        for path, endpoint in endpoints.items():
            while not (tried := [row for row in await _deliveries(stack, endpoint) if row["attempts"]]):
                await asyncio.sleep(0.1)
            assert {row["last_error"] for row in tried} <= words[path], path
            assert {row["state"] for row in tried} == {"delivered" if None in words[path] else "pending"}, path
    assert not healthy.at("/elsewhere"), "a redirect was followed"
    # The kernel's buffers on both sides take more than we read.
    assert bad.most_sent < 16 * 1024 * 1024
    assert bad.calls.count("/gone") <= 8, "those under way when the first answer came"
    (gone,) = await stack.rows("select * from endpoints where id = :id", id=parse(Prefix.ENDPOINT, endpoints["/gone"]))
    assert (gone["is_active"], gone["disabled_reason"]) == (False, "gone")


FLOOD = 2_000
FLOOD_SQL = """
    with written as (
      insert into messages (scope_id, channel, recipient, content, stage)
      select :scope, 'sms', '+13055551234', 'Flood', 'delivered' from generate_series(1, :many / 2) returning id
    ), told as (
      insert into events (scope_id, subject, subject_id, type, stage, facts)
      select :scope, 'message', id, 'message.' || stage, stage, jsonb_build_object('stage', stage)
      from written, unnest(array['sent', 'delivered']) with ordinality as stages (stage, nth) order by id, nth
      returning id, subject_id
    )
    insert into deliveries (scope_id, endpoint_id, event_id, subject_id)
    select :scope, :endpoint, id, subject_id from told
"""


async def test_a_flood_to_one_endpoint_is_delivered_fast_and_nobody_waits_for_it(
    stack: Engine, healthy: Receiver
) -> None:
    """2,000 events due at once, as after an hour away; meanwhile messages go out, and another endpoint receives them.

    It prints the rate, the whole engine and both customers in one process: 512 and 555 events a second on two idle
    cores, 109 and 134 on two that a dozen others shared. A wake-up for each event would be seen in the length of the
    history."""
    async with serving() as flooded:
        endpoint = await _endpoint(stack, flooded.url)
        await _endpoint(stack, healthy.url)
        key = parse(Prefix.ENDPOINT, endpoint)
        async with stack.database.begin() as tx:
            await tx.execute(text(FLOOD_SQL), {"scope": stack.scope.id, "endpoint": key, "many": FLOOD})
        assert key is not None
        stack.dispatcher.wake_endpoints({key})
        await flooded.got(1, within=20)
        began = time.monotonic()
        sent = [await stack.send(SMS) for _ in range(20)]
        for message in sent:
            await stack.until(message["id"], "delivered")
        await healthy.got(2 * len(sent), within=20)
        busy = len(flooded.calls) < FLOOD
        await flooded.got(FLOOD + 2 * len(sent), within=120)
        rate = FLOOD / (time.monotonic() - began)
        print(f"{rate:.0f} events a second to one endpoint")
        assert busy, "the flood was over before anybody could wait for it"
        assert rate > 50
        assert max(call.late for call in healthy.calls) < NEIGHBOURLY
        assert max(Counter(call.json["id"] for call in flooded.calls).values()) == 1
        reported: dict[str, list[str]] = {}
        for call in flooded.calls:
            reported.setdefault(call.json["data"]["id"], []).append(call.json["type"])
        assert set(map(tuple, reported.values())) == {("message.sent", "message.delivered")}
        history = await stack.client.get_workflow_handle(endpoint_workflow(key)).fetch_history()
        assert len(history.events) < 100
