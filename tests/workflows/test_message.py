"""The story of a message, with a `deliver` and a `settle` that only answer what they are told.

In the sandboxed runner, against a real server: what is not deterministic fails here.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

from bellhop.domain.answers import Answer, Next
from bellhop.temporal import contract
from bellhop.temporal.client import register_search_attributes
from workflows import message
from workflows.message import MessageWorkflow

SENT = Answer("sent", Next.TRACK)
DELIVERED = Answer("delivered", Next.CLOSE)
DELIVERED_MAIL = Answer("delivered", Next.TRACK)
READ = Answer("read", Next.CLOSE)
CANCELLED = Answer("cancelled", Next.CLOSE)
FAILED = Answer("failed", Next.CLOSE)


def silent(seconds: float) -> Answer:
    """Sent; if no receipt comes, `settle` is to ask after so long."""
    return Answer("sent", Next.TRACK, seconds)


def later(seconds: float) -> Answer:
    return Answer("queued", Next.AGAIN, seconds)


def settle(seconds: float) -> Answer:
    return Answer("queued", Next.SETTLE, seconds)


class Ledger:
    """Answers in turn, and remembers what was asked. While `gate` is closed nothing is answered."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.news = asyncio.Condition()

    async def _answer(self, what: str) -> Answer:
        async with self.news:
            self.asked.append(what)
            self.news.notify_all()
        await self.gate.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @activity.defn(name=contract.DELIVER)
    async def deliver(self, message_id: str) -> Answer:
        assert uuid.UUID(message_id)
        return await self._answer("deliver")

    @activity.defn(name=contract.SETTLE)
    async def settle(self, message_id: str) -> Answer:
        return await self._answer("settle")

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: len(self.asked) >= count)


class Story:
    """One message's workflow, and the worker that runs it."""

    def __init__(self, client: Client, ledger: Ledger) -> None:
        self.client = client
        self.ledger = ledger
        self.key = str(uuid.uuid4())
        self.handle: WorkflowHandle[Any, str] = client.get_workflow_handle(f"omsg_{self.key}", result_type=str)

    async def start(self, *, wake: bool = False, delay: float = 0.0) -> None:
        """As the conductor does: `wake` is the signal-with-start that also makes a workflow that is missing."""
        await self.client.start_workflow(
            contract.MESSAGE_WORKFLOW,
            self.key,
            id=self.handle.id,
            task_queue=contract.TASK_QUEUE_WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            start_signal=contract.WAKE if wake else None,
            start_delay=timedelta(seconds=delay) if delay else None,
        )

    async def wake(self) -> None:
        await self.start(wake=True)

    async def receipt(self, answer: Answer) -> None:
        await self.handle.signal(contract.RECEIPT_RECORDED, answer)

    async def ends(self) -> str:
        async with asyncio.timeout(20):
            return await self.handle.result()

    async def until(self, words: str) -> None:
        """Wait until an operator would read these words in Temporal's UI."""
        async with asyncio.timeout(20):
            # A query is all there is.
            while words not in await self.shown():
                await asyncio.sleep(0.02)

    async def timers(self, count: int) -> None:
        """Wait until so many timers were started."""
        async with asyncio.timeout(20):
            while True:
                events = [event.event_type for event in (await self.handle.fetch_history()).events]
                if events.count(EventType.EVENT_TYPE_TIMER_STARTED) >= count:
                    return
                await asyncio.sleep(0.02)

    async def shown(self) -> str:
        return str(await self.handle.query("__temporal_workflow_metadata"))

    async def history(self) -> list[EventType.ValueType]:
        history = await self.handle.fetch_history()
        await replays(history)
        return [event.event_type for event in history.events]


async def replays(history: Any) -> None:
    for runner in (SandboxedWorkflowRunner(), UnsandboxedWorkflowRunner()):
        await Replayer(workflows=[MessageWorkflow], workflow_runner=runner).replay_workflow(history)


