"""What the tests of the message workflow share: activities whose answers a test chooses, and one workflow to run.

In the sandboxed runner, against a real server: what is not deterministic fails here.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from bellhop.domain.answers import Answer, Next, Refusal, Withdrawal
from bellhop.temporal import contract
from bellhop.temporal.search_attributes import STATUS
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


def refused(answer: Answer, why: Refusal) -> Withdrawal:
    return Withdrawal(answer, why)


def later(seconds: float) -> Answer:
    return Answer("queued", Next.AGAIN, seconds)


def settle(seconds: float) -> Answer:
    return Answer("queued", Next.SETTLE, seconds)


class ScriptedActivities:
    """Answers in turn about one message, and remembers what was asked. While `gate` is closed nothing is answered.

    The queue may still have messages of an earlier test of this process, whose database is gone: those are closed.
    """

    def __init__(self, *answers: Answer | Withdrawal | Exception) -> None:
        self.key = str(uuid.uuid4())
        self.answers = list(answers)
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.news = asyncio.Condition()

    async def _answer(self, what: str, message_id: str) -> Any:
        if message_id != self.key:
            assert uuid.UUID(message_id)
            return Answer("gone", Next.CLOSE)
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
        return await self._answer("deliver", message_id)

    @activity.defn(name=contract.SETTLE)
    async def settle(self, message_id: str) -> Answer:
        return await self._answer("settle", message_id)

    @activity.defn(name=contract.WITHDRAW)
    async def withdraw(self, message_id: str) -> Withdrawal:
        answer = await self._answer("withdraw", message_id)
        return answer if isinstance(answer, Withdrawal) else Withdrawal(answer)

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: len(self.asked) >= count)


class MessageRun:
    """One message's workflow, and the worker that runs it."""

    def __init__(self, client: Client, scripted: ScriptedActivities) -> None:
        self.client = client
        self.scripted = scripted
        self.key = scripted.key
        self.handle: WorkflowHandle[Any, str] = client.get_workflow_handle(f"omsg_{self.key}", result_type=str)

    async def start(self, *, wake: bool = False, delay: float = 0.0, listed: str = "queued") -> None:
        """As the dispatcher does: `wake` is the signal-with-start that also makes a workflow that is missing."""
        await self.client.start_workflow(
            contract.MESSAGE_WORKFLOW,
            self.key,
            id=self.handle.id,
            task_queue=contract.TASK_QUEUE_WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            start_signal=contract.WAKE if wake else None,
            start_delay=timedelta(seconds=delay) if delay else None,
            search_attributes=TypedSearchAttributes([SearchAttributePair(STATUS, listed)]),
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
