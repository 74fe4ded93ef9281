"""The workflow that has a guest's message looked at for what they want: apart from the message, so that nothing waits
for it."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.temporal.contract import DETECT, INTENTS_WORKFLOW, TASK_QUEUE_INTENTS

DETECT_TIMEOUT = timedelta(seconds=60)
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)


@workflow.defn(name=INTENTS_WORKFLOW)
class IntentsWorkflow:
    """One per guest's message."""

    @workflow.run
    async def run(self, message: str) -> int:
        """Have it looked at. `message`: the row's key. Returns how much was found."""
        found: int = await workflow.execute_activity(
            DETECT,
            message,
            result_type=int,
            task_queue=TASK_QUEUE_INTENTS,
            start_to_close_timeout=DETECT_TIMEOUT,
            retry_policy=RETRY,
        )
        return found