@pytest.fixture
async def tell(temporal: Client) -> Callable[..., Any]:
    """`async with tell(answers…) as story`: a worker, and a message that has not been started."""
    await register_search_attributes(temporal)

    @asynccontextmanager
    async def telling(*answers: Answer | Exception, runner: WorkflowRunner | None = None) -> AsyncIterator[Story]:
        ledger = Ledger(*answers)
        runner = runner or SandboxedWorkflowRunner()
        workflows = Worker(
            temporal,
            task_queue=contract.TASK_QUEUE_WORKFLOWS,
            workflows=[MessageWorkflow],
            activities=[ledger.deliver, ledger.settle],
            no_remote_activities=True,
            workflow_runner=runner,
        )
        activities = Worker(
            temporal, task_queue=contract.TASK_QUEUE_PROVIDERS, activities=[ledger.deliver, ledger.settle]
        )
        async with workflows, activities:
            yield Story(temporal, ledger)

    return telling


@pytest.mark.parametrize("answer", [CANCELLED, FAILED, DELIVERED, Answer("gone", Next.CLOSE)])
async def test_close_closes(tell: Callable[..., Any], answer: Answer) -> None:
    async with tell(answer) as story:
        await story.start()
        assert await story.ends() == answer.status
        assert story.ledger.asked == ["deliver"]
        assert len(await story.history()) <= 13


async def test_a_sent_message_is_followed_until_a_receipt_closes_it(tell: Callable[..., Any]) -> None:
    async with tell(SENT) as story:
        await story.start()
        await story.until("waiting for its receipts")
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        events = await story.history()
    assert story.ledger.asked == ["deliver"], "receipts are applied at the door: nobody is asked"
    assert len(events) <= 17
    assert events.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) <= 3
    assert EventType.EVENT_TYPE_TIMER_CANCELED not in events, "it ends anyway: cancelling the horizon is an event more"


async def test_a_mail_is_followed_beyond_delivered_with_one_timer(tell: Callable[..., Any]) -> None:
    async with tell(SENT) as story:
        await story.start()
        await story.until("sent: the provider has it")
        await story.receipt(DELIVERED_MAIL)
        await story.until("delivered: the provider has it")
        await story.receipt(READ)
        assert await story.ends() == "read"
        events = await story.history()
    assert len(events) <= 21
    assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1


async def test_receipts_all_at_once_count_by_what_the_record_says_last(tell: Callable[..., Any]) -> None:
    async with tell(SENT) as story:
        await story.start()
        await story.until("waiting for its receipts")
        await asyncio.gather(*(story.receipt(answer) for answer in (DELIVERED_MAIL, DELIVERED_MAIL, DELIVERED_MAIL)))
        await story.receipt(READ)
        assert await story.ends() == "read"
        await story.history()


async def test_a_receipt_during_deliver_is_seen(tell: Callable[..., Any]) -> None:
    """Of an earlier attempt: the door has applied it, and tells the conductor while `deliver` still looks."""
    async with tell(later(3600)) as story:
        story.ledger.gate.clear()
        await story.start()
        await story.ledger.reach(1)
        await story.receipt(DELIVERED)
        story.ledger.gate.set()
        assert await story.ends() == "delivered"
        await story.history()


async def test_a_wake_during_deliver_is_not_lost(tell: Callable[..., Any]) -> None:
    async with tell(later(3600), CANCELLED) as story:
        story.ledger.gate.clear()
        await story.start()
        await story.ledger.reach(1)
        await story.wake()
        story.ledger.gate.set()
        assert await story.ends() == "cancelled"
        assert story.ledger.asked == ["deliver", "deliver"]
        await story.history()


async def test_a_wake_during_deliver_of_a_sent_message_asks_once_more(tell: Callable[..., Any]) -> None:
    async with tell(SENT, SENT) as story:
        story.ledger.gate.clear()
        await story.start()
        await story.ledger.reach(1)
        await story.wake()
        story.ledger.gate.set()
        await story.ledger.reach(2)
        await story.until("waiting for its receipts")
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        await story.history()


