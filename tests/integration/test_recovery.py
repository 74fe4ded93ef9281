"""Recovery: whatever was left behind is found in Postgres and done, at any moment, and twice without harm (I1)."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Claim
from bellhop.domain.ids import Prefix, message_workflow, render
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.providers.lease import boottime
from bellhop.sandbox.testing import Receiver
from bellhop.store.delivery.attempt_store import AttemptStore, Routes
from bellhop.store.messages import outbound
from bellhop.store.messages.outbound import NewMessage
from bellhop.temporal.recovery import PostgresSweeper

from .engine import SMS, Engine, key, working

pytestmark = pytest.mark.usefixtures("temporal_namespace")


def sweeper(stack: Engine) -> PostgresSweeper:
    return PostgresSweeper(stack.database, stack.client, stack.dispatcher)


async def accept(stack: Engine, number: int = 0) -> str:
    """Accept a message and die: the transaction of the API, and nobody told."""
    new = NewMessage(
        channel=Channel.SMS, recipient=f"+1305555{7000 + number}", content=Content(text=f"Left behind {number}")
    )
    async with stack.database.begin() as tx:
        row = await outbound.accept(
            tx,
            stack.scope,
            new,
            stack.book,
            carried(providers()),
            3600,
        )
    return render(Prefix.MESSAGE, row.id)


async def change(stack: Engine, statement: str, **values: Any) -> None:
    async with stack.database.begin() as tx:
        await tx.execute(text(statement), values)


async def age(stack: Engine, seconds: int = 30) -> None:
    """Let time pass for everything that is pending."""
    past = f"- interval '{seconds} seconds'"
    await change(stack, f"update messages set wake_due_at = wake_due_at {past}, due_at = due_at {past}")
    await change(stack, f"update attempts set lease_until = lease_until {past}, created_at = created_at {past}")
    await change(stack, f"update deliveries set next_at = next_at {past}")


async def state(stack: Engine, message: str) -> WorkflowExecutionStatus | None:
    try:
        return (await stack.client.get_workflow_handle(message_workflow(key(message))).describe()).status
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def details(stack: Engine, message: str) -> str:
    """What an operator reads in Temporal's UI."""
    handle = stack.client.get_workflow_handle(message_workflow(key(message)))
    return str(await handle.query("__temporal_workflow_metadata"))


async def copies(stack: Engine, message: str) -> int:
    (row,) = await stack.rows("select content from messages where id = :id", id=key(message))
    return len([one for one in await stack.accepted() if one["content"] == row["content"]])


async def pending_since(stack: Engine, message: str) -> object:
    (row,) = await stack.rows("select wake_due_at from messages where id = :id", id=key(message))
    return row["wake_due_at"]


# --- messages ---


async def test_what_the_api_never_notified_is_started_once_it_is_old_enough(idle_stack: Engine) -> None:
    message = await accept(idle_stack)
    assert await sweeper(idle_stack).sweep() == 0, "what is fresh is on its way"
    assert await state(idle_stack, message) is None
    await age(idle_stack)
    assert await sweeper(idle_stack).sweep() == 1
    assert await state(idle_stack, message) is WorkflowExecutionStatus.RUNNING
    assert await pending_since(idle_stack, message) is None
    await change(idle_stack, "update messages set due_at = now()")  # not past its time: only pending
    assert await sweeper(idle_stack).sweep() == 0, "told once"
    async with working(idle_stack):
        await idle_stack.until(message, "delivered")
    assert await copies(idle_stack, message) == 1


async def test_sweeping_twice_at_once_is_harmless(idle_stack: Engine) -> None:
    left = [await accept(idle_stack, number) for number in range(12)]
    await age(idle_stack, 120)
    async with working(idle_stack):
        await asyncio.gather(*(sweeper(idle_stack).sweep() for _ in range(3)))
        for message in left:
            await idle_stack.until(message, "delivered")
        await asyncio.gather(*(sweeper(idle_stack).sweep() for _ in range(3)))
        for message in left:
            await idle_stack.workflow_closed(message)
            assert [attempt["state"] for attempt in await idle_stack.attempts(message)] == ["accepted"]
            assert await copies(idle_stack, message) == 1
    assert len(await idle_stack.accepted()) == len(left)


async def test_a_workflow_that_an_operator_terminated_is_made_again(idle_stack: Engine) -> None:
    sent = (await idle_stack.send(SMS))["id"]
    async with asyncio.timeout(10):
        while await state(idle_stack, sent) is None or await pending_since(idle_stack, sent) is not None:
            await asyncio.sleep(0.02)
    await idle_stack.client.get_workflow_handle(message_workflow(key(sent))).terminate("an operator's mistake")
    await age(idle_stack, 30)
    assert await sweeper(idle_stack).sweep() == 0, "a burst may be as late as that"
    await age(idle_stack, 30)
    assert await sweeper(idle_stack).sweep() == 1
    async with working(idle_stack):
        await idle_stack.until(sent, "delivered")
    assert await copies(idle_stack, sent) == 1


