"""Recovery: find in Postgres what Temporal should be doing and is not, and make it. Safe at any moment, and twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from bellhop import wire
from bellhop.conductor import Conductor
from bellhop.ids import message_workflow
from bellhop.store import wakes
from bellhop.temporal import RPC_TIMEOUT

log = structlog.get_logger()

GRACE = 10.0
"""Seconds a debt may be old before recovery takes it for left behind: fresh ones are on their way."""
PAGE = 500
AT_ONCE = 16


class PostgresSweeper:
    """activities.recovery.Sweeper over Postgres and Temporal."""

    def __init__(self, engine: AsyncEngine, client: Client, conductor: Conductor) -> None:
        self._engine = engine
        self._client = client
        self._conductor = conductor

    async def sweep(self) -> int:
        """Wake messages and endpoints, delete erased guests' histories, forget what is kept only for a while."""
        done = await self._messages()
        async with self._engine.begin() as tx:
            endpoints = await wakes.undrained_endpoints(tx)
        for endpoint_id in endpoints:
            await self._conductor.wake_endpoint(endpoint_id)
        await self._histories()
        async with self._engine.begin() as tx:
            await wakes.forget_old(tx)
        if done or endpoints:
            log.info("recovery woke what was left behind", messages=done, endpoints=len(endpoints))
        return done + len(endpoints)

    async def _messages(self) -> int:
        async with self._engine.begin() as tx:
            rows = await wakes.release_held(tx, PAGE)
            rows += await wakes.left_behind(tx, GRACE, PAGE)
        seen = time.monotonic()
        room = asyncio.Semaphore(AT_ONCE)

        async def wake(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
            async with room:
                try:
                    await self._conductor.start_message(row, seen, wake=True, again=row["stage"] == "queued")
                except (RPCError, RuntimeError) as error:
                    log.warning("not woken yet", message=message_workflow(row["id"]), error=type(error).__name__)
                    return None
            return row

        woken = [row for row in await asyncio.gather(*(wake(row) for row in rows)) if row is not None]
        # Only the debt that was seen: a newer one is not paid yet.
        paid = {row["id"]: row["wake_due_at"] for row in woken if row["wake_due_at"] is not None}
        if paid:
            async with self._engine.begin() as tx:
                await wakes.clear(tx, paid)
        return len(woken)

    async def _histories(self) -> None:
        async with self._engine.begin() as tx:
            workflow_ids = await wakes.histories_to_erase(tx, PAGE)
        for workflow_id in workflow_ids:
            try:
                await self._client.workflow_service.delete_workflow_execution(
                    DeleteWorkflowExecutionRequest(
                        namespace=self._client.namespace, workflow_execution=WorkflowExecution(workflow_id=workflow_id)
                    ),
                    timeout=RPC_TIMEOUT,
                )
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    log.warning("history not erased yet", workflow=workflow_id, error=error.status.name)
                    continue
            async with self._engine.begin() as tx:
                await wakes.history_erased(tx, workflow_id)


async def keep_sweeping(client: Client, every: float) -> None:
    """Make sure the Temporal Schedule that sweeps exists and has this pace (seconds). Safe to repeat."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            wire.SWEEP_WORKFLOW,
            id=wire.SWEEP_SCHEDULE,
            task_queue=wire.TASK_QUEUE_WORKFLOWS,
            execution_timeout=timedelta(minutes=10),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=every))]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=60)),
    )
    try:
        await client.create_schedule(wire.SWEEP_SCHEDULE, schedule)
    except ScheduleAlreadyRunningError:

        def same(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule)

        await client.get_schedule_handle(wire.SWEEP_SCHEDULE).update(same)
