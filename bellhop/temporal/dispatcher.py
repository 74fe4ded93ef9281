"""Notifies Temporal of what Postgres has committed: starts, wakes and receipts, in the background and in batches.

Nothing depends on it for correctness. A pending notification is a column of the message (`wake_due_at`) or of the
endpoint (`draining_until`), so what a killed process leaves behind is found by recovery. What an unreachable Temporal
did not take is kept and sent as soon as it is back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from bellhop.domain.ids import (
    endpoint_workflow,
    inbound_files_workflow,
    intents_workflow,
    message_workflow,
    paced_release_workflow,
    release_workflow,
)
from bellhop.domain.rows.delivery import Backlog, PacedBacklog
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.run_up import RunUps, task_timeout
from bellhop.store.conversations.inbound import Text
from bellhop.store.database import Autocommit
from bellhop.store.delivery import pending_wakes
from bellhop.store.delivery.first_attempts import FirstAttempts
from bellhop.store.delivery.receipts import Signal
from bellhop.temporal import contract
from bellhop.temporal.client import REFUSALS, RPC_TIMEOUT, attributes_of, priority_of, turn_of
from bellhop.temporal.drained import RecentlyDrained
from bellhop.temporal.held_signals import HeldSignals
from bellhop.temporal.starts import TASK_TIMEOUT, wake, wake_broadcast

log = structlog.get_logger()

CONCURRENT_CALLS = 64
OF_BATCHES = 16
"""So many of them at most start messages of batches: a neighbour's single message does not wait behind a thousand."""
OF_HELD = 4
"""So many send signals that were held back: those of a whole crowd come at once."""
MOST_WAITING = 20_000
BATCH_PAUSE = 0.02
LONGER_PAUSE = 0.1
"""Seconds until a batch in which nobody is to be woken, as far as the last one knew."""
WAKE_PAUSE = 1.0
"""Seconds between two wakes of an endpoint that nobody has begun to drain."""
AGAIN_FIRST = 0.5
AGAIN_LONGEST = 4.0
"""Seconds between two looks whether Temporal is back."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of Temporal; `since`: the time of the pending notification that it makes good."""

    make: Callable[[], Awaitable[object]]
    message_id: UUID | None
    since: datetime | None
    among: asyncio.Semaphore | None = None
    """Of those that have few calls at a time."""


