"""What the doctor looks at in Temporal: is it there, is it set up, does recovery sweep, and does anybody work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleDescription,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode

from bellhop.domain.answers import Swept
from bellhop.domain.scopes import ENVIRONMENTS
from bellhop.domain.sweeps import SweepKind
from bellhop.providers import PACKAGES
from bellhop.temporal import contract, search_attributes

TIMEOUT = timedelta(seconds=5)
POLLED_WITHIN = 90.0
"""Seconds: a poll lasts a minute at most, and the next one follows at once."""


@dataclass(frozen=True, slots=True)
class PolledQueue:
    """A task queue that workers poll."""

    task_queue: str
    kind: TaskQueueType.ValueType
    role: str
    """Of the workers that poll it."""
    stands_still: str
    """What does without them."""


THROUGHS = (None, *(f"{package.name}-{environment}" for package in PACKAGES for environment in ENVIRONMENTS))
"""What `Answer.through` may be: each has a queue."""

_WORKFLOWS, _ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY

QUEUES: tuple[PolledQueue, ...] = (
    PolledQueue(contract.TASK_QUEUE_WORKFLOWS, _WORKFLOWS, "workflows", "no message is sent"),
    PolledQueue(contract.TASK_QUEUE_AHEAD, _WORKFLOWS, "workflows", "no scheduled message is sent"),
    *(
        PolledQueue(contract.providers_queue(through), _ACTIVITIES, "activities", "nothing is tried again or settled")
        for through in THROUGHS
    ),
    PolledQueue(contract.TASK_QUEUE_WEBHOOKS, _ACTIVITIES, "activities", "no webhook is delivered"),
    PolledQueue(contract.TASK_QUEUE_RECOVERY, _ACTIVITIES, "activities", "nobody looks for what was left behind"),
    PolledQueue(
        contract.TASK_QUEUE_RELEASES, _ACTIVITIES, "activities", "what waited for an account or a property stays"
    ),
    PolledQueue(contract.TASK_QUEUE_FILES, _ACTIVITIES, "activities", "nobody fetches the files that guests send"),
    PolledQueue(contract.TASK_QUEUE_BROADCASTS, _ACTIVITIES, "activities", "broadcasts do not go on"),
    PolledQueue(contract.TASK_QUEUE_INTENTS, _ACTIVITIES, "activities", "nobody looks for what guests want"),
)


async def namespace_missing(client: Client) -> bool:
    """True where Temporal answers and has no such namespace. Raises RPCError, RuntimeError or OSError when it does not
    answer."""
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=TIMEOUT
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return True
        raise
    return False


async def attributes_missing(client: Client) -> list[str]:
    """Our search attributes that are not registered."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=TIMEOUT
    )
    return [key.name for key in search_attributes.ALL if key.name not in known.custom_attributes]


@dataclass(frozen=True, slots=True)
class Sweeps:
    """How recovery is doing with one kind of work."""

    kind: SweepKind
    every: float
    """Seconds between two sweeps."""
    ago: float
    """Seconds since one was last begun, or since its schedule was made."""
    paused: bool
    failed: bool
    """Whether the last that ended has failed."""
    last: Swept | None
    """What the last one that ended found."""


async def sweeps(client: Client) -> dict[SweepKind, Sweeps | None]:
    """Recovery's schedules, and what came of their last sweeps; None: there is no such schedule."""
    return dict(zip(SweepKind, await asyncio.gather(*(_sweeps(client, kind) for kind in SweepKind)), strict=True))


async def _sweeps(client: Client, kind: SweepKind) -> Sweeps | None:
    try:
        found = await client.get_schedule_handle(contract.sweep_schedule(kind)).describe(rpc_timeout=TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    begun = [action.started_at for action in found.info.recent_actions]
    ago = (datetime.now(UTC) - max([*begun, found.info.created_at])).total_seconds()
    every = min((interval.every.total_seconds() for interval in found.schedule.spec.intervals), default=60.0)
    failed, last = await _last_sweep(client, found)
    return Sweeps(kind, every, ago, found.schedule.state.paused, failed, last)


async def _last_sweep(client: Client, found: ScheduleDescription) -> tuple[bool, Swept | None]:
    """Whether the last sweep that ended has failed, and what it found."""
    for action in found.info.recent_actions[:-3:-1]:
        if not isinstance(action.action, ScheduleActionExecutionStartWorkflow):
            continue
        handle = client.get_workflow_handle(action.action.workflow_id, run_id=action.action.first_execution_run_id)
        try:
            status = (await handle.describe(rpc_timeout=TIMEOUT)).status
            if status is WorkflowExecutionStatus.COMPLETED:
                handle = client.get_workflow_handle(handle.id, run_id=handle.run_id, result_type=Swept)
                return False, await handle.result(follow_runs=False, rpc_timeout=TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # Its history is kept no longer.
            return False, None
        if status is not WorkflowExecutionStatus.RUNNING:
            return True, None
    return False, None


async def unpolled(client: Client) -> list[PolledQueue]:
    """Task queues that no worker polls."""
    return [queue for queue in QUEUES if not await _polled(client, queue)]


async def _polled(client: Client, queue: PolledQueue) -> bool:
    found = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue.task_queue), task_queue_type=queue.kind
        ),
        timeout=TIMEOUT,
    )
    now = datetime.now(UTC)
    # A killed worker is shown for five minutes more.
    seen = [poller.last_access_time.ToDatetime(tzinfo=UTC) for poller in found.pollers]
    return any((now - at).total_seconds() < POLLED_WITHIN for at in seen)
