"""The whole engine in one process, with its real parts: the API over HTTP, the worker, the sandbox's callbacks."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import uvicorn
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from api.app import create_app
from api.server import options
from bellhop.dev.callbacks import callback_env
from bellhop.domain.addresses import AddressBook
from bellhop.domain.ids import Prefix, message_workflow, parse
from bellhop.domain.scopes import Scope
from bellhop.domain.sweeps import SweepKind
from bellhop.media.library import Library
from bellhop.media.receiving import ReceivedFiles, make_own_client, make_public_client
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.providers import load_sdks
from bellhop.settings import Settings
from bellhop.store.access import keys
from bellhop.temporal.client import register_search_attributes
from bellhop.temporal.contract import sweep_schedule
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.temporal.recovery import PostgresSweeper
from bellhop.webhooks.poster import make_client
from tests.sandbox_accounts import SANDBOX_SECRET
from worker import activity_workers, call_slots, message_activities, run_up_of, workflow_workers

GUEST = "+13055551234"
SMS = {"channel": "sms", "recipient": GUEST, "content": "Your suite is ready."}
EMAIL = {
    "channel": "email",
    "recipient": "jordan@example.com",
    "subject": "Tomorrow",
    "content": "See you.",
    "content_type": "text/html",
}

# Quick, but in the order and with the gaps of the real ones.
SANDBOX_PACE = {
    "twilio_sent_after": 0.05,
    "twilio_delivered_after": 0.15,
    "sendgrid_processed_after": 0.05,
    "sendgrid_delivered_after": 0.15,
    "sendgrid_open_after": 0.3,
    "sendgrid_batch_window": 0.02,
}

# For what has no TLS: each client would read every certificate there is, a tenth of a second's work.
PLAIN: dict[str, Any] = {"verify": False, "trust_env": False}


def free_port() -> int:
    """A port nobody listens on, and none that the kernel gives to whoever asks for any."""
    for port in random.sample(range(20_000, 32_000), 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


@dataclass
class Engine:
    """What a test does with it."""

    settings: Settings
    database: AsyncEngine
    dispatcher: TemporalDispatcher
    client: Client
    book: AddressBook
    scope: Scope
    http: httpx2.AsyncClient
    """The API, with a key that may do everything in the test environment."""
    sandbox: httpx2.AsyncClient

    async def send(self, body: dict[str, Any], *, now: bool = False, **headers: str) -> dict[str, Any]:
        """Send through the API. `now`: wait for the provider's acceptance as callers do by default."""
        prefer = {} if now else {"Prefer": "respond-async"}
        answer = await self.http.post("/v1/messaging/send", json=body, headers={**prefer, **headers})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def get(self, message_id: str) -> dict[str, Any]:
        """The message as the API shows it."""
        answer = await self.http.get(f"/v1/messaging/{message_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until(self, message_id: str, *statuses: str, seconds: float = 20) -> dict[str, Any]:
        """The message once it has one of `statuses`."""
        seen: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while (seen := await self.get(message_id))["status"] not in statuses:
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise AssertionError(f"{message_id} is {seen.get('status')}, not {statuses}") from None
        return seen

    async def send_through(self, provider: str) -> None:
        """This provider's sandbox account leads on its channel from now on."""
        async with self.database.begin() as tx:
            await tx.execute(
                text(
                    "update senders s set is_default = a.provider = :provider from provider_accounts a"
                    " where a.id = s.account_id and s.scope_id = :scope and s.channel in"
                    " (select o.channel from senders o join provider_accounts p on p.id = o.account_id"
                    "  where p.provider = :provider)"
                ),
                {"provider": provider, "scope": self.scope.id},
            )

    async def accepted(self, **query: str) -> list[dict[str, Any]]:
        """What the sandbox accepted."""
        return list((await self.sandbox.get("/_sandbox/messages", params=query)).json()["data"])

    async def fault(self, kind: str, **fields: Any) -> None:
        """Make the sandbox's next calls go wrong."""
        answer = await self.sandbox.post("/_sandbox/faults", json={"kind": kind, **fields})
        assert answer.status_code < 300, answer.text

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What the record says."""
        async with self.database.begin() as tx:
            return [dict(row) for row in (await tx.execute(text(query), values)).mappings()]

    async def attempts(self, message_id: str) -> list[dict[str, Any]]:
        """The attempts of a message, oldest first."""
        return await self.rows("select * from attempts where message_id = :id order by id", id=key(message_id))

    async def events(self, message_id: str) -> list[str]:
        """The types of the public events of a message, in order."""
        rows = await self.rows("select type from events where subject_id = :id order by id", id=key(message_id))
        ours = ("message.queued", "message.rescheduled", "message.held", "message.waiting", "attempt.")
        return [row["type"] for row in rows if not row["type"].startswith(ours)]

    async def history(self, message_id: str) -> Any:
        """Its workflow's history."""
        uuid = key(message_id)
        return await self.client.get_workflow_handle(message_workflow(uuid)).fetch_history()

    @property
    def sweeper(self) -> PostgresSweeper:
        """Recovery, as a worker would do it."""
        grace, hold = self.settings.bellhop.sweep_grace, self.settings.delivery.hold
        return PostgresSweeper(self.database, self.client, self.dispatcher, grace, hold)

    async def sweep(self) -> int:
        """Recovery, once, now."""
        return await self.sweeper.sweep()

    async def workflow_closed(self, message_id: str, seconds: float = 30) -> str:
        """The result of its workflow, once it has closed."""
        handle = self.client.get_workflow_handle(message_workflow(key(message_id)))
        try:
            async with asyncio.timeout(seconds):
                while True:
                    # Who has just accepted it may not have started it yet.
                    with suppress(RPCError):
                        return str(await handle.result())
                    await asyncio.sleep(0.1)
        except TimeoutError:
            events = [
                f"{event.event_time.ToJsonString()} {EventType.Name(event.event_type)}"
                for event in (await handle.fetch_history()).events
            ]
            raise AssertionError(f"{message_id} has not closed:\n" + "\n".join(events)) from None


def key(message_id: str) -> UUID:
    """The row key behind `omsg_…`."""
    found = parse(Prefix.MESSAGE, message_id)
    assert found is not None
    return found


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The API on the port its public URL names."""
    port = int(settings.bellhop.public_url.rsplit(":", 1)[1])
    app, served = create_app(settings), options(settings.api)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", **served)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not task.done(), "the API did not start"
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def working(engine: Engine, environments: Sequence[str] = ("test",)) -> AsyncIterator[None]:
    """A worker of both roles, while it lasts. `environments`: each more has a queue for every provider."""
    load_sdks()  # as the worker does, before its first message
    slots, questions = call_slots(engine.settings)
    webhook = engine.settings.webhook
    async with make_client(webhook) as posts, make_public_client(webhook) as public, make_own_client() as own:
        library = Library(engine.settings.media, engine.settings.media_addresses())
        messages = message_activities(
            engine.settings, engine.database, engine.dispatcher, slots, questions, library, public
        )
        run_up = run_up_of(engine.settings, engine.database)
        workers = [
            *workflow_workers(engine.client, engine.settings, messages, run_up),
            *activity_workers(
                engine.client,
                engine.settings,
                engine.database,
                engine.dispatcher,
                messages,
                posts,
                engine.sweeper,
                ReceivedFiles(engine.database, library, public, own),
                environments=environments,
            ),
        ]
        running = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            yield
        finally:
            run_up.close()
            await asyncio.gather(*(worker.shutdown() for worker in workers))
            await asyncio.gather(*running)
            slots.close()
            questions.close()


@asynccontextmanager
async def running_engine(
    settings: Settings, database: AsyncEngine, client: Client, sandbox_url: str, *, worker: bool = True
) -> AsyncIterator[Engine]:
    """An engine with one property in the test environment; `worker=False`: nobody works yet."""
    await register_search_attributes(client)
    settings.bellhop.sandbox_url = sandbox_url
    settings.bellhop.public_url = f"http://127.0.0.1:{free_port()}"
    book = AddressBook(settings.bellhop.secret_key.get_secret_value())
    async with database.begin() as tx:
        scopes = await ensure_property(tx, "Grand Sunset Resort", "grand-sunset")
        await ensure_accounts(tx, scopes["test"], settings)
        _, raw = await keys.create(tx, scopes["test"], "tests", ["*"], rate_limit=1_000_000)
    async with (
        serving(settings) as api_url,
        httpx2.AsyncClient(base_url=api_url, headers={"Authorization": f"Bearer {raw}"}, timeout=30, **PLAIN) as http,
        httpx2.AsyncClient(base_url=sandbox_url, timeout=30, **PLAIN) as sandbox,
        TemporalDispatcher(client, database) as dispatcher,
    ):
        urls = {
            name.removeprefix("SANDBOX_").lower(): value
            for name, value in callback_env(api_url, SANDBOX_SECRET).items()
        }
        await sandbox.delete("/_sandbox/messages")
        await sandbox.delete("/_sandbox/faults")
        answer = await sandbox.put("/_sandbox/settings", json={**SANDBOX_PACE, **urls})
        assert answer.status_code == 200, answer.text
        engine = Engine(settings, database, dispatcher, client, book, scopes["test"], http, sandbox)
        if not worker:
            yield engine
            return
        async with working(engine):
            yield engine


async def stop_sweeping(client: Client) -> None:
    """Remove every schedule of recovery's: one that stays goes on for as long as the server, a tenth of a core for all
    that sweep every second."""
    for kind in SweepKind:
        with suppress(RPCError):
            await client.get_schedule_handle(sweep_schedule(kind)).delete()
