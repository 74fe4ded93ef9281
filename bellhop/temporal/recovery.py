"""Recovery: find in Postgres what Temporal should be doing and is not, and make it. Safe at any moment, and twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, DescribeNamespaceRequest
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

from bellhop.domain.ids import message_workflow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.access import installation
from bellhop.store.delivery import left_behind, parked, pending_wakes, retention
from bellhop.store.delivery.left_behind import Look, Place
from bellhop.store.delivery.pending_wakes import IdleEndpoint, RebuildPlace
from bellhop.store.messages import assets
from bellhop.store.reports import health_queries
from bellhop.temporal import contract
from bellhop.temporal.client import RPC_TIMEOUT, register_search_attributes
from bellhop.temporal.dispatcher import TASK_TIMEOUT, TemporalDispatcher

log = structlog.get_logger()

GRACE = 10.0
"""Seconds a notification may be pending before recovery takes it for left behind: younger ones are on their way."""
PAGE = 500
AT_ONCE = 16
LONGEST_LOOK = 25.0
"""Seconds one kind of work takes of a sweep, at most: less than the pause between two."""
LOOKED_AT_AGAIN = 100
"""Messages without a sender that are tried again after a worker's start, at each sweep."""
LONGEST_PAUSE = 600.0
"""Seconds between two wakes of a message that is late, at most."""
LOOK_AGAIN = 60.0
"""Seconds, at most, between two looks whether recovery's schedule is still there."""
FORGETTING = 5.0
"""Seconds of a sweep, at most, in which what is old is forgotten: what is left is for the next one."""


class WakePauses:
    """Whom recovery woke with nothing pending, because they are merely late, and when it may wake them again: `first`
    seconds later, then twice as long. Were they woken at every sweep, a backlog would grow by the waking and never be
    worked off."""

    def __init__(self, first: float) -> None:
        self._first = first
        self._until: dict[UUID, tuple[float, float]] = {}

    def due(self, rows: Sequence[MessageRow]) -> list[MessageRow]:
        """Those of `rows` that are to be woken now. With a notification pending: always."""
        now = time.monotonic()
        self._until = {key: known for key, known in self._until.items() if known[0] + LONGEST_PAUSE > now}
        return [row for row in rows if row.wake_due_at is not None or self._may(row.id, now)]

    def _may(self, key: UUID, now: float) -> bool:
        until, pause = self._until.get(key, (now, self._first))
        if until > now:
            return False
        self._until[key] = (now + pause, min(2 * pause, LONGEST_PAUSE))
        return True


