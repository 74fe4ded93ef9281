"""What the webhook tests share: a customer's server that really listens, and rows to tell events about."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.drain import EndpointActivities
from activities.drain_loop import Pace
from bellhop.domain.answers import Drained
from bellhop.domain.events import OF_STAGE
from bellhop.domain.signing import new_secret
from bellhop.domain.statuses import STATUS, Stage
from bellhop.store import tables
from bellhop.store.webhooks import events
from bellhop.webhooks.outbox import PostgresOutbox
from bellhop.webhooks.poster import WebhookPoster, make_client
from bellhop.webhooks.settings import WebhookSettings

LOCAL = ["127.0.0.0/8"]
QUICK = Pace(linger=0.15, poll=0.02, tick=0.01, works=20.0)


@dataclass
class Call:
    """One request the customer's server got."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)
    status: int | None = None
    """What it was answered, as soon as it is."""

    @property
    def late(self) -> float:
        """Seconds from the event to its arrival."""
        return self.at - datetime.fromisoformat(self.json["created_at"]).timestamp()

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)  # type: ignore[no-any-return]


Answer = tuple[int, dict[str, str]]


@dataclass
class Receiver:
    """A customer's server. `answer` decides about each call; by default every one is welcome."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answer: Callable[[Call], Awaitable[Answer]] | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    async def got(self, count: int, path: str | None = None, within: float = 30.0) -> list[Call]:
        """Wait for so many calls."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.calls if path is None else self.at(path)) >= count)
        return self.calls if path is None else self.at(path)

    async def received(self, count: int, within: float = 30.0) -> set[str]:
        """Wait until so many different events were welcome; those that were refused do not count. Returns their ids."""

        def welcome() -> set[str]:
            return {call.json["id"] for call in self.calls if call.status is not None and call.status < 300}

        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(welcome()) >= count)
        return welcome()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        call = Call(scope["path"], headers, body)
        async with self._news:
            self.calls.append(call)
            self._news.notify_all()
        status, extra = await self.answer(call) if self.answer else (204, {})
        async with self._news:
            call.status = status
            self._news.notify_all()
        answered = [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": answered})
        await send({"type": "http.response.body", "body": b""})


def says(*statuses: int, **headers: str) -> Any:
    """Answer with these statuses in turn, the last one for ever."""
    left = list(statuses)

    async def answer(_: Call) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0], {name.replace("_", "-"): v for name, v in headers.items()}

    return answer


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    receiver.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(receiver, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield receiver
    finally:
        server.should_exit = True
        await running


class Woken:
    """Stands where the dispatcher does and remembers whom it was to wake."""

    def __init__(self) -> None:
        self.endpoints: set[UUID] = set()

    def wake_endpoints(self, endpoints: set[UUID]) -> None:
        self.endpoints |= endpoints


@dataclass
class WebhookStack:
    """A property with its test scope, and ways to make things happen to it."""

    engine: AsyncEngine
    property_id: UUID
    scope_id: UUID
    woken: Woken = field(default_factory=Woken)

    async def endpoint(self, url: str, types: Sequence[str] = ("*",)) -> UUID:
        made = insert(tables.endpoints).values(scope_id=self.scope_id, url=url, secret=new_secret(), events=list(types))
        async with self.engine.begin() as tx:
            return (await tx.execute(made.returning(tables.endpoints.c.id))).scalar_one()  # type: ignore[no-any-return]

    async def endpoint_row(self, endpoint_id: UUID) -> Any:
        async with self.engine.begin() as tx:
            return (await tx.execute(select(tables.endpoints).where(tables.endpoints.c.id == endpoint_id))).one()

    async def set_endpoint(self, endpoint_id: UUID, **values: Any) -> None:
        async with self.engine.begin() as tx:
            await tx.execute(update(tables.endpoints).where(tables.endpoints.c.id == endpoint_id).values(**values))

    async def message(self, **values: Any) -> UUID:
        given: dict[str, Any] = {
            "scope_id": self.scope_id,
            "channel": "sms",
            "recipient": "+13055551234",
            "content": "Your room is ready",
            # Long ago: a crowd of those that wait for their first attempt would hold webhooks back.
            "due_at": datetime.now(UTC) - timedelta(hours=1),
        }
        async with self.engine.begin() as tx:
            made = await tx.execute(insert(tables.messages).values(given | values).returning(tables.messages.c.id))
            return made.scalar_one()  # type: ignore[no-any-return]

    async def tell(self, message_id: UUID, *stages: Stage, **facts: object) -> set[UUID]:
        """What a message's progress writes."""
        news = [
            events.NewEvent(OF_STAGE[stage].value, STATUS[stage].value, {"stage": stage.value, **facts})
            for stage in stages
        ]
        async with self.engine.begin() as tx:
            return await events.write(tx, self.scope_id, "message", message_id, news)

    async def deliveries(self, endpoint_id: UUID) -> list[Any]:
        due = func.coalesce(tables.pending_deliveries.c.next_at, tables.deliveries.c.next_at)
        columns = [due.label("next_at") if each.name == "next_at" else each for each in tables.deliveries.c]
        pending = tables.pending_deliveries.c.delivery_id == tables.deliveries.c.id
        found = select(*columns).outerjoin(tables.pending_deliveries, pending)
        found = found.where(tables.deliveries.c.endpoint_id == endpoint_id)
        async with self.engine.begin() as tx:
            return list((await tx.execute(found.order_by(tables.deliveries.c.event_id))).all())

    async def due_now(self, endpoint_id: UUID) -> None:
        """Let the time pass until everything is due."""
        moved = update(tables.deliveries).where(tables.deliveries.c.endpoint_id == endpoint_id)
        async with self.engine.begin() as tx:
            await tx.execute(moved.values(next_at=tables.deliveries.c.created_at))

    async def pass_time(self, endpoint_id: UUID, seconds: float) -> None:
        """Let so much time pass for the pending deliveries of an endpoint, and for how long it has been failing."""
        passed = timedelta(seconds=seconds)
        pending, endpoint = tables.pending_deliveries.c, tables.endpoints.c
        async with self.engine.begin() as tx:
            await tx.execute(
                update(tables.pending_deliveries)
                .where(pending.endpoint_id == endpoint_id)
                .values(next_at=pending.next_at - passed)
            )
            failing = endpoint.failing_since - passed
            await tx.execute(update(tables.endpoints).where(endpoint.id == endpoint_id).values(failing_since=failing))

    async def drain(
        self,
        endpoint_id: UUID,
        *,
        allow: Sequence[str] = LOCAL,
        pauses: Sequence[float] = (60.0, 600.0),
        timeout: float = 5.0,
        pace: Pace = QUICK,
        disable_after: float = 1000.0,
    ) -> Drained:
        """One run of the activity, as the worker would make it."""
        settings = WebhookSettings(
            allow=list(allow), retry_pauses=list(pauses), timeout=timeout, disable_after=disable_after
        )
        async with make_client(settings) as client:
            does = activities(self.engine, settings, client, self.woken, pace)
            return await ActivityEnvironment().run(does.drain, str(endpoint_id))


def activities(
    engine: AsyncEngine, settings: WebhookSettings, client: Any, waker: Any, pace: Pace = QUICK
) -> EndpointActivities:
    outbox, poster = PostgresOutbox(engine, settings), WebhookPoster(settings, client)
    return EndpointActivities(outbox, poster, waker, settings.retry_pauses, pace)


async def build_stack(engine: AsyncEngine) -> WebhookStack:
    async with engine.begin() as tx:
        found = await tx.execute(
            insert(tables.properties)
            .values(name="Seaside Inn", slug=f"inn-{uuid4().hex}")
            .returning(tables.properties.c.id)
        )
        property_id = found.scalar_one()
        made = insert(tables.scopes).values(property_id=property_id, environment="test").returning(tables.scopes.c.id)
        return WebhookStack(engine, property_id, (await tx.execute(made)).scalar_one())