class TemporalDispatcher:
    """One per process. Its methods return at once; `async with` runs its background tasks and, on leaving, gives
    what is under way a moment to finish. `run_ups`: how long before their time messages are started."""

    def __init__(self, client: Client, engine: AsyncEngine, run_ups: RunUps | None = None) -> None:
        self._client = client
        self._autocommit = Autocommit(engine)
        self._run_ups = run_ups or RunUps(0.0, 1.0)
        self._calls: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(CONCURRENT_CALLS)
        of_others, of_batches, of_held = map(asyncio.Semaphore, (CONCURRENT_CALLS, OF_BATCHES, OF_HELD))
        self._of_others, self._of_batches, self._of_held = of_others, of_batches, of_held
        self._notified: dict[UUID, datetime] = {}
        self._to_wake: set[UUID] = set()
        self._woke: dict[UUID, float] = {}
        self._drained = RecentlyDrained()
        self._news, self._pressing = asyncio.Event(), asyncio.Event()
        self._again: deque[_Call] = deque(maxlen=MOST_WAITING)
        self._failed = asyncio.Event()
        self._background: list[asyncio.Task[None]] = []
        self._held_signals = HeldSignals(FirstAttempts(engine), self._signal_soon)

    async def __aenter__(self) -> TemporalDispatcher:
        self._background = [asyncio.create_task(self._run_batches()), asyncio.create_task(self._run_again())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._held_signals.close()
        if self._calls:
            await asyncio.wait(self._calls, timeout=3)
        for task in self._background:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        with suppress(SQLAlchemyError, RPCError, RuntimeError, OSError):
            await self._batch()
        if self._calls:
            await asyncio.wait(self._calls, timeout=2)

    async def reachable(self, timeout: float) -> bool:
        """Whether Temporal answers within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await self._client.service_client.check_health(timeout=timedelta(seconds=timeout))
        except (RPCError, RuntimeError, OSError, TimeoutError):
            return False

    # --- what callers say, after their commit ------------------------------------------------------------------

    def accepted(self, *rows: MessageRow) -> None:
        """Messages were accepted: start their workflows, asleep until they are due; those of a batch few at a time."""
        seen = time.monotonic()
        among = self._of_batches if len(rows) > 1 else None
        for row in rows:
            self._go(_Call(partial(self.start_message, row, seen, wake=False), row.id, row.wake_due_at, among))

    def woken(self, row: MessageRow) -> None:
        """A message was cancelled or moved, or is to be looked at now: wake its workflow, or start one."""
        seen = time.monotonic()
        self._go(_Call(lambda: self.start_message(row, seen, wake=True), row.id, row.wake_due_at))

    def signal_receipts(self, signals: Sequence[Signal]) -> None:
        """Receipts moved messages on."""
        self._held_signals.add(signals)

    def _signal_soon(self, signal: Signal, held: bool) -> None:
        of_held = self._of_held if held else None
        self._go(_Call(partial(self._signal, signal), signal.message_id, signal.at, of_held))

    def wake_endpoints(self, endpoints: Collection[UUID]) -> None:
        """Events were written for these endpoints: wake those that nobody drains."""
        if endpoints:
            self._to_wake.update(endpoints)
            self._news.set()
            if not self._drained.all(endpoints):
                self._pressing.set()

    def detect_intents(self, texts: Iterable[Text]) -> None:
        """Guests have written: have it looked at for what they want. Pending until that is done, not until it is
        started."""
        for one in texts:
            self._go(_Call(partial(self.start_detection, one.message_id, one.scope_id), None, None))

    def settle_files(self, messages: Iterable[Text]) -> None:
        """Guests have sent files, or were erased: have them fetched, or deleted at the provider. Pending until that is
        done, not until it is started."""
        for one in messages:
            self._go(_Call(partial(self.wake_files, one.message_id, one.scope_id), None, None))

    def release(self, backlogs: Iterable[Backlog | PacedBacklog]) -> None:
        """What these waited for is over: have them released. Should this be lost, the next sweep sees it."""
        for backlog in backlogs:
            self._go(_Call(partial(self.wake_release, backlog), None, None))

    def go_on_with(self, broadcast_id: UUID, scope_id: UUID) -> None:
        """A broadcast was started, resumed or cancelled. Should this be lost, the next sweep sees it."""
        self._go(_Call(partial(wake_broadcast, self._client, broadcast_id, scope_id), None, None))

    # --- the calls ------------------------------------------------------------------------------------------------

    def _go(self, call: _Call) -> None:
        if len(self._calls) >= MOST_WAITING:
            # Recovery notifies Temporal later of what does not fit now.
            return
        task = asyncio.create_task(self._first(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _first(self, call: _Call) -> None:
        if self._again:
            # Temporal was away a moment ago: whoever looks whether it is back sends this as well.
            self._keep(call)
            return
        async with call.among or self._of_others:
            await self._in_turn(call)

    async def _in_turn(self, call: _Call) -> None:
        async with self._slots:
            try:
                await self._send(call)
            except (RPCError, RuntimeError, OSError) as error:
                self._keep_or_leave(call, error)

    async def _send(self, call: _Call) -> None:
        await call.make()
        if call.message_id is not None and call.since is not None:
            self._notified[call.message_id] = max(call.since, self._notified.get(call.message_id, call.since))
            self._news.set()

    # --- what Temporal did not take -----------------------------------------------------------------------------

    def _keep_or_leave(self, call: _Call, error: Exception) -> None:
        if isinstance(error, RPCError) and error.status in REFUSALS:
            log.warning("Temporal refuses a notification; recovery will see to it", error=error.status.name)
            return
        if not self._again:
            log.warning("Temporal was not notified; it will be when it is back", error=type(error).__name__)
        self._keep(call)

    def _keep(self, call: _Call) -> None:
        # Beyond MOST_WAITING the oldest is left to recovery.
        self._again.append(call)
        self._failed.set()

    async def _run_again(self) -> None:
        while True:
            await self._failed.wait()
            self._failed.clear()
            pause = AGAIN_FIRST
            while self._again:
                await asyncio.sleep(pause)
                pause = AGAIN_FIRST if await self._try_again() else min(AGAIN_LONGEST, 2 * pause)

    async def _try_again(self) -> bool:
        """Try one; when Temporal takes it, the others too. False while it is away."""
        first = self._again[0]
        try:
            await self._send(first)
        except (RPCError, RuntimeError, OSError) as error:
            if not isinstance(error, RPCError) or error.status not in REFUSALS:
                return False
            self._keep_or_leave(first, error)
        kept, self._again = self._again, deque(maxlen=MOST_WAITING)
        kept.popleft()

        await asyncio.gather(*(self._in_turn(call) for call in kept))
        return not self._again

    async def start_message(
        self, row: MessageRow, seen: float, *, wake: bool, again: bool = False, missing: bool = False
    ) -> bool:
        """Start a message's workflow, or with `wake` wake it whether or not it exists. Safe to repeat. False: there
        was nothing to start.

        `seen`: time.monotonic() when `row.now` was read from the database, whose clock decides the delay.
        `again`: start one even where an earlier one has closed (recovery, of a message that is not finished).
        `missing`: leave one that runs alone.
        """
        # A parked one has nothing to ask before it is released, which wakes it, or expires.
        begins = row.due_at if row.waits_for is None else row.expires_at or row.due_at
        delay = (begins - row.now).total_seconds() - (time.monotonic() - seen)
        asleep = delay > 0 and not wake
        message_id: UUID = row.id
        due = row.due_at.timestamp()
        lead = self._run_ups.lead(due, due - delay) if asleep and row.waits_for is None else 0.0
        try:
            await self._client.start_workflow(
                contract.MESSAGE_WORKFLOW,
                str(message_id),
                id=message_workflow(message_id),
                task_queue=contract.TASK_QUEUE_AHEAD if lead else contract.TASK_QUEUE_WORKFLOWS,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL if missing else WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
                if again
                else WorkflowIDReusePolicy.REJECT_DUPLICATE,
                start_delay=timedelta(seconds=delay - lead) if asleep and delay > lead else None,
                start_signal=contract.WAKE if wake else None,
                search_attributes=attributes_of(row, asleep=asleep),
                priority=priority_of(row),
                static_summary=f"{row.channel} through {row.provider}",
                task_timeout=task_timeout(lead, TASK_TIMEOUT),
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            # It ran and closed: Postgres has everything it would have been notified of.
            return False
        return True

    async def _signal(self, signal: Signal) -> None:
        handle = self._client.get_workflow_handle(message_workflow(signal.message_id))
        try:
            await handle.signal(contract.RECEIPT_RECORDED, signal.answer, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def wake_endpoint(self, endpoint_id: UUID, scope_id: UUID) -> None:
        """Make sure somebody drains this endpoint of that scope."""
        await wake(
            self._client,
            contract.ENDPOINT_WORKFLOW,
            endpoint_id,
            id=endpoint_workflow(endpoint_id),
            queue=contract.TASK_QUEUE_WEBHOOKS,
            summary="delivers this endpoint's webhooks",
            turn=turn_of(scope_id),
        )

    async def wake_release(self, backlog: Backlog | PacedBacklog) -> None:
        """Make sure somebody releases what is parked there."""
        if isinstance(backlog, PacedBacklog):
            return await self._wake_paced(backlog)
        await wake(
            self._client,
            contract.RELEASE_WORKFLOW,
            backlog.scope_id,
            more=[backlog.channel.value],
            id=release_workflow(backlog.scope_id, backlog.channel.value),
            queue=contract.TASK_QUEUE_RELEASES,
            summary=f"releases parked messages: {backlog.channel.value}",
            turn=turn_of(backlog.scope_id),
        )

    async def _wake_paced(self, backlog: PacedBacklog) -> None:
        await wake(
            self._client,
            contract.PACED_RELEASE_WORKFLOW,
            backlog.pace_id,
            id=paced_release_workflow(backlog.pace_id),
            queue=contract.TASK_QUEUE_RELEASES,
            summary="releases what waits for a sender's pace",
            turn=turn_of(backlog.pace_id),
        )

    async def start_detection(self, message_id: UUID, scope_id: UUID) -> None:
        """Make sure that a guest's message is looked at for intents. Safe to repeat: the record knows if it was."""
        await wake(
            self._client,
            contract.INTENTS_WORKFLOW,
            message_id,
            id=intents_workflow(message_id),
            queue=contract.TASK_QUEUE_INTENTS,
            summary="looks for what the guest wants",
            turn=turn_of(scope_id),
            signal=None,
        )

    async def wake_files(self, message_id: UUID, scope_id: UUID) -> None:
        """Make sure that somebody sees to the files of a guest's message. Safe to repeat."""
        await wake(
            self._client,
            contract.INBOUND_FILES_WORKFLOW,
            message_id,
            id=inbound_files_workflow(message_id),
            queue=contract.TASK_QUEUE_FILES,
            summary="fetches a guest's files",
            turn=turn_of(scope_id),
        )

    # --- in batches ----------------------------------------------------------------------------------------------

    async def _run_batches(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(BATCH_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGER_PAUSE - BATCH_PAUSE):
                    await self._pressing.wait()
            self._pressing.clear()
            try:
                await self._batch()
            except (SQLAlchemyError, RPCError, RuntimeError, OSError) as error:
                log.warning("wake-ups wait for the database", error=type(error).__name__)
                await asyncio.sleep(AGAIN_FIRST)
                self._news.set()

    async def _batch(self) -> None:
        notified, self._notified = self._notified, {}
        to_wake, self._to_wake = self._to_wake, set()
        if not notified and not to_wake:
            return
        try:
            idle = await pending_wakes.clear_and_idle(self._autocommit, notified, to_wake)
        except BaseException:
            self._notified = {**notified, **self._notified}
            self._to_wake |= to_wake
            raise
        self._drained.note(to_wake, {endpoint.id for endpoint in idle})
        now = time.monotonic()
        for endpoint in idle:
            if now - self._woke.get(endpoint.id, -WAKE_PAUSE) >= WAKE_PAUSE:
                self._woke[endpoint.id] = now
                self._go(_Call(partial(self.wake_endpoint, endpoint.id, endpoint.scope_id), None, None))
            else:
                # Woken a moment ago, and whoever drains has not begun: another signal would only be in its way.
                self._to_wake.add(endpoint.id)
        if self._to_wake and not self._news.is_set():
            asyncio.get_running_loop().call_later(WAKE_PAUSE, self._news.set)
