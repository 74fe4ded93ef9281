"""Operators cancel workflows in Temporal's UI: a message is cancelled as through the API, or it says why not; nothing
else is lost by it. And what they see in its list."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from bellhop.domain.answers import Answer, Next, Refusal, Withdrawal
from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.ids import Prefix, endpoint_workflow, message_workflow, parse, render
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.sandbox.testing import Receiver
from bellhop.store.delivery.attempt_store import AttemptStore, Routes
from bellhop.temporal import contract
from bellhop.temporal.search_attributes import CHANNEL, PROVIDER, STATUS

from .engine import EMAIL, SMS, Engine, key, working

LATER = "2031-05-01T10:00:00Z"


def workflow(stack: Engine, message: str) -> WorkflowHandle[Any, Any]:
    return stack.client.get_workflow_handle(message_workflow(key(message)))


async def until_there(stack: Engine, message: str) -> WorkflowHandle[Any, Any]:
    """Its workflow, once it was started."""
    async with asyncio.timeout(20):
        while True:
            with suppress(RPCError):
                await workflow(stack, message).describe()
                return workflow(stack, message)
            await asyncio.sleep(0.02)


async def shows(stack: Engine, message: str, words: str) -> None:
    async with asyncio.timeout(20):
        while words not in str(await workflow(stack, message).query("__temporal_workflow_metadata")):
            await asyncio.sleep(0.05)


async def test_a_message_that_waits_is_cancelled(stack: Engine) -> None:
    with Receiver().open() as customer:
        await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hook", "events": "message.cancelled"})
        sent = (await stack.send({**SMS, "scheduled_at": LATER}))["id"]
        await (await until_there(stack, sent)).cancel()
        await stack.until(sent, "cancelled")
        await asyncio.to_thread(customer.wait, lambda calls: len(calls) == 1)
    assert await stack.workflow_closed(sent) == "cancelled"
    described = await workflow(stack, sent).describe()
    assert described.status is WorkflowExecutionStatus.COMPLETED
    assert described.typed_search_attributes[STATUS] == "cancelled"
    assert await stack.events(sent) == ["message.cancelled"]
    await stack.sweep()
    assert (await stack.accepted()) == []


async def test_while_nobody_works_the_request_waits_and_nothing_is_sent_afterwards(idle_stack: Engine) -> None:
    sent = (await idle_stack.send(SMS))["id"]
    await (await until_there(idle_stack, sent)).cancel()
    async with working(idle_stack):
        assert await idle_stack.workflow_closed(sent) == "cancelled"
    assert (await idle_stack.get(sent))["status"] == "cancelled"
    assert await idle_stack.attempts(sent) == []


async def test_a_message_that_a_provider_has_goes_on_and_says_why(stack: Engine) -> None:
    sent = (await stack.send({**SMS, "recipient": "+13055559032"}))["id"]  # sent, and no more
    await stack.until(sent, "sent")
    await workflow(stack, sent).cancel()
    await shows(stack, sent, "too late to cancel it")
    assert (await stack.get(sent))["status"] == "sent"
    assert (await workflow(stack, sent).describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.parametrize(("fault", "ends"), [("reset", "cancelled"), ("accept_then_reset", "delivered")])
async def test_while_a_call_is_open_it_waits_for_what_became_of_it(stack: Engine, fault: str, ends: str) -> None:
    stack.settings.delivery.settle_pauses = [8.0, 0.3, 0.3]
    await stack.fault("callback_delay", delay=15)
    await stack.fault(fault)
    sent = (await stack.send(SMS))["id"]
    await until_there(stack, sent)
    await shows(stack, sent, "an outcome is being settled")
    await workflow(stack, sent).cancel()
    await shows(stack, sent, "to be cancelled if the call under way turns out not to have sent it")
    await stack.until(sent, ends, seconds=40)
    assert await stack.workflow_closed(sent) == ends
    assert len(await stack.accepted()) == (ends == "delivered")


async def test_what_may_be_cancelled_is_what_the_api_would_cancel(idle_stack: Engine) -> None:
    """Of a text in two parts: nobody has it; the first is being called, then out; one nobody can ever know about."""
    store = AttemptStore(
        idle_stack.database,
        idle_stack.settings.delivery,
        Routes("http://127.0.0.1:8", "http://127.0.0.1:9"),
        carried(providers()),
        idle_stack.settings.bellhop.credential_cipher(),
        idle_stack.book,
        lambda _: None,
    )

    async def claimed(message: str) -> Claim:
        found = await store.claim(key(message), 1e12)
        assert isinstance(found, Claim)
        return found

    body = {**SMS, "content": "word " * 400}
    waits, out, unknown = [(await idle_stack.send(body))["id"] for _ in range(3)]
    assert await store.withdraw(key(waits)) == Withdrawal(Answer("cancelled", Next.CLOSE))
    assert await store.withdraw(key(waits)) == Withdrawal(Answer("cancelled", Next.CLOSE)), "twice"

    first = await claimed(out)
    open_call = await store.withdraw(key(out))
    assert open_call.refused is Refusal.CALL_OPEN
    assert (open_call.answer.next, open_call.answer.after > 0) == (Next.AGAIN, True), "when its lease is over"
    await store.record(first, SendResult(SendKind.ACCEPTED, "SM1"))
    rest = await store.withdraw(key(out))
    assert (rest.answer.status, rest.answer.next, rest.refused) == ("queued", Next.AGAIN, Refusal.SENT)
    await store.record(await claimed(out), SendResult(SendKind.ACCEPTED, "SM2"))
    gone = await store.withdraw(key(out))
    assert (gone.answer.status, gone.answer.next, gone.refused) == ("sent", Next.TRACK, Refusal.SENT)

    await store.record(await claimed(unknown), SendResult(SendKind.UNKNOWN))
    assert (await store.withdraw(key(unknown))).refused is Refusal.CALL_OPEN
    await idle_stack.rows("update attempts set state = 'abandoned' where state = 'unknown' returning id")
    rest = await store.withdraw(key(unknown))
    assert (rest.answer.status, rest.answer.next, rest.refused) == ("queued", Next.AGAIN, Refusal.MAY_BE_SENT)
    for message in (out, unknown):
        assert (await idle_stack.http.post(f"/v1/messaging/{message}/cancel")).status_code == 409
    assert await store.withdraw(uuid4()) == Withdrawal(Answer("gone", Next.CLOSE))


# --- the other workflows ---


async def test_an_endpoint_gets_what_it_is_owed_although_its_workflow_was_cancelled(stack: Engine) -> None:
    stack.settings.webhook.retry_pauses = [3.0, 3.0, 3.0]
    with Receiver().open() as customer:
        customer.answers = [500]
        made = await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hook", "events": "message.sent"})
        endpoint = parse(Prefix.ENDPOINT, made.json()["id"])
        assert endpoint is not None
        await stack.until((await stack.send(SMS))["id"], "delivered")
        await asyncio.to_thread(customer.wait, lambda calls: len(calls) >= 1)
        await stack.client.get_workflow_handle(endpoint_workflow(endpoint)).cancel()
        async with asyncio.timeout(90):
            while len(customer.received) < 2:
                await asyncio.sleep(0.5)
                await stack.sweep()
        async with asyncio.timeout(20):
            # Written down once it has been answered.
            while [each["state"] for each in await stack.rows("select state from deliveries")] != ["delivered"]:
                await asyncio.sleep(0.1)


async def test_a_sweep_that_was_cancelled_is_made_up_for_by_the_next(stack: Engine) -> None:
    for number in range(2):
        handle = await stack.client.start_workflow(
            contract.SWEEP_WORKFLOW, id=f"sweep-{stack.scope.id}-{number}", task_queue=contract.TASK_QUEUE_RECOVERY
        )
        if number == 0:
            await handle.cancel()
            async with asyncio.timeout(20):
                while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                    await asyncio.sleep(0.05)
        else:
            assert await handle.result() >= 0


# --- the list ---


async def test_the_list_shows_channel_and_status_of_each_message(stack: Engine) -> None:
    stack.settings.delivery.follow_at = [0.5, 3600.0]
    text_mail = {**EMAIL, "content_type": "text/plain"}
    ends = {
        (await stack.send(SMS))["id"]: ("sms", "delivered"),
        (await stack.send({**SMS, "recipient": "+13055552211"}))["id"]: ("sms", "failed"),
        (await stack.send(EMAIL))["id"]: ("email", "read"),
        # Still followed: one that has arrived and may be read, one whose provider is silent.
        (await stack.send(text_mail))["id"]: ("email", "delivered"),
        (await stack.send({**SMS, "recipient": "+13055559032"}))["id"]: ("sms", "sent"),
    }
    for message, (_, status) in ends.items():
        await stack.until(message, status)
    async with stack.database.begin() as tx:
        await tx.execute(text("update scopes set paused_at = now() where id = :id"), {"id": stack.scope.id})
    ends[(await stack.send(SMS))["id"]] = ("sms", "paused")
    ends[(await stack.send({**SMS, "scheduled_at": LATER}))["id"]] = ("sms", "waiting")
    await until_listed(stack, ends)
    async with stack.database.begin() as tx:
        await tx.execute(text("update scopes set paused_at = null where id = :id"), {"id": stack.scope.id})
    await stack.sweep()
    for message, (channel, status) in ends.items():
        if status == "paused":
            ends[message] = (channel, "delivered")
        elif status == "waiting":
            await stack.http.patch(f"/v1/messaging/{message}", json={"scheduled_at": None})
            ends[message] = (channel, "delivered")
    await until_listed(stack, ends)


async def until_listed(stack: Engine, expected: dict[str, tuple[str, str]]) -> None:
    """Wait until Temporal's list shows these channels and statuses: what is searched is a moment behind."""
    rendered = render(Prefix.PROPERTY, stack.scope.property_id)
    shown: dict[str, tuple[str, str]] = {}
    for _ in range(200):
        shown = {}
        async for each in stack.client.list_workflows(f'WorkflowType = "Message" and BellhopProperty = "{rendered}"'):
            attributes = each.typed_search_attributes
            assert attributes[PROVIDER] in ("twilio", "sendgrid")
            shown[render(Prefix.MESSAGE, key(each.id))] = (attributes[CHANNEL], attributes[STATUS])
        if shown == expected:
            break
        await asyncio.sleep(0.1)
    assert shown == expected
    found = {
        status: {
            render(Prefix.MESSAGE, key(each.id))
            async for each in stack.client.list_workflows(
                f'BellhopProperty = "{rendered}" and BellhopStatus = "{status}"'
            )
        }
        for status in {status for _, status in expected.values()}
    }
    assert found == {status: {m for m, (_, s) in expected.items() if s == status} for status in found}
