"""The message workflow once a provider has the message: followed by receipts, by questions, and until the horizon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.worker import UnsandboxedWorkflowRunner

from bellhop.domain.answers import WAITING, Answer, Next
from bellhop.temporal.search_attributes import STATUS
from tests.workflows.message_kit import (
    DELIVERED,
    DELIVERED_MAIL,
    READ,
    SENT,
    MessageRun,
    later,
    settle,
    silent,
)
from workflows import message
from workflows.message import MessageWorkflow


async def test_a_sent_message_is_followed_until_a_receipt_closes_it(execute: Callable[..., Any]) -> None:
    async with execute(SENT) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        events = await run.history()
    assert run.scripted.asked == ["deliver"], "receipts are applied by the API: nobody is asked"
    assert len(events) <= 17
    assert events.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) <= 3
    assert EventType.EVENT_TYPE_TIMER_CANCELED not in events, "it ends anyway: cancelling the horizon is an event more"


async def test_a_mail_is_followed_beyond_delivered_with_one_timer(execute: Callable[..., Any]) -> None:
    async with execute(SENT) as run:
        await run.start()
        await run.until("sent: the provider has it")
        await run.receipt(DELIVERED_MAIL)
        await run.until("delivered: the provider has it")
        await run.receipt(READ)
        assert await run.ends() == "read"
        events = await run.history()
    assert len(events) <= 21
    assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1


async def test_receipts_all_at_once_count_by_what_the_record_says_last(execute: Callable[..., Any]) -> None:
    async with execute(SENT) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await asyncio.gather(*(run.receipt(answer) for answer in (DELIVERED_MAIL, DELIVERED_MAIL, DELIVERED_MAIL)))
        await run.receipt(READ)
        assert await run.ends() == "read"
        await run.history()


async def test_a_receipt_during_deliver_is_seen(execute: Callable[..., Any]) -> None:
    """Of an earlier attempt: the API has applied it, and signals the workflow while `deliver` still looks."""
    async with execute(later(3600)) as run:
        run.scripted.gate.clear()
        await run.start()
        await run.scripted.reach(1)
        await run.receipt(DELIVERED)
        run.scripted.gate.set()
        assert await run.ends() == "delivered"
        await run.history()


async def test_a_receipt_settles_an_unknown_outcome(execute: Callable[..., Any]) -> None:
    async with execute(settle(3600), SENT) as run:
        await run.start()
        await run.until("an outcome is being settled")
        await run.receipt(SENT)
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert "settle" not in run.scripted.asked
        events = await run.history()
    assert EventType.EVENT_TYPE_TIMER_CANCELED in events


async def test_a_silent_provider_is_asked_until_its_answer_closes_the_workflow(execute: Callable[..., Any]) -> None:
    async with execute(silent(0.2), silent(0.3), DELIVERED) as run:
        await run.start()
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver", "settle", "settle"]
        await run.history()


async def test_a_receipt_in_time_spares_the_question(execute: Callable[..., Any]) -> None:
    async with execute(silent(3600)) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await run.receipt(silent(300))
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        events = await run.history()
    assert run.scripted.asked == ["deliver"]
    assert len(events) <= 20
    assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1, "another `sent` moves no question"


async def test_once_a_mail_is_delivered_nobody_is_asked_any_more(execute: Callable[..., Any]) -> None:
    async with execute(silent(6.0)) as run:
        await run.start()
        await run.until("sent: the provider has it")
        await run.receipt(DELIVERED_MAIL)
        await run.until("delivered: the provider has it")
        # Beyond the time of the question that is no longer to be asked.
        await asyncio.sleep(6.1)
        await run.receipt(READ)
        assert await run.ends() == "read"
        events = await run.history()
    assert run.scripted.asked == ["deliver"]
    assert events.count(EventType.EVENT_TYPE_TIMER_CANCELED) == 1


async def test_a_provider_that_cannot_tell_is_asked_no_more(execute: Callable[..., Any]) -> None:
    async with execute(silent(0.2), SENT) as run:
        await run.start()
        await run.scripted.reach(2)
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver", "settle"]
        await run.history()


async def test_after_the_horizon_it_closes_as_it_stands(
    execute: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message, "HORIZON", timedelta(seconds=6))
    # The sandboxed runner imports the module anew, with its own horizon.
    async with execute(SENT, runner=UnsandboxedWorkflowRunner()) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED_MAIL)
        assert await run.ends() == "delivered"
        events = [event.event_type for event in (await run.handle.fetch_history()).events]
    assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1, "receipts do not move the horizon"
    assert events.count(EventType.EVENT_TYPE_TIMER_FIRED) == 1


def test_a_receipt_that_was_overtaken_does_not_reopen_the_workflow() -> None:
    """Both signals may come with one workflow task, in either order."""
    run = MessageWorkflow()
    run.receipt_recorded(Answer("read", Next.CLOSE))
    run.receipt_recorded(Answer("delivered", Next.TRACK))
    assert run._reported == Answer("read", Next.CLOSE)


# --- what Temporal's list says ---

UPSERT = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES


async def listed(run: MessageRun) -> list[str]:
    """What its list said, in turn, after what it said at the start."""
    events = (await run.handle.fetch_history()).events
    return [
        json.loads(
            event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields[STATUS.name].data
        )
        for event in events
        if event.event_type == UPSERT
    ]


async def test_a_message_on_its_usual_way_is_listed_anew_at_its_end_only(execute: Callable[..., Any]) -> None:
    async with execute(SENT) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert await listed(run) == ["delivered"]


async def test_what_stays_for_long_is_listed_once(execute: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "HORIZON", timedelta(seconds=1))
    delivered = replace(DELIVERED_MAIL, listed="delivered")
    async with execute(SENT, runner=UnsandboxedWorkflowRunner()) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await run.receipt(delivered)
        assert await run.ends() == "delivered"
        assert await listed(run) == ["delivered"], "what its end says is in the list already"


async def test_what_follows_on_a_status_that_was_listed_is_listed_too(execute: Callable[..., Any]) -> None:
    parked = replace(later(3600), listed="paused")
    async with execute(parked, parked, later(0.01), SENT) as run:
        await run.start()
        for times in (1, 2):
            await run.timers(times)
            await run.wake()
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        await run.history()
        assert await listed(run) == ["paused", "queued", "sent", "delivered"]


async def test_a_message_that_waited_for_its_time_is_listed_as_sent(execute: Callable[..., Any]) -> None:
    async with execute(SENT) as run:
        await run.start(delay=0.1, listed=WAITING)
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        await run.history()
        assert await listed(run) == ["sent", "delivered"]
