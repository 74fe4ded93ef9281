"""The workflow that releases parked messages: while some can go on it has them released at their pace; then it ends
until woken."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.temporal.contract import RELEASE, RELEASE_WORKFLOW, TASK_QUEUE_RELEASES, WAKE

# It works for a quarter of a minute; one whose heartbeats stop is replaced soon.
RELEASE_TIMEOUT = timedelta(seconds=60)
HEARTBEAT_TIMEOUT = timedelta(seconds=6)
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)


@workflow.defn(name=RELEASE_WORKFLOW)
class ReleaseWorkflow:
    """One per scope and channel. Started and woken by the same signal-with-start."""

    def __init__(self) -> None:
        self._wakes = 0

    @workflow.signal(name=WAKE)
    def wake(self, _scope: str | None = None, _channel: str | None = None) -> None:
        """What parked messages waited for is over."""
        self._wakes += 1

    @workflow.run
    async def run(self, scope: str, channel: str) -> None:
        """Release until nothing can go on. `scope`: the row's key."""
        workflow.set_current_details("Releasing what was parked")
        while True:
            # Read before: a wake meanwhile may be about what was not seen.
            seen = self._wakes
            more: bool = await workflow.execute_activity(
                RELEASE,
                args=[scope, channel],
                result_type=bool,
                task_queue=TASK_QUEUE_RELEASES,
                start_to_close_timeout=RELEASE_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RETRY,
            )
            if not more and self._wakes == seen:
                return
            if workflow.info().is_continue_as_new_suggested():
                # A wake that was counted here is answered by the new run, which begins by looking.
                workflow.continue_as_new(args=[scope, channel])
