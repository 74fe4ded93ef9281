"""Wraps each lasting step of a process from outside, with a point before and one after, where it can be made to die.

Nothing in the code knows of it. Each point that is passed is written to a journal. The point that the file `armed`
names kills the process: SIGKILL, as the kernel's or an operator's would.
"""

from __future__ import annotations

import inspect
import os
import signal
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio import activity, client, service, worker, workflow
from temporalio.service import RPCError, RPCStatusCode

from bellhop.domain.delivery_ports import Provider
from bellhop.providers import providers
from bellhop.providers.lease_http2 import _Peer
from bellhop.store.database import Autocommit, Database
from bellhop.store.held_connections import HeldConnections
from bellhop.webhooks.poster import WebhookPoster

from .sites import transaction, within

BEFORE, AFTER = "before", "after"
NO_CALLS = ("verify", "parse", "acknowledgement", "file_at")
"""What a provider does without calling anybody."""
UNKNOWN = "tx of unknown origin"
HARMLESS = ("get_system_info", "check")
"""RPCs that change nothing and tell nothing: part of connecting, and of /readyz."""

# How long Temporal waits before it gives on what a killed worker had in hand, where the code says longer. Seconds.
TASK, BEATING, SILENT = 3.0, 3.0, 8.0


class Points:
    """The points of one process. `room`: a directory with `journal`, `armed` and `refused`."""

    def __init__(self, room: Path) -> None:
        self._armed = room / "armed"
        self._refused = room / "refused"
        self._journal = os.open(room / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._lock = threading.Lock()
        self._passed: Counter[tuple[str, str]] = Counter()

    def at(self, step: str, side: str) -> None:
        """Pass a point, or die at it."""
        with self._lock:
            os.write(self._journal, f"{step}:{side}\n".encode())
            try:
                armed = self._armed.read_text()
            except FileNotFoundError:
                return
            number, _, point = armed.partition(" ")
            if point != f"{step}:{side}":
                return
            self._passed[armed, point] += 1
            if self._passed[armed, point] == int(number):
                # Whoever renames it dies of it: once only, also when the same point is reached again after the restart.
                self._armed.rename(self._armed.with_name("died"))
                os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()

    @contextmanager
    def around(self, step: str) -> Iterator[None]:
        """A step that is over when it has not raised."""
        self.at(step, BEFORE)
        yield
        self.at(step, AFTER)

    def refuses(self, step: str) -> bool:
        """Whether this call is to fail as if nobody were there."""
        try:
            return step in self._refused.read_text().splitlines()
        except FileNotFoundError:
            return False


def wrap_everything(points: Points) -> None:
    """To be called once, before anything is built."""
    _transactions(points)
    _rpcs(points)
    _providers(points)
    _frames(points)
    _posts(points)
    _interceptors(points)


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


def _transactions(points: Points) -> None:
    """Each commit. Reading alone is done in autocommit (`Database.read`) and is no step."""
    connect, plainly = AsyncEngine.connect, AsyncEngine.begin
    transact, write = HeldConnections.transaction, Database.write
    single, run = Database.single, Autocommit.run
    # Database.write runs its work in a task of its own, in which its caller cannot be seen.
    caller: ContextVar[str] = ContextVar("caller", default=UNKNOWN)

    @asynccontextmanager
    async def in_transaction(engine: AsyncEngine, step: str) -> AsyncIterator[AsyncConnection]:
        # What AsyncEngine.begin does, with the two points between its lines.
        async with connect(engine) as tx:
            async with tx.begin():
                yield tx
                points.at(step, BEFORE)
            points.at(step, AFTER)

    @asynccontextmanager
    async def on_held(held: HeldConnections, step: str) -> AsyncIterator[AsyncConnection]:
        async with transact(held) as tx:
            yield tx
            points.at(step, BEFORE)
        points.at(step, AFTER)

    def begin(engine: AsyncEngine) -> Any:
        if within("HeldConnections."):
            # Of a pool that is too small for it to keep any.
            return plainly(engine)
        return in_transaction(engine, transaction())

    def held(connections: HeldConnections) -> Any:
        return on_held(connections, caller.get() if caller.get() != UNKNOWN else transaction())

    def written(database: Database, *given: Any, **named: Any) -> Any:
        return by_name(transaction(), write(database, *given, **named))

    def alone(database: Database, *given: Any, **named: Any) -> Any:
        return by_name(transaction(), single(database, *given, **named))

    def ran(autocommit: Autocommit, *given: Any, **named: Any) -> Any:
        step = caller.get() if caller.get() != UNKNOWN else transaction()
        return around(step, run(autocommit, *given, **named))

    async def around(step: str, work: Coroutine[Any, Any, Any]) -> Any:
        with points.around(step):
            return await work

    async def by_name(step: str, work: Coroutine[Any, Any, Any]) -> Any:
        token = caller.set(step)
        try:
            return await work
        finally:
            caller.reset(token)

    AsyncEngine.begin, HeldConnections.transaction = begin, held  # type: ignore[method-assign]
    Database.write = written  # type: ignore[method-assign]
    Database.single, Autocommit.run = alone, ran  # type: ignore[method-assign]


# --- Temporal -----------------------------------------------------------------------------------------------------


def _rpcs(points: Points) -> None:
    """Each call to the server: all of them go through one method of the SDK, whatever makes them."""
    sent = service._BridgeServiceClient._rpc_call

    @wraps(sent)
    async def call(self: Any, rpc: str, req: Any, *more: Any, **named: Any) -> Any:
        if rpc in HARMLESS:
            return await sent(self, rpc, req, *more, **named)
        step = f"rpc {_rpc_name(rpc, req)}" + (" by the sweep" if within("PostgresSweeper.") else "")
        if points.refuses(step):
            raise RPCError("refused by the test", RPCStatusCode.UNAVAILABLE, b"")
        if hasattr(req, "workflow_task_timeout"):
            req.workflow_task_timeout.CopyFrom(Duration(seconds=int(TASK)))
        with points.around(step):
            return await sent(self, rpc, req, *more, **named)

    service._BridgeServiceClient._rpc_call = call  # type: ignore[method-assign]


def _rpc_name(rpc: str, req: Any) -> str:
    match rpc:
        case "start_workflow_execution":
            return f"start {req.workflow_type.name}"
        case "signal_with_start_workflow_execution":
            return f"{req.signal_name} {req.workflow_type.name}"
        case "signal_workflow_execution":
            return f"signal {req.signal_name}"
        case _:
            return rpc


class StepInterceptor(client.Interceptor, worker.Interceptor):
    """Activities, local ones too, and the workflows' own code: begun, and done but not yet reported to Temporal."""

    def __init__(self, points: Points) -> None:
        self._points = points

    def intercept_activity(self, following: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        points = self._points

        class Activity(worker.ActivityInboundInterceptor):
            async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
                info = activity.info()
                with points.around(f"{'local ' if info.is_local else ''}activity {info.activity_type}"):
                    return await self.next.execute_activity(input)

        return Activity(following)

    def workflow_interceptor_class(self, input: Any) -> type[worker.WorkflowInboundInterceptor]:
        points = self._points

        def at(step: str, side: str) -> None:
            if not workflow.unsafe.is_replaying():
                points.at(step, side)

        class Outbound(worker.WorkflowOutboundInterceptor):
            def start_activity(self, input: worker.StartActivityInput) -> Any:
                _hurry(input)
                return self.next.start_activity(input)

        class Inbound(worker.WorkflowInboundInterceptor):
            def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
                self.next.init(Outbound(outbound))

            async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
                step = f"workflow {workflow.info().workflow_type}"
                at(step, BEFORE)
                result = await self.next.execute_workflow(input)
                at(step, AFTER)
                return result

            async def handle_signal(self, input: worker.HandleSignalInput) -> None:
                step = f"{workflow.info().workflow_type} hears {input.signal}"
                at(step, BEFORE)
                await self.next.handle_signal(input)
                at(step, AFTER)

        return Inbound


def _hurry(input: worker.StartActivityInput) -> None:
    """A killed worker's activity is noticed within seconds: the matrix waits for it a hundred times."""
    if input.heartbeat_timeout is not None:
        input.heartbeat_timeout = min(input.heartbeat_timeout, timedelta(seconds=BEATING))
    elif input.start_to_close_timeout is not None:
        input.start_to_close_timeout = min(input.start_to_close_timeout, timedelta(seconds=SILENT))


def _interceptors(points: Points) -> None:
    connect = client.Client.connect

    async def connected(*given: Any, **named: Any) -> client.Client:
        return await connect(*given, **named, interceptors=[StepInterceptor(points)])

    client.Client.connect = connected  # type: ignore[method-assign,assignment]


# --- providers and customers ---------------------------------------------------------------------------------------


def provider_calls() -> list[str]:
    """The methods of a provider that call it."""
    public = [name for name, _ in inspect.getmembers(Provider, inspect.isfunction) if not name.startswith("_")]
    return [name for name in public if name not in NO_CALLS]


def _providers(points: Points) -> None:
    def wrapped(step: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def made(*given: Any, **named: Any) -> Any:
            with points.around(step):
                return call(*given, **named)

        return made

    for provider in providers().values():
        for name in provider_calls():
            if call := getattr(type(provider), name, None):
                setattr(type(provider), name, wrapped(f"{provider.name} {name}", call))


def _frames(points: Points) -> None:
    """What is written of a request over HTTP/2: its head, then its text."""
    exchange, flush = _Peer.exchange, _Peer._flush
    asking: set[int] = set()

    def exchanged(peer: _Peer, *given: Any) -> Any:
        asking.add(id(peer))
        try:
            return exchange(peer, *given)
        finally:
            asking.discard(id(peer))

    def flushed(peer: _Peer, call: Any) -> None:
        if id(peer) not in asking:
            return flush(peer, call)
        with points.around("apns frames"):
            flush(peer, call)

    _Peer.exchange, _Peer._flush = exchanged, flushed  # type: ignore[method-assign]


def _posts(points: Points) -> None:
    post = WebhookPoster.post

    async def posted(self: WebhookPoster, *given: Any, **named: Any) -> Any:
        with points.around("webhook post"):
            return await post(self, *given, **named)

    WebhookPoster.post = posted  # type: ignore[method-assign]
