"""Recovery's schedules in Temporal: one for each kind of work, there whenever a worker runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
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

from bellhop.domain.sweeps import SweepKind
from bellhop.temporal import contract
from bellhop.temporal.client import RPC_TIMEOUT, register_search_attributes
from bellhop.temporal.recovery import PostgresSweeper
from bellhop.temporal.starts import TASK_TIMEOUT

log = structlog.get_logger()

Paces = Mapping[SweepKind, float]
"""Seconds between two sweeps of each kind of work."""

LOOK_AGAIN = 60.0
"""Seconds, at most, between two looks whether recovery's schedules are still there."""
LONGEST = timedelta(minutes=10)
"""Of one sweep: meanwhile none of its kind begins."""


async def watch_over(client: Client, sweeper: PostgresSweeper, paces: Paces) -> None:
    """Sweep once now (a worker that starts may be one that was killed), and see to it that the schedules of sweeps are
    there, also when Temporal has lost them. Runs until cancelled."""
    swept = False
    while True:
        try:
            await register_search_attributes(client)
            if not swept:
                await sweeper.sweep()
            await keep_sweeping(client, paces, pace=not swept)
            swept = True
        except (RPCError, RuntimeError, OSError, SQLAlchemyError) as error:
            log.warning("recovery cannot look yet", error=type(error).__name__)
        await asyncio.sleep(min(LOOK_AGAIN, 2 * min(paces.values())) if swept else 2.0)


async def keep_sweeping(client: Client, paces: Paces, *, pace: bool = True) -> None:
    """Make sure that each kind of work has its Temporal Schedule and, with `pace`, that it sweeps as often as `paces`
    says. One that was not there sweeps at once. Safe to repeat."""
    right = await _listed(client, paces) if pace else set()
    await asyncio.gather(*(_keep(client, kind, paces[kind], pace) for kind in paces if kind not in right))
    # Only now: the one schedule of an earlier version, whose workers may make it anew until they are stopped.
    try:
        await client.get_schedule_handle(contract.SWEEP_SCHEDULE).delete(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def _listed(client: Client, paces: Paces) -> set[SweepKind]:
    """The kinds whose schedules are listed with the right pace. The list is read from the server's index; to ask a
    schedule itself is a query to its workflow, of which a busy server takes few."""
    ids = {contract.sweep_schedule(kind): kind for kind in paces}
    right: set[SweepKind] = set()
    async for entry in await client.list_schedules(rpc_timeout=RPC_TIMEOUT):
        kind = ids.get(entry.id)
        if kind is not None and entry.schedule and entry.schedule.spec.intervals == [_interval(kind, paces[kind])]:
            right.add(kind)
    return right


def _interval(kind: SweepKind, every: float) -> ScheduleIntervalSpec:
    # Not all in the same instant.
    offset = int(1_000 * every * list(SweepKind).index(kind) / len(SweepKind))
    return ScheduleIntervalSpec(every=timedelta(seconds=every), offset=timedelta(milliseconds=offset) or None)


async def _keep(client: Client, kind: SweepKind, every: float, pace: bool) -> None:
    name, schedule = contract.sweep_schedule(kind), _schedule(kind, every)
    try:
        await client.create_schedule(name, schedule, trigger_immediately=True, rpc_timeout=RPC_TIMEOUT)
    except ScheduleAlreadyRunningError:
        if not pace:
            return

        def same(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule)

        await client.get_schedule_handle(name).update(same, rpc_timeout=RPC_TIMEOUT)


def _schedule(kind: SweepKind, every: float) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            contract.SWEEP_WORKFLOW,
            kind.value,
            id=contract.sweep_schedule(kind),
            task_queue=contract.TASK_QUEUE_RECOVERY,
            execution_timeout=LONGEST,
            task_timeout=TASK_TIMEOUT,
            static_summary=f"recovery: {kind.value}",
        ),
        spec=ScheduleSpec(intervals=[_interval(kind, every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=60)),
    )
