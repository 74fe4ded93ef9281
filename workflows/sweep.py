"""The workflow of recovery: one sweep for one kind of work, started by that kind's own Temporal Schedule, harmless at
any moment and twice.

Where it ended is its result, and the next one that the schedule starts goes on there: whichever worker runs it, and
however often workers start anew, nobody is looked at again and again in front of somebody who is never reached.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.domain.answers import Swept
    from bellhop.temporal import contract

LOOKS = 10
"""How often one sweep looks on where there is more, at most; the next sweep goes on."""


@workflow.defn(name=contract.SWEEP_WORKFLOW)
class SweepWorkflow:
    """Look for what was left behind."""

    @workflow.run
    async def run(self, kind: str | None = None) -> int | Swept:
        """`kind`: a SweepKind. Returns what was found of it. Without one, as of old and by hand: look once for every
        kind, and return how much was woken."""
        if kind is None:
            return await self._every_kind()
        last = workflow.get_last_completion_result(Swept) if workflow.has_last_completion_result() else None
        swept = await self._look(kind, last.next if last else None)
        for _ in range(LOOKS - 1):
            if not swept.at_once:
                break
            more = await self._look(kind, swept.next)
            swept = Swept(swept.woken + more.woken, swept.seconds + more.seconds, more.next, more.at_once)
        return swept

    async def _look(self, kind: str, after: str | None) -> Swept:
        """As a local activity: half the events, and a killed worker is noticed by the workflow task's time-out."""
        swept: Swept = await workflow.execute_local_activity(
            contract.SWEEP_KIND,
            args=[kind, after],
            result_type=Swept,
            start_to_close_timeout=timedelta(seconds=60),
            # The next sweep comes anyway.
            retry_policy=RetryPolicy(maximum_attempts=2),
        )
        return swept

    async def _every_kind(self) -> int:
        woken: int = await workflow.execute_activity(
            contract.SWEEP,
            result_type=int,
            task_queue=contract.TASK_QUEUE_RECOVERY,
            start_to_close_timeout=timedelta(minutes=5),
            # While one sweep runs, no other does: one whose worker was killed must not keep the next ones waiting.
            heartbeat_timeout=timedelta(seconds=6),
            # The next sweep comes anyway.
            retry_policy=RetryPolicy(maximum_attempts=2),
            summary="wake what was left behind",
        )
        return woken
