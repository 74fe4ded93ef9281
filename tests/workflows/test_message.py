"""The message workflow: waiting, waking, asking again, ending. Its activities answer as each test chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.workflow import Info

from bellhop.domain.answers import Answer, Next
from tests.workflows.message_kit import (
    CANCELLED,
    DELIVERED,
    FAILED,
    SENT,
    later,
    settle,
)


@pytest.mark.parametrize("answer", [CANCELLED, FAILED, DELIVERED, Answer("gone", Next.CLOSE)])
async def test_close_closes(execute: Callable[..., Any], answer: Answer) -> None:
    async with execute(answer) as run:
        await run.start()
        assert await run.ends() == answer.status
        assert run.scripted.asked == ["deliver"]
        assert len(await run.history()) <= 13


async def test_a_wake_during_deliver_is_not_lost(execute: Callable[..., Any]) -> None:
    async with execute(later(3600), CANCELLED) as run:
        run.scripted.gate.clear()
        await run.start()
        await run.scripted.reach(1)
        await run.wake()
        run.scripted.gate.set()
        assert await run.ends() == "cancelled"
        assert run.scripted.asked == ["deliver", "deliver"]
        await run.history()


async def test_a_wake_during_deliver_of_a_sent_message_asks_once_more(execute: Callable[..., Any]) -> None:
    async with execute(SENT, SENT) as run:
        run.scripted.gate.clear()
        await run.start()
        await run.scripted.reach(1)
        await run.wake()
        run.scripted.gate.set()
        await run.scripted.reach(2)
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        await run.history()


async def test_not_yet_means_asking_again_then(execute: Callable[..., Any]) -> None:
    async with execute(later(0.3), later(0.0), SENT) as run:
        await run.start()
        await run.scripted.reach(3)
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver"] * 3
        events = await run.history()
    timers = events.count(EventType.EVENT_TYPE_TIMER_STARTED)
    assert timers == 2, "one for the pause, one for the horizon, none for what is due at once"


async def test_rescheduled_to_earlier_while_it_waits(execute: Callable[..., Any]) -> None:
    async with execute(later(3600), later(3600), SENT) as run:
        await run.start()
        await run.until("waiting for its time")
        await run.wake()
        await run.scripted.reach(2)
        # The words are those of the first plan until the second has begun.
        await run.timers(2)
        await run.wake()
        await run.scripted.reach(3)
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        events = await run.history()
    assert events.count(EventType.EVENT_TYPE_TIMER_CANCELED) == 2, "no timer of an earlier plan is left running"


async def test_a_sleeping_message_is_woken_before_its_time_and_costs_nothing_until_then(
    execute: Callable[..., Any],
) -> None:
    async with execute(CANCELLED) as run:
        await run.start(delay=3600)
        events = [event.event_type for event in (await run.handle.fetch_history()).events]
        assert events == [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED]
        await run.wake()
        assert await run.ends() == "cancelled"
        await run.history()


async def test_a_wake_makes_a_workflow_that_is_missing(execute: Callable[..., Any]) -> None:
    async with execute(SENT) as run:
        await run.wake()
        await run.until("waiting for its receipts")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver"], "the wake that came with the start is answered by the first asking"


async def test_an_unknown_outcome_is_settled_before_deliver_is_asked_again(execute: Callable[..., Any]) -> None:
    async with execute(settle(0.2), settle(0.2), later(0.0), SENT) as run:
        await run.start()
        await run.scripted.reach(4)
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver", "settle", "settle", "deliver"]
        await run.history()


async def test_a_wake_while_settling_asks_deliver_which_knows_best(execute: Callable[..., Any]) -> None:
    async with execute(settle(3600), settle(0.0), FAILED) as run:
        await run.start()
        await run.until("an outcome is being settled")
        await run.wake()
        assert await run.ends() == "failed"
        assert run.scripted.asked == ["deliver", "deliver", "settle"]
        await run.history()


async def test_a_wake_of_a_tracked_message_asks_what_has_become_of_it(execute: Callable[..., Any]) -> None:
    async with execute(SENT, CANCELLED) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await run.wake()
        assert await run.ends() == "cancelled"
        events = await run.history()
    assert EventType.EVENT_TYPE_TIMER_CANCELED in events, "the horizon of what is no longer followed"


async def test_an_activity_that_fails_is_asked_again_for_ever(execute: Callable[..., Any]) -> None:
    async with execute(ApplicationError("no record"), ApplicationError("no record"), DELIVERED) as run:
        await run.start()
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver"] * 3
        await run.history()


async def test_a_long_history_is_continued_as_new(execute: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    suggested = Info.is_continue_as_new_suggested
    long = 40
    monkeypatch.setattr(
        Info,
        "is_continue_as_new_suggested",
        lambda info: info.get_current_history_length() > long or suggested(info),
    )
    pauses = [later(0.0) for _ in range(12)]
    async with execute(*pauses, SENT, runner=UnsandboxedWorkflowRunner()) as run:
        await run.start()
        first = (await run.handle.describe()).run_id
        await run.scripted.reach(len(pauses) + 1)
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        begun = run.client.get_workflow_handle(run.handle.id, run_id=first)
        events = [event.event_type for event in (await begun.fetch_history()).events]
    assert events[-1] == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    assert run.scripted.asked == ["deliver"] * 13


async def test_a_closed_message_gets_no_second_workflow(execute: Callable[..., Any]) -> None:
    async with execute(CANCELLED) as run:
        await run.start()
        await run.ends()
        with pytest.raises(Exception, match="already"):
            await run.wake()
        assert run.scripted.asked == ["deliver"]


async def test_terminated_by_an_operator_it_is_over(execute: Callable[..., Any]) -> None:
    async with execute(later(3600)) as run:
        await run.start()
        await run.until("waiting for its time")
        await run.handle.terminate("an operator's mistake")
        with pytest.raises(WorkflowFailureError):
            await run.ends()
