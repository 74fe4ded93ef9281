"""Recovery: find in Postgres what Temporal should be doing and is not, and make it. Safe at any moment, and twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bellhop.domain.answers import Swept
from bellhop.domain.ids import message_workflow
from bellhop.domain.rows.delivery import Backlog, PacedBacklog
from bellhop.domain.rows.intents import Undetected
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.domain.sweeps import SweepKind
from bellhop.store import month_keeping
from bellhop.store.access import installation
from bellhop.store.broadcasts import record as broadcasts
from bellhop.store.broadcasts.record import Overdue
from bellhop.store.conversations import inbound_files, intents
from bellhop.store.delivery import left_behind, paces, parked, pending_wakes, retention
from bellhop.store.delivery.pending_wakes import IdleEndpoint, RebuildPlace
from bellhop.store.messages import assets
from bellhop.store.reports import health_queries
from bellhop.temporal import contract
from bellhop.temporal.client import RPC_TIMEOUT, register_search_attributes
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.temporal.starts import wake_broadcast

log = structlog.get_logger()

GRACE = 10.0
"""Seconds a notification may be pending before recovery takes it for left behind: younger ones are on their way."""
PAGE = 500
AT_ONCE = 16
LONGEST_LOOK = 25.0
"""Seconds of one look for one kind of work, at most."""
LOOKED_AT_AGAIN = 100
"""Messages without a sender that are tried again after a worker's start, at each sweep."""
LONGEST_PAUSE = 600.0
"""Seconds between two wakes of a message that is late, at most."""
UNFINISHED = "unfinished"
"""In place of a place, where a look ended before its work."""
MONTHS_EVERY = 3_600.0
"""Seconds between two looks of a process whether a month is over: it reads all of it."""
FORGETTING = 20.0
"""Seconds of a sweep, at most, in which what is old is forgotten: what is left is for the next one."""


