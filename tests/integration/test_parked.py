"""Nothing that waits for somebody polls: it is parked in the record, and released once that is over, at a pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from bellhop.domain.channels import Channel
from bellhop.domain.ids import message_workflow, release_workflow
from bellhop.domain.rows.delivery import Backlog
from bellhop.store.delivery import parked, pending_wakes
from bellhop.temporal import contract, recovery
from bellhop.temporal.releases import PostgresReleases

from .engine import EMAIL, SMS, Engine, key


async def change(stack: Engine, statement: str, **values: Any) -> None:
    async with stack.database.begin() as tx:
        await tx.execute(text(statement), values)


async def pause(stack: Engine) -> None:
    await change(stack, "update scopes set paused_at = now() where id = :id", id=stack.scope.id)


async def resume(stack: Engine) -> None:
    """As an operator does: written down, then told."""
    await change(stack, "update scopes set paused_at = null where id = :id", id=stack.scope.id)
    async with stack.database.begin() as tx:
        backlogs = await parked.backlogs(tx, stack.scope.id)
    stack.dispatcher.release(backlogs)


async def row(stack: Engine, message: str) -> dict[str, Any]:
    (found,) = await stack.rows("select * from messages where id = :id", id=key(message))
    return found


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.03)


async def waits(stack: Engine, message: str, reason: str) -> None:
    async def there() -> bool:
        return bool((await row(stack, message))["waits_for"] == reason)

    await until(there)


async def send(stack: Engine, count: int, body: dict[str, Any] = SMS) -> list[str]:
    return [
        (await stack.send({**body, "recipient": f"+1305555{4100 + n}", "content": f"Number {n}"}))["id"]
        for n in range(count)
    ]


async def kinds(stack: Engine, message: str) -> list[int]:
    return [event.event_type for event in (await stack.history(message)).events]


async def details(stack: Engine, message: str) -> list[str]:
    shown = (await stack.http.get(f"/v1/messaging/{message}/timeline")).json()["data"]
    return [entry.get("detail", "") for entry in shown if entry["what"] in ("message.waiting", "message.held")]


# --- a paused property ---


async def test_what_a_pause_keeps_back_asks_once_and_goes_out_when_it_is_over(stack: Engine) -> None:
    stack.settings.delivery.hold = 0.2
    await pause(stack)
    sent = await send(stack, 4)
    for message in sent:
        await waits(stack, message, "paused")
    await asyncio.sleep(1.0)
    for message in sent:
        events = await kinds(stack, message)
        assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1
        assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in events, "nobody asks again"
        assert await details(stack, message) == ["the property is paused; it goes out when the property goes on"]
    assert await stack.sweep() == 0, "whoever waits is not lost"
    await resume(stack)
    for message in sent:
        await stack.until(message, "delivered")
        assert (await row(stack, message))["parked_at"] is None
    assert len(await stack.accepted()) == 4
    handle = stack.client.get_workflow_handle(release_workflow(stack.scope.id, "sms"))
    async with asyncio.timeout(10):
        await handle.result()


async def test_a_release_goes_by_age_at_its_pace(stack: Engine) -> None:
    await pause(stack)
    sent = await send(stack, 5)
    for message in sent:
        await waits(stack, message, "paused")
    for late, message in enumerate(reversed(sent)):
        await change(stack, f"update messages set due_at = now() - interval '{9 - late} minutes' where id = :id",
                     id=key(message))  # fmt: skip
    await change(stack, "update scopes set paused_at = null")
    releases = PostgresReleases(stack.database, stack.dispatcher)
    backlog = Backlog(stack.scope.id, Channel.SMS)
    assert await releases.release(backlog, 2) == 2
    assert {m for m in sent if (await row(stack, m))["waits_for"] is None} == set(sent[-2:])
    assert [await releases.release(backlog, 2) for _ in range(3)] == [2, 1, 0]
    for message in sent:
        await stack.until(message, "delivered")


async def test_what_was_parked_as_the_pause_ended_is_found_by_the_sweep(stack: Engine) -> None:
    """Its claim saw the pause, and was written down when the release was over already."""
    await pause(stack)
    (message,) = await send(stack, 1)
    await waits(stack, message, "paused")
    await change(stack, "update scopes set paused_at = null")
    assert await stack.sweep() == 1
    await stack.until(message, "delivered")


async def test_a_release_that_was_killed_is_made_up_for(stack: Engine) -> None:
    """The batch is written, and the process dies before it has woken anybody."""
    await pause(stack)
    (message,) = await send(stack, 1)
    await waits(stack, message, "paused")
    await change(stack, "update scopes set paused_at = null")

    async def released() -> bool:
        """A release passes over a row that somebody holds: the API may be settling its acceptance just now."""
        async with stack.database.begin() as tx:
            return [one.wake_due_at is not None for one in await parked.release(tx, backlog, 10)] == [True]

    backlog = Backlog(stack.scope.id, Channel.SMS)
    await until(released)
    await change(stack, "update messages set wake_due_at = now() - interval '11 seconds'")
    assert await stack.sweep() == 1
    await stack.until(message, "delivered")


async def test_while_the_pause_lasts_nothing_is_released(stack: Engine) -> None:
    await pause(stack)
    sent = await send(stack, 3)
    for message in sent:
        await waits(stack, message, "paused")
    async with stack.database.begin() as tx:
        assert await parked.backlogs(tx) == []
        assert await parked.release(tx, Backlog(stack.scope.id, Channel.SMS), 10) == []


# --- what else may happen to a message that is parked ---


async def test_cancelled_moved_erased_or_expired_while_it_is_parked(stack: Engine) -> None:
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M"})).json()["id"]
    await pause(stack)
    cancelled, moved, expired = await send(stack, 3)
    erased = (await stack.send({**SMS, "recipient": "+13055554199", "guest_id": guest}))["id"]
    for message in (cancelled, moved, expired, erased):
        await waits(stack, message, "paused")
    assert (await stack.http.post(f"/v1/messaging/{cancelled}/cancel")).status_code == 200
    assert await stack.workflow_closed(cancelled) == "cancelled"
    assert (await stack.http.delete(f"/v1/guests/{guest}")).status_code == 204
    with suppress(WorkflowFailureError, RPCError):  # its history may be deleted by the time it is asked
        assert await stack.workflow_closed(erased) == "cancelled"
    at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    assert (await stack.http.patch(f"/v1/messaging/{moved}", json={"scheduled_at": at})).status_code == 200
    await waits(stack, moved, "paused")
    for message in (cancelled, erased):
        found = await row(stack, message)
        assert (found["waits_for"], found["parked_at"]) == (None, None)
    await change(stack, "update messages set expires_at = now() where id = :id", id=key(expired))
    await change(stack, "update messages set wake_due_at = now() - interval '11 seconds' where id = :id",
                 id=key(expired))  # fmt: skip
    await stack.sweep()
    failed = await stack.until(expired, "failed")
    assert failed["metadata"]["error"]["code"] == "expired"
    assert (await row(stack, expired))["waits_for"] is None
    await resume(stack)
    await stack.until(moved, "delivered")
    assert len(await stack.accepted()) == 1


async def test_it_expires_in_time_though_nobody_asks(stack: Engine) -> None:
    stack.settings.delivery.valid_for = 2.0
    await pause(stack)
    sent = await stack.send({**EMAIL, "recipient": "late@example.com"})
    await waits(stack, sent["id"], "paused")
    await change(stack, "update messages set expires_at = now() + interval '1 second'")
    await stack.client.get_workflow_handle(message_workflow(key(sent["id"]))).signal(contract.WAKE)
    failed = await stack.until(sent["id"], "failed", seconds=10)
    assert failed["metadata"]["error"]["code"] == "expired"
    assert await stack.workflow_closed(sent["id"]) == "failed"


async def test_made_anew_a_parked_message_has_nothing_to_ask(stack: Engine) -> None:
    """Temporal is lost while thousands are parked: their workflows sleep until they expire."""
    await pause(stack)
    (message,) = await send(stack, 1)
    await waits(stack, message, "paused")
    handle = stack.client.get_workflow_handle(message_workflow(key(message)))
    await handle.terminate("lost")
    assert await stack.sweeper.rebuild() == 1
    await asyncio.sleep(0.5)
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED not in await kinds(stack, message)
    await resume(stack)
    await stack.until(message, "delivered")


# --- a held account, and no sender ---


async def hold(stack: Engine, count: int) -> list[str]:
    """Messages of an account that the provider refuses: the first finds it, the others wait for it."""
    await stack.fault("auth", provider="twilio", count=1000)
    (first,) = await send(stack, 1)
    await waits(stack, first, "account_held")
    others = [
        (await stack.send({**SMS, "recipient": f"+1305555{4300 + n}", "content": f"Held {n}"}))["id"]
        for n in range(count - 1)
    ]
    for message in others:
        await waits(stack, message, "account_held")
    return [first, *others]


async def test_one_message_tries_a_held_account_for_all(stack: Engine) -> None:
    stack.settings.delivery.hold = 1.0
    first, *others = await hold(stack, 4)

    async def tried_again() -> bool:
        return len(await stack.attempts(first)) >= 3

    await until(tried_again)
    for message in others:
        assert await stack.attempts(message) == []
        assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in await kinds(stack, message), "nobody asks again"
        assert await details(stack, message) == ["the sending account is at fault; held until it is mended"]
    assert await details(stack, first) == ["the sending account is at fault; held until it is mended"], "said once"
    assert await stack.sweep() == 0
    await stack.sandbox.delete("/_sandbox/faults")
    for message in (first, *others):
        await stack.until(message, "delivered")
        found = await row(stack, message)
        assert (found["waits_for"], found["held_account_id"]) == (None, None)


async def test_who_tried_for_all_is_gone_and_another_does(stack: Engine) -> None:
    first, second, third = await hold(stack, 3)
    assert (await stack.http.post(f"/v1/messaging/{first}/cancel")).status_code == 200
    await stack.sandbox.delete("/_sandbox/faults")
    assert await stack.sweep() == 0, "it has only just been tried"
    await change(stack, "update provider_accounts set probe_at = now() - interval '1 hour' where health = 'held'")
    assert await stack.sweep() == 1
    for message in (second, third):
        await stack.until(message, "delivered")
    assert (await stack.get(first))["status"] == "cancelled"


async def test_what_waits_for_a_sender_goes_out_when_there_is_one(stack: Engine) -> None:
    await pause(stack)
    message = (await stack.send(SMS))["id"]
    await waits(stack, message, "paused")
    await change(stack, "update senders set channel = 'push' where channel = 'sms'")
    await change(stack, "update provider_accounts set updated_at = now() - interval '1 hour'")
    await resume(stack)
    await waits(stack, message, "no_sender")
    assert (await details(stack, message))[-1].startswith("the property has no sender that can carry it")
    sweeper = stack.sweeper
    assert await sweeper.sweep() == 1, "this worker may know more than the one that parked it"

    async def looked_again() -> bool:
        return len(await details(stack, message)) == 3

    await until(looked_again)
    assert await sweeper.sweep() == 0
    await change(stack, "update senders set channel = 'sms' where channel = 'push'")
    await change(stack, "update provider_accounts set updated_at = now()")
    assert await sweeper.sweep() >= 1
    await stack.until(message, "delivered")


async def test_one_lost_message_is_found_behind_two_thousand_that_wait(idle_stack: Engine) -> None:
    """Paused, held, of unknown outcome: each has its time past and nobody to be woken; the one behind them has nobody
    who does anything."""
    await idle_stack.send({**SMS, "scheduled_at": "2031-05-01T10:00:00Z"})
    (found,) = await idle_stack.rows("select * from messages")
    copied = [name for name in found if name not in ("id", "due_at", "waits_for", "parked_at", "wake_due_at")]
    columns = ", ".join(f'"{name}"' for name in copied)
    await change(
        idle_stack,
        f"insert into messages ({columns}, due_at, waits_for, parked_at) select {columns}, now() - interval '1 day',"
        " (array['paused', 'account_held', null])[number % 3 + 1], now()"
        " from messages, generate_series(1, 2000) number",
    )
    await change(
        idle_stack,
        "insert into attempts (scope_id, message_id, part, account_id, provider, state, sender, lease_until, ask_at)"
        " select m.scope_id, m.id, 0, a.id, 'twilio', 'unknown', '+1', now() - interval '1 hour',"
        " now() + interval '1 hour' from messages m, provider_accounts a"
        " where a.provider = 'twilio' and m.due_at < now() and m.waits_for is null",
    )
    await change(idle_stack, "update provider_accounts set health = 'held', probe_at = 'infinity'")
    await change(idle_stack, "update scopes set paused_at = now()")
    await change(idle_stack, "update messages set wake_due_at = null")
    lost = (await idle_stack.send(SMS))["id"]
    await change(
        idle_stack, "update messages set wake_due_at = null, due_at = now() - interval '1 hour' where id = :id",
        id=key(lost),
    )  # fmt: skip
    assert await idle_stack.sweep() == 1
    await idle_stack.history(lost)
    # Those whose provider should have been asked by now are somebody's business.
    await change(idle_stack, "update attempts set ask_at = now() - interval '10 minutes'")
    assert await idle_stack.sweep() >= 500


async def test_what_is_lost_behind_those_that_are_merely_late_is_found_in_turn(idle_stack: Engine) -> None:
    await idle_stack.send({**SMS, "scheduled_at": "2031-05-01T10:00:00Z"})
    (found,) = await idle_stack.rows("select * from messages")
    copied = ", ".join(f'"{name}"' for name in found if name not in ("id", "due_at", "wake_due_at"))
    await change(
        idle_stack,
        f"insert into messages ({copied}, due_at) select {copied}, now() - interval '1 day'"
        " from messages, generate_series(1, 700)",
    )
    lost = (await idle_stack.send(SMS))["id"]
    await change(
        idle_stack, "update messages set wake_due_at = null, due_at = now() - interval '1 hour' where id = :id",
        id=key(lost),
    )  # fmt: skip
    sweeper = idle_stack.sweeper
    assert [await sweeper.sweep() for _ in range(3)] == [500, 201, 0]
    await idle_stack.history(lost)


async def test_one_kind_of_work_that_fails_or_hangs_keeps_no_other_waiting(
    idle_stack: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = (await idle_stack.send(SMS))["id"]
    await change(idle_stack, "update messages set wake_due_at = now() - interval '1 minute'")

    async def hangs(*_: object) -> None:
        await asyncio.sleep(60)

    async def fails(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(recovery, "LONGEST_LOOK", 3.0)
    monkeypatch.setattr(pending_wakes, "undrained_endpoints", hangs)
    monkeypatch.setattr(parked, "backlogs", fails)
    with pytest.raises(OSError, match=r"^$"):
        await idle_stack.sweep()
    assert (await row(idle_stack, message))["wake_due_at"] is None
