"""Health check of a worker's container: does the Temporal server see this host polling? Exit code 0 means yes.

python -m bellhop.dev.worker_health workflows|activities
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from bellhop.env_file import env_file
from bellhop.temporal.client import connect
from bellhop.temporal.contract import TASK_QUEUE_PROVIDERS, TASK_QUEUE_WORKFLOWS
from bellhop.temporal.settings import TemporalSettings

_POLLED: dict[str, tuple[str, TaskQueueType.ValueType]] = {
    "workflows": (TASK_QUEUE_WORKFLOWS, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    "activities": (TASK_QUEUE_PROVIDERS, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
}


async def polls(role: str, settings: TemporalSettings) -> bool:
    """True when a poller of the role's queue names this host (an identity is `process id@host` by default)."""
    queue, kind = _POLLED[role]
    client = await connect(settings, lazy=False)
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=settings.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
    )
    return any(socket.gethostname() in poller.identity for poller in answer.pollers)


if __name__ == "__main__":
    try:
        seen = asyncio.run(asyncio.wait_for(polls(sys.argv[1], TemporalSettings(_env_file=env_file())), timeout=8))
    except Exception:  # noqa: BLE001 - whatever it is: not healthy
        seen = False
    # Not sys.exit: the client's own threads do not always survive the interpreter's shutdown.
    os._exit(0 if seen else 1)
