"""Does Temporal take turns between properties? It has no call that says so: it is tried, on a task queue of its own.

So many tasks of one, then one of another, and nobody works on them; then they are taken as a worker takes them. Where
turns are taken the other's comes out soon, otherwise behind all that were there before. The workflows are deleted.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    ListTaskQueuePartitionsRequest,
    PollWorkflowTaskQueueRequest,
)
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.service import RPCError, RPCStatusCode

TIMEOUT = timedelta(seconds=5)
BEFORE = 12
"""Tasks of the one that come before, for each partition of a task queue: each has an order of its own."""
USUAL_PARTITIONS, MOST_PARTITIONS = 4, 8
TRIES = 3
SETTLES = 0.3
"""Seconds."""
LEFT = timedelta(seconds=60)
"""A probe that is interrupted leaves nothing that lasts longer."""


async def takes_turns(client: Client) -> bool:
    """Try it, a few times where it does not seem so: on a busy server the other's task may have come late by itself.
    Raises RPCError."""
    for _ in range(TRIES):
        if await _took_turns(client):
            return True
    return False


async def _took_turns(client: Client) -> bool:
    queue = TaskQueue(name=f"bellhop-probe-{uuid.uuid4()}")
    before = BEFORE * min(MOST_PARTITIONS, await _partitions(client, queue))
    names = [f"{queue.name}-{number}" for number in range(before + 1)]
    last = names[-1]
    try:
        await asyncio.gather(*(_start(client, queue.name, name, "one") for name in names[:-1]))
        await _start(client, queue.name, last, "another")
        # A started workflow's task reaches its queue a little later.
        await asyncio.sleep(SETTLES)
        return await _comes_within(client, queue, last, before // 2)
    finally:
        await asyncio.gather(*(_delete(client, name) for name in names))


async def _partitions(client: Client, queue: TaskQueue) -> int:
    try:
        found = await client.workflow_service.list_task_queue_partitions(
            ListTaskQueuePartitionsRequest(namespace=client.namespace, task_queue=queue), timeout=TIMEOUT
        )
    except RPCError as error:
        if error.status not in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED):
            raise
        return USUAL_PARTITIONS
    return max(1, len(found.workflow_task_queue_partitions))


async def _start(client: Client, queue: str, name: str, key: str) -> None:
    await client.start_workflow(
        "Probe",
        id=name,
        task_queue=queue,
        priority=Priority(fairness_key=key),
        execution_timeout=LEFT,
        rpc_timeout=TIMEOUT,
    )


async def _comes_within(client: Client, queue: TaskQueue, name: str, most: int) -> bool:
    """Whether this workflow's task is among the first `most`."""
    for _ in range(most):
        task = await client.workflow_service.poll_workflow_task_queue(
            PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=queue, identity="bellhop doctor"),
            timeout=TIMEOUT,
        )
        if task.workflow_execution.workflow_id == name:
            return True
    return False


async def _delete(client: Client, name: str) -> None:
    try:
        await client.workflow_service.delete_workflow_execution(
            DeleteWorkflowExecutionRequest(
                namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=name)
            ),
            timeout=TIMEOUT,
        )
    except RPCError:
        # It was not begun, or ends by itself: see LEFT.
        return
