"""A rolling restart to the next release, and back, with messages in every state: nothing lost, twice or early, and no
workflow fails over the other version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client

from bellhop.settings import Settings
from tests.integration.engine import free_port
from tests.integration.webhooks_kit import Answer, Call, Receiver, serving

from .parts import PartsStack, next_release, parts_stack

PATCH = "next-release"
CHANGES = {
    # A workflow takes a step more at its beginning, as CONTRIBUTING tells to do it.
    "workflows/message.py": (
        (
            "                answer = await self._ask(activity, message_id, Answer)\n",
            f'                if workflow.patched("{PATCH}"):\n'
            "                    await workflow.sleep(0.05)\n"
            "                answer = await self._ask(activity, message_id, Answer)\n",
        ),
    ),
    # An answer says more, and says it in every signal and every result.
    "bellhop/domain/answers.py": (
        (
            "    status: str\n    next: Next\n    after: float = 0.0\n",
            '    status: str\n    next: Next\n    after: float = 0.0\n    remark: str | None = "of the next release"\n',
        ),
    ),
}


@pytest.fixture
async def customer() -> AsyncIterator[Receiver]:
    """A customer's server."""
    async with serving() as one:
        yield one


async def test_a_rolling_restart_to_the_next_release_and_back(
    settings: Settings, engine: AsyncEngine, temporal: Client, customer: Receiver, tmp_path: Path
) -> None:
    """Back, messages that sleep go on. Those whose workflow the next release had begun do not (tried): their record
    stays right, but Temporal keeps the workflow until that release is back, since the old code cannot replay it.

    Seen to fail when the next release's step is not guarded by `workflow.patched`.
    """
    settings.webhook.retry_pauses = [1.0] * 60
    # While the API is replaced its port is closed: receipts the provider gives up repeating are asked for.
    settings.delivery.follow_at = [5.0, 10.0, 20.0, 30.0, 40.0]
    new = next_release(tmp_path, CHANGES)
    async with parts_stack(settings, engine, temporal) as here:
        one, other = str(here.engine.http.base_url).rstrip("/"), f"http://127.0.0.1:{free_port()}"
        parts = here.parts
        old_api, old_worker = await asyncio.gather(parts.api(one), parts.worker())
        early, due = await _in_every_state(here, customer)
        over = asyncio.Event()
        stream = asyncio.create_task(_stream(here, over, one, other))

        # Side by side for a while, then the old ones go, one after the other.
        new_api, new_worker = await asyncio.gather(parts.api(other, new), parts.worker(tree=new))
        await asyncio.sleep(1)
        await parts.stop(old_worker)
        await parts.stop(old_api)
        await parts.api(one, new)
        await parts.stop(new_api)
        customer.answer = None
        over.set()
        sent = [*early, *await stream]
        await _all_once(here, sent, due)
        assert await _patched(here, sent[-1]), "the new code was never run"
        assert not await _patched(here, early[0]), "it had begun before"

        # And back, with messages that sleep: however long the change takes, they are due after it.
        later = datetime.now(UTC) + timedelta(hours=1)
        back = [await here.send(900 + n, scheduled_at=later.isoformat()) for n in range(4)]
        await parts.worker()
        await parts.stop(new_worker)
        soon = datetime.now(UTC) + timedelta(seconds=1)
        for message in back:
            moved = await here.engine.http.patch(
                f"/v1/messaging/{message['id']}", json={"scheduled_at": soon.isoformat()}
            )
            assert moved.status_code == 200, moved.text
        await _all_once(here, back, dict.fromkeys((message["id"] for message in back), soon))
        assert not await _patched(here, back[0]), "the old code was not run again"

        events = 2 * len([*sent, *back])
        assert len(await customer.received(events, within=60)) == events


async def _in_every_state(here: PartsStack, customer: Receiver) -> tuple[list[dict[str, Any]], dict[str, datetime]]:
    """Messages that sleep, are tried again, are in the provider's hands, unknown, or wait for receipts; the customer is
    to be sent every event. Returns them, and who is due when."""

    async def closed(_: Call) -> Answer:
        return 503, {}

    customer.answer = closed
    made = await here.engine.http.post("/v1/webhooks", json={"url": customer.url})
    assert made.status_code == 201, made.text
    faults: list[dict[str, Any]] = [
        {"kind": "callback_delay", "delay": 6},
        {"kind": "rate_limit", "retry_after": 4, "count": 2},
        {"kind": "accept_then_slow", "delay": 1.5},
        {"kind": "accept_then_hang"},
        {"kind": "unavailable", "seconds": 5},
    ]
    for number, fault in enumerate(faults):
        await here.engine.fault(**fault, to=f"+130555{60000 + number}")
    sent = [await here.send(number) for number in range(len(faults))]
    due = {}
    for number, seconds in enumerate((2, 4, 6, 8, 10), 100):
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        sent.append(await here.send(number, scheduled_at=at.isoformat()))
        due[sent[-1]["id"]] = at
    await here.engine.until(sent[0]["id"], "sent")
    return sent, due


async def _stream(here: PartsStack, over: asyncio.Event, *urls: str) -> list[dict[str, Any]]:
    """Send to whoever is there, until it is over."""
    sent: list[dict[str, Any]] = []
    while not over.is_set():
        first = len(sent) % len(urls)
        sent.append(await here.send(200 + len(sent), *urls[first:], *urls[:first]))
        await asyncio.sleep(0.25)
    return sent


async def _all_once(here: PartsStack, sent: list[dict[str, Any]], due: dict[str, datetime]) -> None:
    """Each has arrived, once and not before its time; its workflow has ended, and never stumbled."""
    stack = here.engine
    for message in sent:
        await stack.until(message["id"], "delivered", seconds=60)
        await stack.workflow_closed(message["id"])
        assert not await _stumbles(here, message), message["id"]
    taken: dict[str, list[datetime]] = {}
    for copy in await stack.accepted():
        taken.setdefault(copy["to"], []).append(datetime.fromisoformat(copy["accepted_at"]))
    for message in sent:
        (at,) = taken[message["recipient"]]
        assert at >= due.get(message["id"], at)


async def _stumbles(here: PartsStack, message: dict[str, Any]) -> list[str]:
    """Workflow tasks that failed; but for those that a signal overtook, which are made again as a matter of course."""
    failed = [
        event.workflow_task_failed_event_attributes
        for event in (await here.engine.history(message["id"])).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    return [
        f"{WorkflowTaskFailedCause.Name(one.cause)}: {one.failure.message}"
        for one in failed
        if one.cause != WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    ]


async def _patched(here: PartsStack, message: dict[str, Any]) -> bool:
    """Did the next release's code begin this workflow?"""
    return PATCH in str(await here.engine.history(message["id"]))
