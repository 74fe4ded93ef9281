"""The yardstick: a bare workflow with one activity and one signal, everything at the SDK's defaults."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

TASK_QUEUE = "bench-bare"


@activity.defn
async def work(name: str) -> str:
    """Does nothing: what remains is what Temporal costs."""
    return name


@workflow.defn
class Bare:
    """Started, one activity, one signal, closed."""

    def __init__(self) -> None:
        self._signalled = False

    @workflow.run
    async def run(self, name: str) -> str:
        """Returns `name`, by way of the activity."""
        answer = await workflow.execute_activity(work, name, start_to_close_timeout=timedelta(seconds=60))
        await workflow.wait_condition(lambda: self._signalled)
        return answer

    @workflow.signal
    def signalled(self) -> None:
        """What the workflow waits for."""
        self._signalled = True
