"""The workflow of recovery: one sweep, started by a Temporal Schedule, harmless at any moment and twice."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.temporal import contract


@workflow.defn(name=contract.SWEEP_WORKFLOW)
class SweepWorkflow:
    """Look once for what was left behind."""

    @workflow.run
    async def run(self) -> int:
        """Returns how many messages and endpoints were woken."""
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
