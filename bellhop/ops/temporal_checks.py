"""What the doctor looks at in Temporal: is it there, is it set up, does recovery sweep, and does anybody work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client, ScheduleDescription
from temporalio.service import RPCError, RPCStatusCode

from bellhop.domain.scopes import ENVIRONMENTS
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
    *(
        PolledQueue(contract.providers_queue(through), _ACTIVITIES, "activities", "nothing is tried again or settled")
        for through in THROUGHS
    ),
    PolledQueue(contract.TASK_QUEUE_WEBHOOKS, _ACTIVITIES, "activities", "no webhook is delivered"),
    PolledQueue(contract.TASK_QUEUE_RECOVERY, _ACTIVITIES, "activities", "nobody looks for what was left behind"),
    PolledQueue(
        contract.TASK_QUEUE_RELEASES, _ACTIVITIES, "activities", "what waited for an account or a property stays"
    ),
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


async def schedule(client: Client) -> ScheduleDescription | None:
    """Recovery's schedule; None: there is none."""
    try:
        return await client.get_schedule_handle(contract.SWEEP_SCHEDULE).describe(rpc_timeout=TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def since_sweep(found: ScheduleDescription) -> float:
    """Seconds since the schedule last began a sweep, or since it was made."""
    begun = [action.started_at for action in found.info.recent_actions]
    return (datetime.now(UTC) - max([*begun, found.info.created_at])).total_seconds()


def every(found: ScheduleDescription) -> float:
    """Seconds between two sweeps."""
    paces = [interval.every.total_seconds() for interval in found.schedule.spec.intervals]
    return min(paces, default=60.0)


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