async def test_not_yet_means_asking_again_then(tell: Callable[..., Any]) -> None:
    async with tell(later(0.3), later(0.0), SENT) as story:
        await story.start()
        await story.ledger.reach(3)
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        assert story.ledger.asked == ["deliver"] * 3
        events = await story.history()
    timers = events.count(EventType.EVENT_TYPE_TIMER_STARTED)
    assert timers == 2, "one for the pause, one for the horizon, none for what is due at once"


async def test_rescheduled_to_earlier_while_it_waits(tell: Callable[..., Any]) -> None:
    async with tell(later(3600), later(3600), SENT) as story:
        await story.start()
        await story.until("waiting for its time")
        await story.wake()
        await story.ledger.reach(2)
        # The words are those of the first plan until the second has begun.
        await story.timers(2)
        await story.wake()
        await story.ledger.reach(3)
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        events = await story.history()
    assert events.count(EventType.EVENT_TYPE_TIMER_CANCELED) == 2, "no timer of an earlier plan is left running"


async def test_a_sleeping_message_is_woken_before_its_time_and_costs_nothing_until_then(
    tell: Callable[..., Any],
) -> None:
    async with tell(CANCELLED) as story:
        await story.start(delay=3600)
        events = [event.event_type for event in (await story.handle.fetch_history()).events]
        assert events == [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED]
        await story.wake()
        assert await story.ends() == "cancelled"
        await story.history()


async def test_a_wake_makes_a_workflow_that_is_missing(tell: Callable[..., Any]) -> None:
    async with tell(SENT) as story:
        await story.wake()
        await story.until("waiting for its receipts")
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        assert story.ledger.asked == ["deliver"], "the wake that came with the start is answered by the first asking"


async def test_an_unknown_outcome_is_settled_before_deliver_is_asked_again(tell: Callable[..., Any]) -> None:
    async with tell(settle(0.2), settle(0.2), later(0.0), SENT) as story:
        await story.start()
        await story.ledger.reach(4)
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        assert story.ledger.asked == ["deliver", "settle", "settle", "deliver"]
        await story.history()


async def test_a_receipt_settles_an_unknown_outcome(tell: Callable[..., Any]) -> None:
    async with tell(settle(3600), SENT) as story:
        await story.start()
        await story.until("an outcome is being settled")
        await story.receipt(SENT)
        await story.until("waiting for its receipts")
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        assert "settle" not in story.ledger.asked
        events = await story.history()
    assert EventType.EVENT_TYPE_TIMER_CANCELED in events


async def test_a_wake_while_settling_asks_deliver_which_knows_best(tell: Callable[..., Any]) -> None:
    async with tell(settle(3600), settle(0.0), FAILED) as story:
        await story.start()
        await story.until("an outcome is being settled")
        await story.wake()
        assert await story.ends() == "failed"
        assert story.ledger.asked == ["deliver", "deliver", "settle"]
        await story.history()


async def test_a_wake_of_a_tracked_message_asks_what_has_become_of_it(tell: Callable[..., Any]) -> None:
    async with tell(SENT, CANCELLED) as story:
        await story.start()
        await story.until("waiting for its receipts")
        await story.wake()
        assert await story.ends() == "cancelled"
        events = await story.history()
    assert EventType.EVENT_TYPE_TIMER_CANCELED in events, "the horizon of what is no longer followed"


async def test_a_silent_provider_is_asked_until_its_word_closes_the_story(tell: Callable[..., Any]) -> None:
    async with tell(silent(0.2), silent(0.3), DELIVERED) as story:
        await story.start()
        assert await story.ends() == "delivered"
        assert story.ledger.asked == ["deliver", "settle", "settle"]
        await story.history()


async def test_a_receipt_in_time_spares_the_question(tell: Callable[..., Any]) -> None:
    async with tell(silent(3600)) as story:
        await story.start()
        await story.until("waiting for its receipts")
        await story.receipt(silent(300))
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        events = await story.history()
    assert story.ledger.asked == ["deliver"]
    assert len(events) <= 20
    assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1, "another `sent` moves no question"


