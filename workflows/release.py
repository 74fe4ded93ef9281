"""The workflows that release parked messages: while some can go on they have them released at their pace; then they end
until woken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.temporal.contract import (
        PACED_RELEASE_WORKFLOW,
        RELEASE,
        RELEASE_PACED,
        RELEASE_WORKFLOW,
        TASK_QUEUE_PACES,
        TASK_QUEUE_RELEASES,
        WAKE,
    )

# It works for a quarter of a minute, and where each sender has its own for three; one whose heartbeats stop is replaced
# soon.
RELEASE_TIMEOUT = timedelta(seconds=60)
PACED_RELEASE_TIMEOUT = timedelta(seconds=120)
HEARTBEAT_TIMEOUT = timedelta(seconds=6)
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    # A long activity that is killed often counts its tries: its next one is not to wait for a minute.
    maximum_interval=timedelta(seconds=5),
)


async def _until_nothing_is_left(wakes: Callable[[], int], release: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it ended because its history is long: the next run begins by looking, which answers every wake."""
    while True:
        # Read before: a wake meanwhile may be about what was not seen.
        seen = wakes()
        more = await release()
        if not more and wakes() == seen:
            return False
        if workflow.info().is_continue_as_new_suggested():
            return True


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

        async def release() -> bool:
            more: bool = await workflow.execute_activity(
                RELEASE,
                args=[scope, channel],
                result_type=bool,
                task_queue=TASK_QUEUE_RELEASES,
                start_to_close_timeout=RELEASE_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RETRY,
            )
            return more

        if await _until_nothing_is_left(lambda: self._wakes, release):
            workflow.continue_as_new(args=[scope, channel])


@workflow.defn(name=PACED_RELEASE_WORKFLOW)
class PacedReleaseWorkflow:
    """One per sender that has a rate, whosever it is. Started and woken by the same signal-with-start."""

    def __init__(self) -> None:
        self._wakes = 0

    @workflow.signal(name=WAKE)
    def wake(self) -> None:
        """Messages wait for their turn."""
        self._wakes += 1

    @workflow.run
    async def run(self, pace: str) -> None:
        """Give out turns until nobody waits for one. `pace`: the row's key."""
        workflow.set_current_details("Releasing what waits for the sender's pace")

        async def release() -> bool:
            more: bool = await workflow.execute_activity(
                RELEASE_PACED,
                pace,
                result_type=bool,
                task_queue=TASK_QUEUE_PACES,
                start_to_close_timeout=PACED_RELEASE_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RETRY,
            )
            return more

        if await _until_nothing_is_left(lambda: self._wakes, release):
            workflow.continue_as_new(pace)