async def test_what_is_merely_late_is_not_woken_at_every_sweep(idle_stack: Engine) -> None:
    """A backlog would grow by the waking, and never be worked off: seen in a storm on a machine that was too small."""
    message = await accept(idle_stack)
    one = sweeper(idle_stack)
    await age(idle_stack, 120)
    assert await one.sweep() == 1, "a pending notification"
    assert await one.sweep() == 1, "late, and nobody knows why"
    assert [await one.sweep() for _ in range(3)] == [0, 0, 0]
    await change(idle_stack, "update messages set wake_due_at = now() - interval '1 minute'")
    assert await one.sweep() == 1, "a pending notification is always made"
    assert await pending_since(idle_stack, message) is None


async def test_a_call_whose_process_died_is_settled_before_anything_is_sent_again(idle_stack: Engine) -> None:
    """The attempt row is there, its lease is over, and no workflow knows of it."""
    message = await accept(idle_stack)
    routes = Routes(idle_stack.settings.bellhop.public_url, idle_stack.settings.bellhop.sandbox_url)
    attempts = AttemptStore(
        idle_stack.database,
        idle_stack.settings.delivery,
        routes,
        carried(providers()),
        idle_stack.settings.bellhop.credential_cipher(),
        idle_stack.book,
        idle_stack.dispatcher.wake_endpoints,
    )
    claimed = await attempts.claim(key(message), boottime() + 3)
    assert isinstance(claimed, Claim)
    # However recovery learns of it: here not by the pending notification.
    await change(idle_stack, "update messages set wake_due_at = null, due_at = now()")
    await change(idle_stack, "update attempts set lease_until = now() - interval '11 seconds'")
    async with working(idle_stack):
        assert await sweeper(idle_stack).sweep() == 1
        await idle_stack.until(message, "delivered")
    assert [one["state"] for one in await idle_stack.attempts(message)] == ["not_sent", "accepted"]
    assert await copies(idle_stack, message) == 1


async def test_a_signal_that_was_lost_is_made_up_for(stack: Engine) -> None:
    """The receipt is in Postgres, the process that was to signal the workflow is gone."""
    sent = (await stack.send({**SMS, "recipient": "+13055559032"}))["id"]  # sent, and no more
    await stack.until(sent, "sent")
    async with asyncio.timeout(20):
        while "sent: the provider has it" not in await details(stack, sent):
            await asyncio.sleep(0.02)
    await change(
        stack,
        "update messages set stage = 'delivered', wake_due_at = now() - interval '30 seconds' where id = :id",
        id=key(sent),
    )
    assert await sweeper(stack).sweep() == 0, "while many messages wait, it may be held back"
    await change(stack, "update messages set wake_due_at = now() - interval '41 seconds' where id = :id", id=key(sent))
    assert await sweeper(stack).sweep() == 1
    assert await stack.workflow_closed(sent) == "delivered"
    assert await copies(stack, sent) == 1


async def test_a_cancelled_message_nobody_was_notified_of_is_never_sent(idle_stack: Engine) -> None:
    message = await accept(idle_stack)
    async with idle_stack.database.begin() as tx:
        await outbound.cancel(tx, idle_stack.scope, key(message))
    await age(idle_stack, 120)
    async with working(idle_stack):
        assert await sweeper(idle_stack).sweep() == 1
        assert await idle_stack.workflow_closed(message) == "cancelled"
    assert await copies(idle_stack, message) == 0
    # A notification whose row the worker held just then is cleared now.
    await sweeper(idle_stack).sweep()
    assert await sweeper(idle_stack).sweep() == 0