class PostgresSweeper:
    """activities.recovery.Sweeper over Postgres and Temporal. `grace`: seconds a notification may be pending; `hold`:
    how often a held account is tried; `remove_files`: removes files and returns those that are there no more; None:
    the process has none."""

    def __init__(
        self,
        engine: AsyncEngine,
        client: Client,
        dispatcher: TemporalDispatcher,
        grace: float = GRACE,
        hold: float = 60.0,
        remove_files: Callable[[Sequence[str]], Awaitable[Sequence[str]]] | None = None,
    ) -> None:
        self._engine = engine
        self._client = client
        self._dispatcher = dispatcher
        self._grace = grace
        self._hold = hold
        self._remove_files = remove_files
        self._began: datetime | None = None
        self._rebuilt: tuple[str, RebuildPlace] = ("", RebuildPlace())
        self._woken = WakePauses(8 * grace)
        self._places: dict[Look, Place] = {}
        self._calls = asyncio.Semaphore(AT_ONCE)

    async def sweep(self) -> int:
        """Look once for each kind of work, each by itself and for a bounded time: one that is slow or fails keeps no
        other waiting, and goes on at the next sweep where it was. Returns how much was woken. Raises what the first
        that failed raised, when all are done."""
        kinds: dict[str, Callable[[], Awaitable[int]]] = {
            "rebuild": self._if_temporal_is_new,
            **{look.__name__: partial(self._left_behind, look) for look in left_behind.KINDS},
            "parked": self._parked,
            "endpoints": self._endpoints,
            "histories": self._histories,
            "old": self._forget,
            "files": self._files,
        }
        errors: list[Exception] = []

        async def sweep_one(kind: str, look: Callable[[], Awaitable[int]]) -> int:
            try:
                async with asyncio.timeout(LONGEST_LOOK):
                    woken = await look()
            except TimeoutError:
                log.warning("recovery goes on with it at the next sweep", kind=kind, seconds=LONGEST_LOOK)
                return 0
            except (RPCError, RuntimeError, OSError, SQLAlchemyError) as error:
                log.warning("recovery cannot look for it now", kind=kind, error=type(error).__name__)
                errors.append(error)
                return 0
            if woken:
                log.info("recovery woke what was left behind", kind=kind, count=woken)
            return woken

        done = sum(await asyncio.gather(*(sweep_one(kind, look) for kind, look in kinds.items())))
        if errors:
            raise errors[0]
        return done

    async def rebuild(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Make a workflow for every message that needs one and has none, e.g. because Temporal lost its state. Those
        that run are left alone, so it is safe at any moment. `progress` is called with how many were looked at, and how
        many made."""
        namespace_id = await self._namespace_id()
        await register_search_attributes(self._client)
        looked = made = 0
        # Begun before and cut off: it goes on where it was.
        place: RebuildPlace | None = self._rebuilt[1] if self._rebuilt[0] == namespace_id else RebuildPlace()
        while place is not None:
            async with self._engine.begin() as tx:
                rows, place = await pending_wakes.needing_workflows(tx, place, PAGE, contract.FOLLOWED)
            made += await self._make_missing(rows)
            looked += len(rows)
            self._rebuilt = (namespace_id, place or RebuildPlace())
            if progress is not None:
                progress(looked, made)
        async with self._engine.begin() as tx:
            await installation.set_temporal_namespace(tx, namespace_id)
        self._rebuilt = ("", RebuildPlace())
        return made

    async def _make_missing(self, rows: Sequence[MessageRow]) -> int:
        seen = time.monotonic()
        room = asyncio.Semaphore(AT_ONCE)

        async def make(row: MessageRow) -> bool:
            async with room:
                return await self._dispatcher.start_message(row, seen, wake=False, again=True, missing=True)

        return sum(await asyncio.gather(*(make(row) for row in rows)))

    async def _if_temporal_is_new(self) -> int:
        here = await self._namespace_id()
        async with self._engine.begin() as tx:
            known = await installation.temporal_namespace(tx)
            if known is None:
                await installation.set_temporal_namespace(tx, here)
        if known in (None, here):
            return 0
        log.warning("Temporal has lost its state, or is another one: every pending workflow is made anew")
        made = await self.rebuild()
        log.warning("every pending workflow is there again", made=made)
        return made

    async def _namespace_id(self) -> str:
        described = await self._client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=self._client.namespace), timeout=RPC_TIMEOUT
        )
        return str(described.namespace_info.id)

    async def _left_behind(self, look: Look) -> int:
        """Wake messages of one kind, page by page, about a page of them at a time. Those that were merely late and are
        woken already are passed over, so that what is lost behind them is found."""
        woken = 0
        while woken < PAGE:
            async with self._engine.begin() as tx:
                page = await look(tx, self._grace, self._places.get(look, Place()), PAGE)
            woken += await self._wake(self._woken.due(page.rows))
            if page.next is None:
                self._places.pop(look, None)
                break
            self._places[look] = page.next
        return woken

    async def _wake(self, rows: Sequence[MessageRow]) -> int:
        seen = time.monotonic()

        async def wake(row: MessageRow) -> MessageRow | None:
            async with self._calls:
                try:
                    await self._dispatcher.start_message(row, seen, wake=True, again=row.stage is Stage.QUEUED)
                except (RPCError, RuntimeError) as error:
                    log.warning("not woken yet", message=message_workflow(row.id), error=type(error).__name__)
                    return None
            return row

        woken = [row for row in await asyncio.gather(*(wake(row) for row in rows)) if row is not None]
        # Only the notification that was seen: a newer one is still pending.
        notified = {row.id: row.wake_due_at for row in woken if row.wake_due_at is not None}
        if notified:
            async with self._engine.begin() as tx:
                await pending_wakes.clear(tx, notified)
        return len(woken)

    async def _endpoints(self) -> int:
        async with self._engine.begin() as tx:
            endpoints = await pending_wakes.undrained_endpoints(tx)

        async def wake(endpoint: IdleEndpoint) -> None:
            async with self._calls:
                await self._dispatcher.wake_endpoint(endpoint.id, endpoint.scope_id)

        await asyncio.gather(*(wake(endpoint) for endpoint in endpoints))
        return len(endpoints)

    async def _parked(self) -> int:
        """See to it that what is parked is released once it can go on, and that a held account is tried."""
        async with self._engine.begin() as tx:
            self._began = self._began or await health_queries.clock(tx)
            backlogs = await parked.backlogs(tx)
            rows = await parked.probes(tx, self._grace + self._hold)
            rows += await parked.release_of_before(tx, self._began, LOOKED_AT_AGAIN)
        for backlog in backlogs:
            await self._dispatcher.wake_release(backlog)
        for row in rows:
            self._dispatcher.woken(row)
        return len(backlogs) + len(rows)

    async def _forget(self) -> int:
        """Forget what is kept for a while only: a chunk of each kind in turn, each a transaction of its own."""
        end = time.monotonic() + FORGETTING
        left = list(retention.EVERY)
        while left and time.monotonic() < end:
            for forget in tuple(left):
                async with self._engine.begin() as tx:
                    if await forget(tx, PAGE) < PAGE:
                        left.remove(forget)
        return 0

    async def _files(self) -> int:
        """Remove the bytes of files that have been let go, then their rows."""
        if self._remove_files is None:
            return 0
        async with self._engine.begin() as tx:
            keys = await assets.gone(tx, PAGE)
        if keys and (done := await self._remove_files(keys)):
            async with self._engine.begin() as tx:
                await assets.removed(tx, done)
        return 0

    async def _histories(self) -> int:
        async with self._engine.begin() as tx:
            workflow_ids = await pending_wakes.histories_to_erase(tx, PAGE)
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
                await pending_wakes.history_erased(tx, workflow_id)
        return 0


async def watch_over(client: Client, sweeper: PostgresSweeper, every: float) -> None:
    """Sweep once now (a worker that starts may be one that was killed), and see to it that the schedule of sweeps is
    there, also when Temporal has lost it. Runs until cancelled."""
    swept = False
    while True:
        try:
            await register_search_attributes(client)
            await keep_sweeping(client, every, pace=not swept)
            if not swept:
                await sweeper.sweep()
            swept = True
        except (RPCError, RuntimeError, OSError, SQLAlchemyError) as error:
            log.warning("recovery cannot look yet", error=type(error).__name__)
        await asyncio.sleep(min(LOOK_AGAIN, 2 * every) if swept else 2.0)


async def keep_sweeping(client: Client, every: float, *, pace: bool = True) -> None:
    """Make sure the Temporal Schedule that sweeps exists and, with `pace`, sweeps every `every` seconds. Safe to
    repeat."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            contract.SWEEP_WORKFLOW,
            id=contract.SWEEP_SCHEDULE,
            task_queue=contract.TASK_QUEUE_RECOVERY,
            execution_timeout=timedelta(minutes=10),
            task_timeout=TASK_TIMEOUT,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=every))]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=60)),
    )
    try:
        await client.create_schedule(contract.SWEEP_SCHEDULE, schedule)
    except ScheduleAlreadyRunningError:
        if not pace:
            return

        def same(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule)

        await client.get_schedule_handle(contract.SWEEP_SCHEDULE).update(same)
