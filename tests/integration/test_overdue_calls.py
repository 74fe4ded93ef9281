"""A call that was cut off is followed up when its lease ends, whatever its workflow waits behind: here nobody works on
any workflow at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest

from activities import overdue
from activities.messages import MessageActivities
from activities.overdue import keep_following_up
from bellhop.domain.answers import Answer, Next
from bellhop.domain.delivery_ports import Claim, Lookup, LookupKind, LookupResult
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.providers.lease import boottime
from bellhop.store.delivery.attempt_store import AttemptStore, Routes
from bellhop.store.delivery.overdue_calls import OverdueCalls
from worker import call_slots

from .engine import SMS, Engine, key

LEASE_OVER = "update attempts set lease_until = now() - interval '3 seconds' where message_id = :id returning id"


def attempt_store(stack: Engine) -> AttemptStore:
    routes = Routes(stack.settings.bellhop.public_url, stack.settings.bellhop.sandbox_url)
    cipher = stack.settings.bellhop.credential_cipher()
    known = carried(providers())
    return AttemptStore(
        stack.database, stack.settings.delivery, routes, known, cipher, stack.book, stack.dispatcher.wake_endpoints
    )


async def cut_off(stack: Engine, *, arrived: bool, **fields: str) -> str:
    """A message whose worker was killed in its call. `arrived`: after the provider had taken it."""
    message = str((await stack.send({**SMS, **fields}))["id"])
    claimed = await attempt_store(stack).claim(key(message), boottime() + 3)
    assert isinstance(claimed, Claim)
    if arrived:
        await asyncio.to_thread(providers()["twilio"].send, claimed.account, claimed.outgoing)
    return message


@asynccontextmanager
async def following_up(stack: Engine, workers: int = 1) -> AsyncIterator[list[UUID]]:
    """What workers do beside Temporal. Yields the messages whose workflows it wakes."""
    woken: list[UUID] = []
    delivery, slots = stack.settings.delivery, call_slots(stack.settings)
    calls = OverdueCalls(stack.database, delivery.lease_margin, lambda row: woken.append(row.id))
    messages = MessageActivities(
        attempt_store(stack), providers(), *slots, boottime, delivery.lease, delivery.call_timeout
    )
    tasks = [asyncio.create_task(keep_following_up(calls, messages.resolve, every=0.1)) for _ in range(workers)]
    try:
        yield woken
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for each in slots:
            each.close()


async def test_it_is_found_at_its_provider_while_its_lease_counts_until_it_is_over(idle_stack: Engine) -> None:
    stack = idle_stack
    await stack.fault("callback_drop", provider="twilio", count=10)
    message = await cut_off(stack, arrived=True)
    async with following_up(stack, workers=2):
        await asyncio.sleep(0.5)
        (attempt,) = await stack.attempts(message)
        assert attempt["state"] == "in_flight", "it may still be under way"
        await stack.rows(LEASE_OVER, id=key(message))
        await stack.until(message, "sent", seconds=5)
    (attempt,) = await stack.attempts(message)
    assert (attempt["state"], attempt["provider_id"] is not None) == ("accepted", True)
    entries = (await stack.http.get(f"/v1/messaging/{message}/timeline")).json()["data"]
    words = [entry["what"] for entry in entries if entry["what"].startswith("attempt.")]
    assert words == ["attempt.started", "attempt.unknown", "attempt.asked", "attempt.accepted"], "asked once"


async def test_what_did_not_arrive_is_for_its_workflow_again(
    idle_stack: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked as often as ever, with the same pauses; it is not sent here."""
    monkeypatch.setattr(overdue, "AGAIN", 0.1)
    stack = idle_stack
    message = await cut_off(stack, arrived=False)
    await stack.rows(LEASE_OVER, id=key(message))
    async with following_up(stack) as woken, asyncio.timeout(20):
        while (attempt := (await stack.attempts(message))[0])["state"] != "not_sent":
            # As if time passed: its workflow has the first turn for some seconds.
            await stack.rows(
                "update attempts set ask_at = ask_at - interval '6 seconds' where state = 'unknown' returning id"
            )
            await asyncio.sleep(0.1)
        while woken != [key(message)]:
            await asyncio.sleep(0.05)
    assert attempt["asked"] == len(stack.settings.delivery.settle_pauses) - 1
    assert len(await stack.attempts(message)) == 1
    assert await stack.accepted(to=SMS["recipient"]) == []