async def test_a_newer_notification_stays_pending(idle_stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between recovery's look and its note the message is moved, and the process that moved it dies."""
    message = await accept(idle_stack)
    await age(idle_stack)
    start = idle_stack.dispatcher.start_message

    async def start_and_move(*args: Any, **options: Any) -> None:
        await start(*args, **options)
        async with idle_stack.database.begin() as tx:
            await outbound.reschedule(tx, idle_stack.scope, key(message), None, 60.0)

    monkeypatch.setattr(idle_stack.dispatcher, "start_message", start_and_move)
    assert await sweeper(idle_stack).sweep() == 1
    assert await pending_since(idle_stack, message) is not None


async def test_messages_of_a_mended_account_go_out_at_once(stack: Engine) -> None:
    """Held for an hour; another message finds the account mended."""
    stack.settings.delivery.hold = 3600.0
    await stack.fault("auth", provider="twilio")
    held: list[str] = []
    for number in range(3):
        sent = await stack.send({**SMS, "recipient": f"+1305555710{number}", "content": f"Held {number}"})
        held.append(sent["id"])
        async with asyncio.timeout(20):
            while not (
                await stack.rows(
                    "select from messages where held_account_id is not null and id = :id", id=key(sent["id"])
                )
            ):
                await asyncio.sleep(0.02)
    # One that waits for a later time of its own goes out no sooner for it.
    moved = await stack.http.patch(f"/v1/messaging/{held[2]}", json={"scheduled_at": "2031-05-01T10:00:00Z"})
    assert moved.status_code == 200
    assert await sweeper(stack).sweep() == 0, "the account is still at fault"
    await change(stack, "update provider_accounts set probe_at = now()")
    probe = (await stack.send({**SMS, "content": "Is it mended?"}))["id"]
    await stack.until(probe, "delivered")
    for message in held[:2]:
        await stack.until(message, "delivered")
        assert await copies(stack, message) == 1
    assert (await stack.get(held[2]))["status"] == "queued"
    assert await copies(stack, held[2]) == 0
    assert await sweeper(stack).sweep() == 0


# --- endpoints ---


async def test_an_endpoint_nobody_drains_is_woken(idle_stack: Engine) -> None:
    with Receiver().open() as customer:
        made = await idle_stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hooks"})
        assert made.status_code == 201
        message = await accept(idle_stack)
        async with idle_stack.database.begin() as tx:
            await outbound.cancel(tx, idle_stack.scope, key(message))
        await change(idle_stack, "update messages set wake_due_at = null, due_at = now()")
        began = time.monotonic()
        await change(idle_stack, "update deliveries set next_at = now()")
        woken = await sweeper(idle_stack).sweep()
        assert woken == 0 or time.monotonic() - began >= 2, "fresh"
        await age(idle_stack)
        await change(idle_stack, "update endpoints set draining_until = now() + interval '1 minute'")
        assert await sweeper(idle_stack).sweep() == 0, "somebody drains it"
        await change(idle_stack, "update endpoints set draining_until = now() - interval '1 second'")
        assert await sweeper(idle_stack).sweep() == 1, "the drainer fell silent"
        async with working(idle_stack):
            received = await asyncio.to_thread(customer.wait, lambda calls: len(calls) == 1, 20)
        assert b'"message.cancelled"' in received[0].body
        assert await sweeper(idle_stack).sweep() == 0


# --- what is to be forgotten ---


async def test_histories_of_erased_guests_are_deleted(stack: Engine) -> None:
    guest = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": SMS["recipient"]})
    assert guest.status_code == 201
    ids = []
    for scheduled in (None, "2031-05-01T10:00:00Z"):
        sent = await stack.send({**SMS, "guest_id": guest.json()["id"], "scheduled_at": scheduled})
        ids.append(sent["id"])
    await stack.until(ids[0], "delivered")
    await stack.workflow_closed(ids[0])
    assert (await stack.http.delete(f"/v1/guests/{guest.json()['id']}")).status_code == 204
    assert await stack.workflow_closed(ids[1]) == "cancelled"
    async with asyncio.timeout(20):
        # Not before it is written down that its last wake was told.
        while await sweeper(stack).sweep() or await stack.rows("select * from history_erasures"):
            await asyncio.sleep(0.1)
        for message in ids:
            while await state(stack, message) is not None:
                await asyncio.sleep(0.05)
    await sweeper(stack).sweep()


async def test_a_history_that_never_was_counts_as_erased(idle_stack: Engine) -> None:
    await change(
        idle_stack, "insert into history_erasures (workflow_id) values (:id)", id=message_workflow(UUID(int=7))
    )
    await sweeper(idle_stack).sweep()
    assert await idle_stack.rows("select * from history_erasures") == []


async def test_what_is_kept_for_a_while_only(idle_stack: Engine) -> None:
    body = {**SMS, "scheduled_at": "2031-05-01T10:00:00Z"}
    for age_of_key in ("47 hours", "49 hours"):
        await idle_stack.send(body, **{"Idempotency-Key": age_of_key})
    rows = await idle_stack.rows("select key from idempotency order by created_at")
    await change(
        idle_stack,
        "update idempotency set created_at = now() - interval '49 hours' where key = :key",
        key=rows[-1]["key"],
    )
    (account, *_) = await idle_stack.rows("select id from provider_accounts where provider = 'twilio'")
    for days in (29, 31):
        await change(
            idle_stack,
            "insert into receipts (account_id, provider, dedupe_key, word, payload, received_at)"
            " values (:account, 'twilio', :days, 'sent', '{}', now() - make_interval(days => :age))",
            account=account["id"], days=str(days), age=days,
        )  # fmt: skip
    await sweeper(idle_stack).sweep()
    assert len(await idle_stack.rows("select * from idempotency")) == 1
    kept = await idle_stack.rows("select dedupe_key, payload from receipts order by dedupe_key")
    assert [(row["dedupe_key"], row["payload"]) for row in kept] == [("29", {}), ("31", None)]
