"""Workflows that are started and woken by one call: they run while there is something to do, and then end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from bellhop.domain.ids import broadcast_workflow
from bellhop.temporal import contract
from bellhop.temporal.client import RPC_TIMEOUT, turn_of

TASK_TIMEOUT = timedelta(seconds=5)
"""A workflow task lost with a killed worker is given to another after this; Temporal's default is twice as long."""


async def wake(
    client: Client,
    workflow: str,
    of: UUID,
    *,
    id: str,
    queue: str,
    summary: str,
    turn: Priority,
    signal: str | None = contract.WAKE,
    more: Sequence[str] = (),
) -> None:
    """Wake the workflow about `of`, a row's key, or start it. Safe to repeat: what there is to do is in the record.
    `more`: what it is given beside that key."""
    await client.start_workflow(
        workflow,
        args=[str(of), *more],
        id=id,
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        start_signal=signal,
        static_summary=summary,
        priority=turn,
        task_timeout=TASK_TIMEOUT,
        rpc_timeout=RPC_TIMEOUT,
    )


async def wake_broadcast(client: Client, broadcast_id: UUID, scope_id: UUID) -> None:
    """Make sure somebody goes on with a broadcast of that scope."""
    await wake(
        client,
        contract.BROADCAST_WORKFLOW,
        broadcast_id,
        id=broadcast_workflow(broadcast_id),
        queue=contract.TASK_QUEUE_BROADCASTS,
        summary="gives a broadcast's recipients their messages",
        turn=turn_of(scope_id),
    )
