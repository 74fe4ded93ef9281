"""One property's crowd is not in front of its neighbour: priorities, and turns between properties."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError

from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.store.access import keys

from .engine import SMS, Engine, working

CROWD = 120
AMONG_THE_FIRST = CROWD * 2 // 3
"""A worker takes 50 workflows at a time; who is behind the crowd comes after all of it."""


async def neighbour(stack: Engine) -> httpx2.AsyncClient:
    """The API with a key of another property."""
    async with stack.database.begin() as tx:
        scopes = await ensure_property(tx, "Harbour Inn", "harbour-inn")
        await ensure_accounts(tx, scopes["test"], stack.settings)
        _, raw = await keys.create(tx, scopes["test"], "tests", ["*"], rate_limit=1_000_000)
    return httpx2.AsyncClient(base_url=stack.http.base_url, headers={"Authorization": f"Bearer {raw}"}, timeout=30)


async def send(http: httpx2.AsyncClient, content: str, **fields: Any) -> dict[str, Any]:
    body = {**SMS, "content": content, **fields}
    answer = await http.post("/v1/messaging/send", json=body, headers={"Prefer": "respond-async"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def started(stack: Engine, workflow_id: str) -> Any:
    """The priority its workflow was started with, once it is there."""
    async with asyncio.timeout(20):
        while True:
            try:
                history = await stack.client.get_workflow_handle(workflow_id).fetch_history()
            except RPCError:
                await asyncio.sleep(0.05)
                continue
            return history.events[0].workflow_execution_started_event_attributes.priority


@pytest.mark.parametrize(("word", "number"), [("urgent", 1), ("normal", 3), ("bulk", 5), (None, 3)])
async def test_a_workflow_has_the_priority_of_its_message_and_its_scopes_turn(
    idle_stack: Engine, word: str | None, number: int
) -> None:
    sent = await send(idle_stack.http, "Hello", **({"priority": word} if word else {}))
    assert sent["priority"] == (word or "normal")
    assert (await idle_stack.get(sent["id"]))["priority"] == (word or "normal")
    priority = await started(idle_stack, sent["id"])
    assert (priority.priority_key, priority.fairness_key) == (number, str(idle_stack.scope.id))


async def test_one_that_recovery_makes_has_it_too(idle_stack: Engine) -> None:
    sent = await send(idle_stack.http, "Hello", priority="urgent")
    await started(idle_stack, sent["id"])
    async with asyncio.timeout(20):
        # What is said of the start has come, and clears nothing that is written now.
        while await idle_stack.rows("select id from messages where wake_due_at is not null"):
            await asyncio.sleep(0.05)
    handle = idle_stack.client.get_workflow_handle(sent["id"])
    before = (await handle.describe()).run_id
    await handle.terminate()
    await idle_stack.rows("update messages set wake_due_at = now() - interval '1 hour' returning id")
    await idle_stack.sweep()
    assert (await handle.describe()).run_id != before
    priority = await started(idle_stack, sent["id"])
    assert (priority.priority_key, priority.fairness_key) == (1, str(idle_stack.scope.id))


async def test_an_unknown_word_is_refused(idle_stack: Engine) -> None:
    answer = await idle_stack.http.post("/v1/messaging/send", json={**SMS, "priority": "asap"})
    assert answer.status_code == 422
    assert "priority" in answer.text


async def test_activities_and_endpoints_have_their_scopes_turn(stack: Engine) -> None:
    answer = await stack.http.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/"})
    assert answer.status_code == 201, answer.text
    endpoint = answer.json()["id"]
    await stack.fault("rate_limit", count=1, retry_after=0.1)
    sent = await send(stack.http, "Hello", priority="urgent")
    await stack.until(sent["id"], "delivered")
    events = (await stack.history(sent["id"])).events
    (second,) = [event for event in events if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
    # What is not said there is the workflow's.
    assert not second.activity_task_scheduled_event_attributes.priority.fairness_key
    assert (await started(stack, endpoint)).fairness_key == str(stack.scope.id)


async def test_a_neighbours_message_and_an_urgent_one_are_not_behind_a_crowd(idle_stack: Engine) -> None:
    async with await neighbour(idle_stack) as harbour:
        for _ in range(4):
            await asyncio.gather(*(send(idle_stack.http, "crowd", priority="bulk") for _ in range(CROWD // 4)))
        theirs = await send(harbour, "neighbour", priority="bulk")
        urgent = await send(idle_stack.http, "urgent", priority="urgent")
        last = await send(idle_stack.http, "last", priority="bulk")
        for sent in (theirs, urgent, last):
            await started(idle_stack, sent["id"])
    async with working(idle_stack):
        async with asyncio.timeout(60):
            while len(accepted := await idle_stack.accepted()) < CROWD + 3:
                await asyncio.sleep(0.2)
    order = [message["content"] for message in sorted(accepted, key=lambda message: message["accepted_at"])]
    assert order.index("neighbour") < AMONG_THE_FIRST, order.index("neighbour")
    assert order.index("urgent") < AMONG_THE_FIRST, order.index("urgent")
    assert order.index("last") > order.index("neighbour")
