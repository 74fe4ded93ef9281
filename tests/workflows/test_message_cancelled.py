"""Somebody cancels the workflow of a message in Temporal: the message is cancelled, or the workflow goes on and says
why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.workflow import Info

from bellhop.domain.answers import Answer, Next, Refusal
from tests.workflows.message_kit import CANCELLED, DELIVERED, FAILED, SENT, MessageRun, later, refused, settle

OPEN = Refusal.CALL_OPEN


async def completed(run: MessageRun) -> bool:
    return (await run.handle.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_while_it_waits_the_message_is_cancelled(execute: Callable[..., Any]) -> None:
    async with execute(later(3600), CANCELLED) as run:
        await run.start()
        await run.until("waiting for its time")
        await run.handle.cancel()
        assert await run.ends() == "cancelled"
        assert run.scripted.asked == ["deliver", "withdraw"]
        assert await completed(run)
        await run.history()


async def test_while_it_sleeps_it_is_asked_before_anything_is_sent(execute: Callable[..., Any]) -> None:
    """Before its time nothing of ours has run; the request starts it, and nothing else is asked first."""
    async with execute(CANCELLED) as run:
        await run.start(delay=3600)
        await run.handle.cancel()
        assert await run.ends() == "cancelled"
        assert run.scripted.asked == ["withdraw"]
        await run.history()


async def test_while_it_is_asked_whether_it_may_go_out_nothing_is_interrupted(execute: Callable[..., Any]) -> None:
    async with execute(later(3600), CANCELLED) as run:
        run.scripted.gate.clear()
        await run.start()
        await run.scripted.reach(1)
        await run.handle.cancel()
        run.scripted.gate.set()
        assert await run.ends() == "cancelled"
        assert run.scripted.asked == ["deliver", "withdraw"]
        events = await run.history()
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED not in events


async def test_an_activity_under_way_is_not_interrupted(execute: Callable[..., Any]) -> None:
    async with execute(later(0.5), later(3600), CANCELLED) as run:
        await run.start()
        await run.scripted.reach(1)
        run.scripted.gate.clear()
        await run.scripted.reach(2)
        await run.handle.cancel()
        run.scripted.gate.set()
        assert await run.ends() == "cancelled"
        events = await run.history()
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED not in events
    assert run.scripted.asked == ["deliver", "deliver", "withdraw"]


async def test_one_that_a_provider_has_is_followed_on_and_says_so(execute: Callable[..., Any]) -> None:
    async with execute(SENT, refused(SENT, Refusal.SENT)) as run:
        await run.start()
        await run.until("waiting for its receipts")
        await run.handle.cancel()
        await run.until("too late to cancel it")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver", "withdraw"]
        assert "delivered: too late to cancel it" in await run.shown()
        await run.history()


async def test_while_a_call_is_open_it_waits_and_is_cancelled_where_nothing_left(execute: Callable[..., Any]) -> None:
    """Temporal drops a second request: this one has to stand until it can be decided."""
    answers = (settle(3600), refused(settle(0.2), OPEN), settle(0.2), later(0.0), CANCELLED)
    async with execute(*answers) as run:
        await run.start()
        await run.until("an outcome is being settled")
        await run.handle.cancel()
        assert await run.ends() == "cancelled"
        assert run.scripted.asked == ["deliver", "withdraw", "settle", "settle", "withdraw"]
        await run.history()


async def test_while_a_call_is_open_it_says_what_it_waits_for(execute: Callable[..., Any]) -> None:
    async with execute(settle(3600), refused(settle(3600), OPEN), refused(SENT, Refusal.SENT)) as run:
        await run.start()
        await run.until("an outcome is being settled")
        await run.handle.cancel()
        await run.until("to be cancelled if the call under way turns out not to have sent it")
        await run.receipt(SENT)
        await run.until("too late to cancel it")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver", "withdraw", "withdraw"]
        await run.history()


async def test_what_settling_finds_sent_is_too_late_to_cancel(execute: Callable[..., Any]) -> None:
    async with execute(settle(3600), refused(settle(0.1), OPEN), SENT) as run:
        await run.start()
        await run.until("an outcome is being settled")
        await run.handle.cancel()
        await run.until("too late to cancel it")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver", "withdraw", "settle"]
        await run.history()


async def test_what_may_be_sent_goes_on_as_before(execute: Callable[..., Any]) -> None:
    again = refused(Answer("queued", Next.AGAIN), Refusal.MAY_BE_SENT)
    async with execute(later(3600), again, SENT) as run:
        await run.start()
        await run.until("waiting for its time")
        await run.handle.cancel()
        await run.until("not cancelled because a provider may have it")
        await run.receipt(DELIVERED)
        assert await run.ends() == "delivered"
        assert run.scripted.asked == ["deliver", "withdraw", "deliver"]
        await run.history()


async def test_what_is_over_closes(execute: Callable[..., Any]) -> None:
    async with execute(later(3600), refused(FAILED, Refusal.SENT)) as run:
        await run.start()
        await run.until("waiting for its time")
        await run.handle.cancel()
        assert await run.ends() == "failed"
        await run.history()


async def test_a_request_outlives_a_long_history(execute: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    suggested = Info.is_continue_as_new_suggested
    monkeypatch.setattr(
        Info,
        "is_continue_as_new_suggested",
        lambda info: info.get_current_history_length() > 12 or suggested(info),
    )
    answers = (later(3600), refused(later(0.0), OPEN), CANCELLED)
    async with execute(*answers, runner=UnsandboxedWorkflowRunner()) as run:
        await run.start()
        await run.until("waiting for its time")
        first = (await run.handle.describe()).run_id
        await run.handle.cancel()
        assert await run.ends() == "cancelled"
        assert run.scripted.asked == ["deliver", "withdraw", "withdraw"]
        assert (await run.handle.describe()).run_id != first


async def test_a_worker_that_forgets_it_takes_it_up_again(execute: Callable[..., Any]) -> None:
    """Evicted from the worker's memory while a request stands: nothing of it is left behind, and it goes on."""
    async with execute(settle(3600), refused(settle(3600), OPEN)) as run:
        await run.start()
        await run.until("an outcome is being settled")
        await run.handle.cancel()
        await run.until("to be cancelled if")
    async with execute() as other:
        other.scripted.key, other.scripted.answers = run.key, [CANCELLED]
        await run.wake()
        assert await run.ends() == "cancelled"
        await run.history()
