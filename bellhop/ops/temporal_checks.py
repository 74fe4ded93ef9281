"""What the doctor looks at in Temporal: is it there, is it set up, does recovery sweep, and does anybody work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client, ScheduleDescription
from temporalio.service import RPCError, RPCStatusCode

from bellhop.temporal import contract, search_attributes

Facts = dict[str, Any]

TIMEOUT = timedelta(seconds=5)
POLLED_WITHIN = 90.0
"""Seconds: a poll lasts a minute at most, and the next one follows at once."""

QUEUES: dict[str, tuple[bool, str, str]] = {
    # Task queue → whether it is for workflows (else for activities), the role that polls it, what stands still without.
    contract.TASK_QUEUE_WORKFLOWS: (True, "workflows", "no message is sent"),
    contract.TASK_QUEUE_PROVIDERS: (False, "activities", "nothing that failed once is tried again or settled"),
    contract.TASK_QUEUE_WEBHOOKS: (False, "activities", "no webhook is delivered"),
    contract.TASK_QUEUE_RECOVERY: (False, "activities", "nobody looks for what was left behind"),
}


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


async def unpolled(client: Client) -> list[Facts]:
    """Task queues that no worker polls: `queue`, `role`, `stands`."""
    return [
        {"queue": queue, "role": role, "stands": stands}
        for queue, (workflows, role, stands) in QUEUES.items()
        if not await _polled(client, queue, workflows=workflows)
    ]


async def _polled(client: Client, queue: str, *, workflows: bool) -> bool:
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if workflows else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    found = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind),
        timeout=TIMEOUT,
    )
    now = datetime.now(UTC)
    # A killed worker is shown for five minutes more.
    seen = [poller.last_access_time.ToDatetime(tzinfo=UTC) for poller in found.pollers]
    return any((now - at).total_seconds() < POLLED_WITHIN for at in seen)
