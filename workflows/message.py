"""The workflow of an outbound message: wait until it is due, have it delivered, follow it while more can happen.

It knows no channels and no reasons: `deliver` decides, Postgres leads. It holds ids, enums and times only.

Whoever cancels the workflow, in Temporal's UI say, wants the message cancelled: `withdraw` does it where the API would,
and where it can't the workflow goes on. Temporal delivers one such request to a workflow and drops further ones, so it
stands until it is decided: while a call is open nobody can say yet.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from bellhop.domain.answers import STATUSES, Answer, Next, Refusal, Withdrawal
    from bellhop.temporal import contract
    from bellhop.temporal.search_attributes import STATUS

T = TypeVar("T")

HORIZON = contract.FOLLOWED

RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(seconds=5)
)
"""For what is not a provider's doing: the record cannot be reached, a worker was killed."""

CALL = timedelta(minutes=5)
"""Longer than any provider call and what is tried to write its outcome down: a slow worker is not cut off."""
HEARTBEAT_TIMEOUT = timedelta(seconds=6)
"""An activity that takes longer sends heartbeats; without any for so long, another worker takes over."""

SUMMARIES = {
    contract.DELIVER: "may it go out? send it",
    contract.SETTLE: "is it sent?",
    contract.WITHDRAW: "cancel it, if it still waits",
}
"""What operators read beside an activity."""

NOT_CANCELLED = {
    Refusal.CALL_OPEN: "to be cancelled if the call under way turns out not to have sent it",
    Refusal.SENT: "too late to cancel it",
    Refusal.MAY_BE_SENT: "not cancelled because a provider may have it",
}
"""What they read of a message that they wanted cancelled."""


