"""Tells Temporal what Postgres has committed: starts, wakes and receipts, in the background and in batches.

Nothing depends on it for correctness. Each debt is a column of the message (`wake_due_at`) or of the endpoint
(`draining_until`), so what a killed process or an unreachable Temporal leaves behind is found by recovery.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from bellhop import wire
from bellhop.ids import endpoint_workflow, message_workflow
from bellhop.store import wakes
from bellhop.store.receipts import Signal
from bellhop.temporal import RPC_TIMEOUT, attributes_of

log = structlog.get_logger()

CONCURRENT_CALLS = 64
MOST_WAITING = 20_000
BATCH_PAUSE = 0.02


class Conductor:
    """One per process. Its methods return at once; `async with` runs its background tasks and, on leaving, gives
    what is under way a moment to finish."""

    def __init__(self, client: Client, engine: AsyncEngine) -> None:
        self._client = client
        self._engine = engine
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(CONCURRENT_CALLS)
        self._told: dict[UUID, datetime] = {}
        self._owed: set[UUID] = set()
        self._news = asyncio.Event()
        self._batches: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Conductor:
        self._batches = asyncio.create_task(self._run_batches())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._calls:
            await asyncio.wait(self._calls, timeout=3)
        if self._batches is not None:
            self._batches.cancel()
            with suppress(asyncio.CancelledError):
                await self._batches
        with suppress(SQLAlchemyError, RPCError, RuntimeError, OSError):
            await self._batch()
        if self._calls:
            await asyncio.wait(self._calls, timeout=2)

    # --- what callers say, after their commit ------------------------------------------------------------------

    def accepted(self, row: Mapping[str, Any]) -> None:
        """A message was accepted: start its conductor, asleep until it is due. `row`: as store.messages gives it."""
        self._go(self.start_message(row, time.monotonic(), wake=False), row["id"], row["wake_due_at"])

    def woken(self, row: Mapping[str, Any]) -> None:
        """A message was cancelled or moved, or is to be looked at now: wake its conductor, or make one."""
        self._go(self.start_message(row, time.monotonic(), wake=True), row["id"], row["wake_due_at"])

    def told(self, signals: Sequence[Signal]) -> None:
        """Receipts moved messages on."""
        for signal in signals:
            self._go(self._signal(signal), signal.message_id, signal.at)

    def owed(self, endpoints: set[UUID]) -> None:
        """Events were written for these endpoints: wake those that nobody drains."""
        if endpoints:
            self._owed |= endpoints
            self._news.set()

    async def wake_endpoints(self, endpoint_ids: frozenset[UUID]) -> None:
        """The same, for whoever awaits it."""
        self.owed(set(endpoint_ids))

    # --- the calls ------------------------------------------------------------------------------------------------

    def _go(self, call: Any, message_id: UUID, since: datetime | None) -> None:
        if len(self._calls) >= MOST_WAITING:
            # Recovery tells Temporal later what does not fit now.
            call.close()
            return
        task = asyncio.create_task(self._call(call, message_id, since))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _call(self, call: Any, message_id: UUID, since: datetime | None) -> None:
        async with self._room:
            try:
                await call
            except (RPCError, RuntimeError, OSError) as error:
                told = message_workflow(message_id)
                log.warning("Temporal was not told; recovery will", message=told, error=type(error).__name__)
                return
        if since is not None:
            self._told[message_id] = max(since, self._told.get(message_id, since))
            self._news.set()

    async def start_message(self, row: Mapping[str, Any], seen: float, *, wake: bool, again: bool = False) -> None:
        """Start a message's conductor, or with `wake` wake it whether or not it exists. Safe to repeat.

        `seen`: time.monotonic() when `row['now']` was read from the database, whose clock decides the delay.
        `again`: start one even where an earlier one has closed (recovery, of a message that is not finished).
        """
        delay = (row["due_at"] - row["now"]).total_seconds() - (time.monotonic() - seen)
        message_id: UUID = row["id"]
        try:
            await self._client.start_workflow(
                wire.MESSAGE_WORKFLOW,
                str(message_id),
                id=message_workflow(message_id),
                task_queue=wire.TASK_QUEUE_WORKFLOWS,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
                if again
                else WorkflowIDReusePolicy.REJECT_DUPLICATE,
                start_delay=timedelta(seconds=delay) if delay > 0 and not wake else None,
                start_signal=wire.WAKE if wake else None,
                search_attributes=attributes_of(row),
                static_summary=f"{row['channel']} through {row['provider']}",
                # A task lost with a killed worker is given to another after this; the default is twice as long.
                task_timeout=timedelta(seconds=5),
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            # It ran and closed: whatever it was owed, Postgres has.
            return

    async def _signal(self, signal: Signal) -> None:
        handle = self._client.get_workflow_handle(message_workflow(signal.message_id))
        try:
            await handle.signal(wire.RECEIPT_RECORDED, signal.answer, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def wake_endpoint(self, endpoint_id: UUID) -> None:
        """Make sure somebody drains this endpoint."""
        await self._client.start_workflow(
            wire.ENDPOINT_WORKFLOW,
            str(endpoint_id),
            id=endpoint_workflow(endpoint_id),
            task_queue=wire.TASK_QUEUE_WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal=wire.WAKE,
            static_summary="delivers this endpoint's webhooks",
            rpc_timeout=RPC_TIMEOUT,
        )

    # --- in batches ----------------------------------------------------------------------------------------------

    async def _run_batches(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(BATCH_PAUSE)
            try:
                await self._batch()
            except (SQLAlchemyError, RPCError, RuntimeError, OSError) as error:
                log.warning("wake-ups wait for recovery", error=type(error).__name__)

    async def _batch(self) -> None:
        told, self._told = self._told, {}
        owed, self._owed = self._owed, set()
        if not told and not owed:
            return
        async with self._engine.begin() as tx:
            idle = await wakes.idle_endpoints(tx, owed) if owed else []
            if told:
                await wakes.clear(tx, told)
        for endpoint_id in idle:
            await self.wake_endpoint(endpoint_id)