@dataclass(slots=True)
class Progress:
    """How far a look is. It may be cut off at any moment: what it has reached by then counts."""

    after: str | None
    """Where it goes on; None: at the beginning."""
    woken: int = 0
    at_once: bool = False
    """Whether there is more to do now, and not only at the next sweep."""


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
        self._months_at = -MONTHS_EVERY
        self._rebuilt: tuple[str, RebuildPlace] = ("", RebuildPlace())
        self._woken = WakePauses(8 * grace)
        self._calls = asyncio.Semaphore(AT_ONCE)
        self._kinds: dict[SweepKind, Callable[[Progress], Awaitable[None]]] = {
            SweepKind.NAMESPACE: self._if_temporal_is_new,
            **{kind: partial(self._left_behind, kind) for kind in left_behind.KINDS},
            SweepKind.PARKED: self._parked,
            SweepKind.INTENTS: self._intents,
            SweepKind.INBOUND_FILES: self._inbound_files,
            SweepKind.BROADCASTS: self._broadcasts,
            SweepKind.ENDPOINTS: self._endpoints,
            SweepKind.HISTORIES: self._histories,
            SweepKind.OLD: self._forget,
            SweepKind.FILES: self._files,
        }

    async def sweep(self) -> int:
        """Look once for each kind of work, each by itself: one that is slow or fails keeps no other waiting. Returns
        how much was woken. Raises what the first that failed raised, when all are done."""
        done = await asyncio.gather(*(self.look(kind) for kind in SweepKind), return_exceptions=True)
        woken = 0
        for swept in done:
            if isinstance(swept, BaseException):
                raise swept
            woken += swept.woken
        return woken

    async def look(self, kind: SweepKind, after: str | None = None) -> Swept:
        """Look for one kind of work, for a bounded time, from where an earlier look ended (`Swept.next`; None: from the
        beginning). Raises what Temporal and the record raise where they do not answer."""
        progress, began = Progress(after), time.monotonic()
        try:
            async with asyncio.timeout(LONGEST_LOOK):
                await self._kinds[kind](progress)
        except TimeoutError:
            log.warning("recovery goes on with it at the next sweep", kind=kind.value, seconds=LONGEST_LOOK)
        except (RPCError, RuntimeError, OSError, SQLAlchemyError) as error:
            log.warning("recovery cannot look for it now", kind=kind.value, error=type(error).__name__)
            raise
        if progress.woken:
            log.info("recovery woke what was left behind", kind=kind.value, count=progress.woken)
        return Swept(progress.woken, round(time.monotonic() - began, 3), progress.after, progress.at_once)

    async def rebuild(self, progress: Callable[[int, int], None] | None = None, look: Progress | None = None) -> int:
        """Make a workflow for every message that needs one and has none, e.g. because Temporal lost its state. Those
        that run are left alone, so it is safe at any moment. `progress` is called with how many were looked at, and how
        many made."""
        namespace_id = await self._namespace_id()
        await register_search_attributes(self._client)
        looked = made = 0
        # Begun before and cut off: it goes on where it was, here or in another worker.
        of, _, begun = ((look and look.after) or "").partition(" ")
        place: RebuildPlace | None = RebuildPlace()
        if self._rebuilt[0] == namespace_id:
            place = self._rebuilt[1]
        elif of == namespace_id:
            place = pending_wakes.rebuild_place(begun)
        while place is not None:
            async with self._engine.begin() as tx:
                rows, place = await pending_wakes.needing_workflows(tx, place, PAGE, contract.FOLLOWED)
            made += await self._make_missing(rows)
            looked += len(rows)
            self._rebuilt = (namespace_id, place or RebuildPlace())
            if look is not None:
                look.after, look.at_once, look.woken = f"{namespace_id} {place or RebuildPlace()}", True, made
            if progress is not None:
                progress(looked, made)
        async with self._engine.begin() as tx:
            await installation.set_temporal_namespace(tx, namespace_id)
        self._rebuilt = ("", RebuildPlace())
        if look is not None:
            look.after, look.at_once, look.woken = None, False, made
        return made

    async def _make_missing(self, rows: Sequence[MessageRow]) -> int:
        seen = time.monotonic()
        room = asyncio.Semaphore(AT_ONCE)

        async def make(row: MessageRow) -> bool:
            async with room:
                return await self._dispatcher.start_message(row, seen, wake=False, again=True, missing=True)

        return sum(await asyncio.gather(*(make(row) for row in rows)))

    async def _if_temporal_is_new(self, look: Progress) -> None:
        here = await self._namespace_id()
        async with self._engine.begin() as tx:
            known = await installation.temporal_namespace(tx)
            if known is None:
                await installation.set_temporal_namespace(tx, here)
        if known in (None, here):
            look.after = None
            return
        log.warning("Temporal has lost its state, or is another one: every pending workflow is made anew")
        made = await self.rebuild(look=look)
        log.warning("every pending workflow is there again", made=made)

    async def _namespace_id(self) -> str:
        described = await self._client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=self._client.namespace), timeout=RPC_TIMEOUT
        )
        return str(described.namespace_info.id)

    async def _left_behind(self, kind: SweepKind, look: Progress) -> None:
        """Wake messages of one kind, page by page, about a page of them at a time. Those that were merely late and are
        woken already are passed over, so that what is lost behind them is found."""
        while look.woken < PAGE:
            async with self._engine.begin() as tx:
                page = await left_behind.KINDS[kind](tx, self._grace, left_behind.place(look.after), PAGE)
            # Before they are woken: those for whom that takes too long are in front of nobody at the next look.
            look.after = None if page.next is None else str(page.next)
            look.woken += await self._wake(self._woken.due(page.rows))
            if page.next is None:
                return
        # What is merely late would be later still, were all of it woken at once.
        look.at_once = kind is SweepKind.PENDING

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

    async def _endpoints(self, look: Progress) -> None:
        after = _uuid(look.after)
        async with self._engine.begin() as tx:
            endpoints = await pending_wakes.undrained_endpoints(tx, after, PAGE)
        look.at_once = len(endpoints) == PAGE
        look.after = str(endpoints[-1].id) if look.at_once else None

        async def wake(endpoint: IdleEndpoint) -> None:
            async with self._calls:
                await self._dispatcher.wake_endpoint(endpoint.id, endpoint.scope_id)

        await asyncio.gather(*(wake(endpoint) for endpoint in endpoints))
        look.woken = len(endpoints)

    async def _intents(self, look: Progress) -> None:
        """Have guests' messages looked at whose workflow was not started, or was lost."""
        async with self._engine.begin() as tx:
            rows = await intents.undetected(tx, self._grace, left_behind.place(look.after), PAGE)
        look.at_once = len(rows) == PAGE
        look.after = str(left_behind.Place(rows[-1].wake_due_at, rows[-1].id)) if look.at_once else None

        async def start(row: Undetected) -> None:
            async with self._calls:
                await self._dispatcher.start_detection(row.id, row.scope_id)

        await asyncio.gather(*(start(row) for row in rows))
        look.woken = len(rows)

    async def _broadcasts(self, look: Progress) -> None:
        """Have somebody go on with broadcasts whose workflow was not started, or was lost."""
        async with self._engine.begin() as tx:
            rows = await broadcasts.overdue(tx, self._grace, PAGE)

        async def wake(row: Overdue) -> None:
            async with self._calls:
                await wake_broadcast(self._client, row.id, row.scope_id)

        await asyncio.gather(*(wake(row) for row in rows))
        look.after = None
        look.woken = len(rows)

    async def _inbound_files(self, look: Progress) -> None:
        """Have guests' files seen to whose workflow was not started, was lost, or waits for a far time."""
        async with self._engine.begin() as tx:
            rows = await inbound_files.unsettled(tx, self._grace, left_behind.place(look.after), PAGE)
        look.at_once = len(rows) == PAGE
        look.after = str(left_behind.Place(rows[-1].next_at, rows[-1].id)) if look.at_once else None
        messages = {row.message_id: row.scope_id for row in rows}

        async def wake(message_id: UUID, scope_id: UUID) -> None:
            async with self._calls:
                await self._dispatcher.wake_files(message_id, scope_id)

        await asyncio.gather(*(wake(*each) for each in messages.items()))
        look.woken = len(messages)

    async def _parked(self, look: Progress) -> None:
        """See to it that what is parked is released once it can go on, and that a held account is tried."""
        async with self._engine.begin() as tx:
            self._began = self._began or await health_queries.clock(tx)
            backlogs = await parked.backlogs(tx)
            rows = await parked.probes(tx, self._grace + self._hold)
            rows += await parked.release_of_before(tx, self._began, LOOKED_AT_AGAIN)
            paced = await paces.backlogs(tx, PAGE)
        for row in rows:
            self._dispatcher.woken(row)

        async def release(backlog: Backlog | PacedBacklog) -> None:
            async with self._calls:
                await self._dispatcher.wake_release(backlog)

        await asyncio.gather(*map(release, backlogs), *map(release, paced))
        look.after = None
        look.woken = len(backlogs) + len(paced) + len(rows)

    async def _forget(self, look: Progress) -> None:
        """Forget what is kept for a while only: a chunk of each kind in turn, each a transaction of its own. First the
        months of the tables that have such parts."""
        began = time.monotonic()
        end = began + FORGETTING
        if folding := began - self._months_at >= MONTHS_EVERY:
            self._months_at = began
        await month_keeping.keep(self._engine, folding=folding)
        left = list(retention.EVERY)
        while left and time.monotonic() < end:
            for forget in tuple(left):
                async with self._engine.begin() as tx:
                    if await forget(tx, PAGE) < PAGE:
                        left.remove(forget)
        # It is always the oldest that are forgotten: there is no place to go on from, only more of them.
        look.after = UNFINISHED if left else None

    async def _files(self, look: Progress) -> None:
        """Remove the bytes of files that have been let go, then their rows."""
        look.after = None
        if self._remove_files is None:
            return
        async with self._engine.begin() as tx:
            keys = await assets.gone(tx, PAGE)
        if keys and (done := await self._remove_files(keys)):
            async with self._engine.begin() as tx:
                await assets.removed(tx, done)

    async def _histories(self, look: Progress) -> None:
        async with self._engine.begin() as tx:
            workflow_ids, look.after = await pending_wakes.histories_to_erase(tx, PAGE, look.after)
        look.at_once = look.after is not None
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


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(int=0)
