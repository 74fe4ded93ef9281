"""The workflow of a broadcast: while there is something to do it has it done; it waits for its time, and ends when
nothing is left until somebody changes it. What it does and how far it is, the record says."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.temporal.contract import BROADCAST_WORKFLOW, FEED_BROADCAST, TASK_QUEUE_BROADCASTS, WAKE

# It works for a quarter of a minute, and its last step may take as long as the database lets it.
FEED_TIMEOUT = timedelta(seconds=90)
HEARTBEAT_TIMEOUT = timedelta(seconds=6)
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    # A long activity that is killed often counts its tries: its next one is not to wait for a minute.
    maximum_interval=timedelta(seconds=5),
)


@workflow.defn(name=BROADCAST_WORKFLOW)
class BroadcastWorkflow:
    """One per broadcast. Started and woken by the same signal-with-start."""

    def __init__(self) -> None:
        self._wakes = 0

    @workflow.signal(name=WAKE)
    def wake(self) -> None:
        """It was started, paused, resumed or cancelled."""
        self._wakes += 1

    @workflow.run
    async def run(self, broadcast: str) -> None:
        """Go on until there is nothing to do. `broadcast`: the row's key."""
        workflow.set_current_details("Gives its recipients their messages, one after the other")
        while True:
            # Read before: a wake meanwhile may be about what was not seen.
            seen = self._wakes
            wait: float | None = await workflow.execute_activity(
                FEED_BROADCAST,
                broadcast,
                result_type=float | None,  # type: ignore[arg-type]
                task_queue=TASK_QUEUE_BROADCASTS,
                start_to_close_timeout=FEED_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RETRY,
            )
            if wait is None and self._wakes == seen:
                return
            if wait:
                await self._woken_within(wait, seen)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(broadcast)

    async def _woken_within(self, seconds: float, seen: int) -> None:
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._wakes != seen, timeout=timedelta(seconds=seconds))
