"""The workflow that sees to the files of a guest's message: apart from the message, so that nothing waits for it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bellhop.temporal.contract import INBOUND_FILES_WORKFLOW, SETTLE_FILES, TASK_QUEUE_FILES, WAKE

SETTLE_TIMEOUT = timedelta(seconds=170)
"""Of one file: longer than MEDIA_FETCH_TIMEOUT may be, and what the checks take."""
HEARTBEAT_TIMEOUT = timedelta(seconds=15)
LONGEST_WAIT = 900.0
"""Seconds. A file whose next try is farther away is left to recovery, and nothing runs meanwhile."""
MOST_LOOKS = 200
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)


@workflow.defn(name=INBOUND_FILES_WORKFLOW)
class InboundFilesWorkflow:
    """One per guest's message with files. Started and woken by the same signal-with-start."""

    def __init__(self) -> None:
        self._wakes = 0

    @workflow.signal(name=WAKE)
    def wake(self, _message: str | None = None) -> None:
        """There is something to do at once."""
        self._wakes += 1

    @workflow.run
    async def run(self, message: str) -> int:
        """Until nothing is to be done soon. `message`: the row's key. Returns how often it was looked at."""
        for looks in range(1, MOST_LOOKS + 1):
            seen = self._wakes
            again: float | None = await workflow.execute_activity(
                SETTLE_FILES,
                message,
                task_queue=TASK_QUEUE_FILES,
                start_to_close_timeout=SETTLE_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RETRY,
            )
            if self._wakes != seen:
                continue
            if again is None or again > LONGEST_WAIT:
                return looks
            if again > 0:
                with suppress(TimeoutError):
                    await workflow.wait_condition(lambda: self._wakes != seen, timeout=timedelta(seconds=again))  # noqa: B023
        return MOST_LOOKS