@workflow.defn(name=contract.MESSAGE_WORKFLOW)
class MessageWorkflow:
    """One outbound message, from its acceptance to its end."""

    def __init__(self) -> None:
        self._asked = False
        self._through: str | None = None
        self._wakes = 0
        self._reported: Answer | None = None
        self._listed: str | None = None
        self._withdrawn_before = False
        self._withdrawal: Withdrawal | None = None

    @workflow.run
    async def run(self, message_id: str, withdraw: bool = False) -> str:
        """`message_id`: the row key. `withdraw`: it was asked to be cancelled while an earlier run of this workflow
        followed it. Returns the status the message ended with."""
        self._withdrawn_before = withdraw
        began_as = workflow.info().typed_search_attributes.get(STATUS)
        self._listed = began_as if began_as not in STATUSES else None
        # Apart, so that a request to cancel interrupts nothing: a call under way would not come back for it.
        following = asyncio.create_task(self._until_closed(message_id))
        with suppress(asyncio.CancelledError):
            return await asyncio.shield(following)
        return await following

    async def _until_closed(self, message_id: str) -> str:
        activity = contract.DELIVER
        while True:
            # Read before asking: a wake that comes while `deliver` looks is not lost.
            wakes, self._reported = self._news(), None
            if activity == contract.DELIVER and self._to_withdraw():
                answer = await self._withdraw(message_id)
            else:
                answer = await self._ask(activity, message_id, Answer)
            self._through = answer.through or self._through
            if answer.next is Next.TRACK:
                if self._to_withdraw():
                    self._withdrawal = Withdrawal(answer, Refusal.SENT)
                answer = await self._follow(answer, wakes)
            elif answer.after > 0:
                answer = await self._pause(answer, wakes)
            if answer.next is Next.CLOSE:
                if self._listed != answer.status:
                    workflow.upsert_search_attributes([STATUS.value_set(answer.status)])
                self._show(answer.status)
                return answer.status
            activity = contract.SETTLE if answer.next is Next.SETTLE else contract.DELIVER
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(args=[message_id, True] if self._to_withdraw() else [message_id])

    def _news(self) -> int:
        """How often somebody wanted the record asked: wakes, and a request to cancel the workflow."""
        return self._wakes + (workflow.cancellation_reason() is not None)

    def _to_withdraw(self) -> bool:
        """Whether somebody wants it cancelled, and that is not decided."""
        if self._withdrawal is not None and self._withdrawal.refused is not Refusal.CALL_OPEN:
            return False
        return self._withdrawn_before or workflow.cancellation_reason() is not None

    async def _withdraw(self, message_id: str) -> Answer:
        self._withdrawal = await self._ask(contract.WITHDRAW, message_id, Withdrawal)
        return self._withdrawal.answer

    def _show(self, status: str, why: str | None = None) -> None:
        """Say in Temporal's UI where it stands."""
        refused = self._withdrawal.refused if self._withdrawal else None
        said = [words for words in (why, NOT_CANCELLED[refused] if refused else None) if words]
        workflow.set_current_details(f"{status}: {'; '.join(said)}" if said else status)

    def _list(self, answer: Answer) -> None:
        """Have Temporal's list of messages say where it stands, where that is worth an event: what stays for long, and
        whatever follows on that. Of a message that takes its usual way the list says `queued` until it closes."""
        word = answer.listed or (answer.status if self._listed is not None else None)
        if word is not None and word != self._listed:
            workflow.upsert_search_attributes([STATUS.value_set(word)])
            self._listed = word

    async def _follow(self, answer: Answer, wakes: int) -> Answer:
        """Follow a sent message through its receipts until there is nothing to wait for, or something to ask."""
        # Where receipts fail to come the provider is asked, at the times `deliver` and `settle` name.
        asks = answer.after > 0
        timer = asyncio.create_task(workflow.sleep(answer.after if asks else HORIZON))
        while answer.next is Next.TRACK:
            self._show(answer.status, "the provider has it; waiting for its receipts")
            self._list(answer)
            if not await self._signalled(wakes, timer):
                return Answer(answer.status, Next.SETTLE if asks else Next.CLOSE)
            if self._news() != wakes:
                answer = Answer(answer.status, Next.AGAIN)
            elif self._reported is not None:
                answer, self._reported = self._reported, None
                if asks and answer.next is Next.TRACK and answer.after <= 0:
                    # What was asked for is known; what is still to come no provider can be asked about.
                    timer.cancel()
                    asks, timer = False, asyncio.create_task(workflow.sleep(HORIZON))
        if answer.next is not Next.CLOSE:
            timer.cancel()
        return answer

    async def _pause(self, answer: Answer, wakes: int) -> Answer:
        """Wait as long as `deliver` said, or until a wake or a receipt makes asking again worth while."""
        why = "an outcome is being settled" if answer.next is Next.SETTLE else "waiting for its time or for its release"
        self._show(answer.status, why)
        self._list(answer)
        timer = asyncio.create_task(workflow.sleep(answer.after))
        if not await self._signalled(wakes, timer):
            return answer
        reported = self._reported or Answer(answer.status, Next.AGAIN)
        if reported.next is not Next.CLOSE:
            timer.cancel()
        return reported

    async def _signalled(self, wakes: int, timer: asyncio.Task[None]) -> bool:
        """True when a wake or a receipt came before `timer` ran out. Callers cancel a timer they go on without; one
        that is left when the workflow ends costs nothing, where cancelling it would cost an event."""

        def reported() -> bool:
            return self._reported is not None or self._news() != wakes

        await workflow.wait_condition(lambda: reported() or timer.done())
        return reported()

    async def _ask(self, activity: str, message_id: str, kind: type[T]) -> T:
        """Ask `deliver`, `settle` or `withdraw`, which answers with a `kind`. The first time as a local activity, in
        the worker that runs this workflow: half of what Temporal costs a message that goes out at once. From then on as
        an ordinary activity: seen by operators, bounded by its queue, retried until it succeeds. Being run twice does
        no harm: the attempt store sees to it."""
        if not self._asked:
            self._asked = True
            try:
                first: T = await workflow.execute_local_activity(
                    activity,
                    message_id,
                    result_type=kind,
                    start_to_close_timeout=CALL,
                    retry_policy=RetryPolicy(maximum_attempts=1),
                )
                return first
            except (ActivityError, ApplicationError) as failed:
                # The SDK raises the one when it happens and the other when it is replayed.
                if is_cancelled_exception(failed):
                    raise
        answer: T = await workflow.execute_activity(
            activity,
            message_id,
            result_type=kind,
            task_queue=contract.providers_queue(self._through),
            start_to_close_timeout=CALL,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RETRY,
            summary=SUMMARIES[activity],
        )
        return answer

    @workflow.signal(name=contract.WAKE)
    def wake(self) -> None:
        """Something changed in the record: ask again."""
        self._wakes += 1

    @workflow.signal(name=contract.RECEIPT_RECORDED)
    def receipt_recorded(self, answer: Answer) -> None:
        """A provider's receipt moved the message on; the record has it already."""
        # Signals overtake one another: "delivered, follow on" may come after "read, close", and must not undo it.
        if self._reported is None or self._reported.next is not Next.CLOSE:
            self._reported = answer