async def test_each_is_asked_about_as_soon_as_its_account_may_be_asked(idle_stack: Engine) -> None:
    """A killed worker leaves dozens of calls, more than an account is asked at once."""
    stack = idle_stack
    stack.settings.delivery.question_rate = 2.0
    await stack.fault("callback_drop", provider="twilio", count=20)
    messages = [await cut_off(stack, arrived=True, recipient=f"+1305555{4000 + n}") for n in range(6)]
    await stack.rows("update attempts set lease_until = now() - interval '3 seconds' returning id")
    async with following_up(stack), asyncio.timeout(overdue.AGAIN):
        for one in messages:
            await stack.until(one, "sent")


async def test_who_is_to_be_asked_later_or_is_followed_up_in_time_is_left_alone(idle_stack: Engine) -> None:
    stack = idle_stack
    calls = OverdueCalls(stack.database, stack.settings.delivery.lease_margin, stack.dispatcher.woken)
    message = await cut_off(stack, arrived=False)
    assert await calls.overdue(10) == []
    assert not await calls.lapse(key(message)), "its lease is not over"
    await stack.rows(LEASE_OVER, id=key(message))
    assert await calls.overdue(10) == [key(message)]
    assert await calls.lapse(key(message))
    assert not await calls.lapse(key(message)), "once"
    assert await calls.overdue(10) == [], "its workflow may ask first"
    change = "update attempts set ask_at = now() - make_interval(secs => :ago) returning id"
    await stack.rows(change, ago=6.0)
    assert await calls.overdue(10) == [key(message)]
    await stack.rows(change, ago=8 * 86_400.0)
    assert await calls.overdue(10) == [], "nobody will ever know"


async def test_what_was_not_written_needs_no_question(idle_stack: Engine) -> None:
    """Neither where its lease lasts yet, nor where it ended before anybody said so. Of what is known otherwise, and of
    what the message has failed for, nothing changes."""
    stack = idle_stack
    woken: list[UUID] = []
    calls = OverdueCalls(stack.database, stack.settings.delivery.lease_margin, lambda row: woken.append(row.id))
    messages = [await cut_off(stack, arrived=False) for _ in range(4)]
    attempts = [(await stack.attempts(one))[0]["id"] for one in messages]
    _, lapsed, failed, accepted = (key(one) for one in messages)
    for one in (lapsed, failed):
        await stack.rows(LEASE_OVER, id=one)
        assert await calls.lapse(one)
    await stack.rows("update messages set stage = 'gave_up' where id = :id returning id", id=failed)
    await stack.rows("update attempts set state = 'accepted' where message_id = :id returning id", id=accepted)
    for attempt in attempts:
        await calls.not_written(attempt)
    states = [(await stack.attempts(one))[0]["state"] for one in messages]
    assert states == ["not_sent", "not_sent", "unknown", "accepted"]
    assert woken == [key(one) for one in messages[:2]]
    assert isinstance(await attempt_store(stack).claim(lapsed, boottime() + 3), Claim), "it goes out again"


async def test_two_who_ask_at_the_same_time_count_as_one(idle_stack: Engine) -> None:
    """Absent is what is not there for as long as the pauses between the questions take together."""
    stack = idle_stack
    store, message = attempt_store(stack), await cut_off(stack, arrived=False)
    await stack.rows(LEASE_OVER, id=key(message))
    assert await OverdueCalls(stack.database, stack.settings.delivery.lease_margin, lambda _: None).lapse(key(message))
    asked = []
    for _ in range(2):
        asked.append(await store.prepare_lookup(key(message)))
        await stack.rows("update attempts set ask_at = now() returning id")
    for lookup in asked:
        assert isinstance(lookup, Lookup)
        await store.record_lookup(lookup, LookupResult(LookupKind.ABSENT))
    assert (await stack.attempts(message))[0]["asked"] == 1
    assert isinstance(again := await store.prepare_lookup(key(message)), Answer)
    assert again.next is Next.SETTLE, "after the pause, as ever"