async def test_once_a_mail_is_delivered_nobody_is_asked_any_more(tell: Callable[..., Any]) -> None:
    async with tell(silent(6.0)) as story:
        await story.start()
        await story.until("sent: the provider has it")
        await story.receipt(DELIVERED_MAIL)
        await story.until("delivered: the provider has it")
        # Beyond the time of the question that is no longer to be asked.
        await asyncio.sleep(6.1)
        await story.receipt(READ)
        assert await story.ends() == "read"
        events = await story.history()
    assert story.ledger.asked == ["deliver"]
    assert events.count(EventType.EVENT_TYPE_TIMER_CANCELED) == 1


async def test_a_provider_that_cannot_tell_is_asked_no_more(tell: Callable[..., Any]) -> None:
    async with tell(silent(0.2), SENT) as story:
        await story.start()
        await story.ledger.reach(2)
        await story.until("waiting for its receipts")
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        assert story.ledger.asked == ["deliver", "settle"]
        await story.history()


async def test_an_activity_that_fails_is_asked_again_for_ever(tell: Callable[..., Any]) -> None:
    async with tell(ApplicationError("no record"), ApplicationError("no record"), DELIVERED) as story:
        await story.start()
        assert await story.ends() == "delivered"
        assert story.ledger.asked == ["deliver"] * 3
        await story.history()


async def test_after_the_horizon_it_closes_as_it_stands(
    tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message, "HORIZON", timedelta(seconds=6))
    # The sandboxed runner imports the module anew, with its own horizon.
    async with tell(SENT, runner=UnsandboxedWorkflowRunner()) as story:
        await story.start()
        await story.until("waiting for its receipts")
        await story.receipt(DELIVERED_MAIL)
        assert await story.ends() == "delivered"
        events = [event.event_type for event in (await story.handle.fetch_history()).events]
    assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1, "receipts do not move the horizon"
    assert events.count(EventType.EVENT_TYPE_TIMER_FIRED) == 1


async def test_a_long_history_is_continued_as_new(tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    suggested = Info.is_continue_as_new_suggested
    long = 40
    monkeypatch.setattr(
        Info,
        "is_continue_as_new_suggested",
        lambda info: info.get_current_history_length() > long or suggested(info),
    )
    pauses = [later(0.0) for _ in range(12)]
    async with tell(*pauses, SENT, runner=UnsandboxedWorkflowRunner()) as story:
        await story.start()
        first = (await story.handle.describe()).run_id
        await story.ledger.reach(len(pauses) + 1)
        await story.receipt(DELIVERED)
        assert await story.ends() == "delivered"
        run = story.client.get_workflow_handle(story.handle.id, run_id=first)
        events = [event.event_type for event in (await run.fetch_history()).events]
    assert events[-1] == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    assert story.ledger.asked == ["deliver"] * 13


async def test_a_closed_message_is_not_conducted_again(tell: Callable[..., Any]) -> None:
    async with tell(CANCELLED) as story:
        await story.start()
        await story.ends()
        with pytest.raises(Exception, match="already"):
            await story.wake()
        assert story.ledger.asked == ["deliver"]


async def test_terminated_by_an_operator_it_is_over(tell: Callable[..., Any]) -> None:
    async with tell(later(3600)) as story:
        await story.start()
        await story.until("waiting for its time")
        await story.handle.terminate("an operator's mistake")
        with pytest.raises(WorkflowFailureError):
            await story.ends()


def test_a_receipt_that_was_overtaken_does_not_reopen_the_story() -> None:
    """Both signals may come with one workflow task, in either order."""
    story = MessageWorkflow()
    story.receipt_recorded(Answer("read", Next.CLOSE))
    story.receipt_recorded(Answer("delivered", Next.TRACK))
    assert story._reported == Answer("read", Next.CLOSE)
