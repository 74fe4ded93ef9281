"""The workflow of a webhook endpoint: while deliveries are pending it has them drained; then it ends until woken."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.domain.answers import Drained
    from bellhop.temporal.contract import DRAIN, ENDPOINT_WORKFLOW, TASK_QUEUE_WEBHOOKS, WAKE

# A drain takes at most ten minutes (its time to work) and one last POST; one whose heartbeats stop is replaced soon.
DRAIN_TIMEOUT = timedelta(minutes=12)
HEARTBEAT_TIMEOUT = timedelta(seconds=6)
# What fails here is the record or the worker, never the customer's endpoint: that is an ordinary answer of `drain`.
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    # A long activity that is killed often counts its tries: its next one is not to wait for a minute.
    maximum_interval=timedelta(seconds=5),
)


@workflow.defn(name=ENDPOINT_WORKFLOW)
class EndpointWorkflow:
    """One per endpoint, its id is the endpoint's. Started and woken by the same signal-with-start."""

    def __init__(self) -> None:
        self._wakes = 0

    @workflow.signal(name=WAKE)
    def wake(self, _endpoint: str | None = None) -> None:
        """A delivery is pending, and at that moment nobody was draining."""
        self._wakes += 1

    @workflow.run
    async def run(self, endpoint: str) -> None:
        """Drain until nothing is pending. `endpoint`: the row's key."""
        while True:
            # Read before the drain: a wake during it may be about a row that the drain did not see.
            seen = self._wakes
            workflow.set_current_details("Draining")
            drained = await workflow.execute_activity(
                DRAIN,
                endpoint,
                result_type=Drained,
                task_queue=TASK_QUEUE_WEBHOOKS,
                start_to_close_timeout=DRAIN_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RETRY,
            )
            if self._wakes == seen:
                if drained.after is None:
                    workflow.set_current_details("No delivery is pending")
                    return
                await self._wait(seen, drained.after)
            if workflow.info().is_continue_as_new_suggested():
                # A wake that was counted here but not answered is answered by the new run, which begins with a drain.
                workflow.continue_as_new(endpoint)

    async def _wait(self, seen: int, after: float) -> None:
        if after <= 0:
            return
        due = workflow.now() + timedelta(seconds=after)
        workflow.set_current_details(
            f"Waiting to be woken, or until the next delivery is due: {due:%Y-%m-%dT%H:%M:%SZ}"
        )
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._wakes != seen, timeout=timedelta(seconds=after))
