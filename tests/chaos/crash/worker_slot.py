"""A worker slot: database, queues, sandbox and process of its own, in which scenarios are played one after another."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from psycopg.rows import dict_row
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from bellhop.dev.callbacks import callback_env
from bellhop.domain.ids import Prefix, endpoint_workflow, render
from bellhop.sandbox.testing import Receiver, running
from tests.chaos.crash.points import Point
from tests.chaos.crash.process_pool import SANDBOX, Child, ProcessPool, release_name
from tests.chaos.crash.record import FILES, STATE, row_key, workflow_of
from tests.chaos.crash.scenarios import NUMBERS, Ending, Play, Scenario
from tests.chaos.crash.sweeping import stop_sweeping, sweeping
from tests.databases import dsn_of
from tests.sandbox_accounts import SANDBOX_SECRET, sandbox_sendgrid, sendgrid_batch

DIES_WITHIN, ENDS_WITHIN = 60.0, 120.0


@dataclass
class Shared:
    """What all slots share. `received`: webhooks by the id of what they are about, in the order they came."""

    pool: ProcessPool
    server: str
    template: str
    temporal: Client
    key: str
    receiver: Receiver
    room: Path
    site: str
    received: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Several sandboxes in threads of one process must not build their models at the same time."""
    _read: int = 0

    def sort_received(self) -> None:
        """Sort what has come in since."""
        new = self.receiver.received[self._read :]
        self._read += len(new)
        for one in new:
            content = json.loads(one.body)
            data = content["data"]
            self.received.setdefault(data.get("message_id") or data["id"], []).append(content)


@dataclass
class Played:
    """What is known after a scenario was played, for the checks."""

    play: Play
    state: dict[str, Any]
    deaths: list[int]
    copies: list[dict[str, Any]]
    status: str
    timeline: list[dict[str, Any]] | None
    """None: it is gone."""
    webhooks: list[dict[str, Any]]


class WorkerSlot:
    """Plays scenarios. Its process is started again whenever it ends."""

    def __init__(self, shared: Shared, name: str, sandbox_url: str, api: httpx2.AsyncClient) -> None:
        self._shared = shared
        self._name = name
        self._room = shared.room / name
        # Given up before the sandbox closes them: after 5 s, which may be while the next call is on its way.
        limits = httpx2.Limits(keepalive_expiry=1.0)
        self._sandbox = httpx2.AsyncClient(base_url=sandbox_url, timeout=20, trust_env=False, limits=limits)
        self._api = api
        self._sandbox_url = sandbox_url
        self.site = shared.site
        self._child: Child | None = None
        self._ended: list[int] = []
        self._record: psycopg.AsyncConnection[dict[str, Any]]

    # --- the process

    async def live(self) -> None:
        """Keep a process going."""
        port = self._api.base_url.port
        env = {
            "BELLHOP_PORT": str(port),
            "BELLHOP_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "BELLHOP_SANDBOX_URL": self._sandbox_url,
            "POSTGRES_DSN": dsn_of(self._shared.server, self._name),
            "TEMPORAL_ADDRESS": self._shared.temporal.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": self._shared.temporal.namespace,
            "MEDIA_DIR": str(self._room / "media"),
        }
        while True:
            self._child = await self._shared.pool.start({"name": self._name, "room": str(self._room), "env": env})
            self._ended.append(await self._child.ended)
            if len(self._ended) > 400:
                raise RuntimeError(f"it cannot live:\n{self.log()}")

    async def open(self) -> None:
        """Make everything but the process."""
        self._room.mkdir()
        async with await psycopg.AsyncConnection.connect(self._shared.server, autocommit=True) as server:
            await server.execute(f"create database {self._name} template {self._shared.template}")
        self._record = await psycopg.AsyncConnection.connect(
            dsn_of(self._shared.server, self._name), autocommit=True, row_factory=dict_row
        )
        # An endpoint's key names its workflow: the copies must not share one.
        await self._record.execute("update endpoints set id = uuidv7()")
        urls = {
            name.removeprefix("SANDBOX_").lower(): value
            for name, value in callback_env(str(self._api.base_url), SANDBOX_SECRET).items()
        }
        answer = await self._sandbox.put("/_sandbox/settings", json={**SANDBOX, **urls})
        assert answer.status_code == 200, answer.text

    async def close(self) -> None:
        """Leave nothing."""
        if self._child is not None:
            self._child.kill()
        await stop_sweeping(self._shared.temporal, self._name)
        await self._sandbox.aclose()
        await self._record.close()
        async with await psycopg.AsyncConnection.connect(self._shared.server, autocommit=True) as server:
            await server.execute(f"drop database {self._name} with (force)")
        shutil.rmtree(self._room, ignore_errors=True)

    def log(self) -> str:
        """The end of what the processes said."""
        return (self._room / "log").read_text()[-3000:]

    # --- the client

    async def call(
        self, method: str, path: str, json: Any = None, *, expect: tuple[int, ...], files: Any = None, **headers: str
    ) -> Any:
        """One request, until it is answered."""
        while True:
            try:
                answer = await self._api.request(method, path, json=json, files=files, headers=headers)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code < 500:
                assert answer.status_code in expect, f"{method} {path}: {answer.status_code} {answer.text}"
                return answer.json() if answer.content else None
            await asyncio.sleep(0.1)

    async def workflow_started(self, message_id: str) -> None:
        """Wait until its workflow is there, and the record says so."""
        pending = "select from messages where id = %s and wake_due_at is not null"
        async with asyncio.timeout(ENDS_WITHIN):
            while (await self._record.execute(pending, (row_key(message_id),))).rowcount:
                await asyncio.sleep(0.05)

    async def cancel_workflow(self, message_id: str) -> None:
        """Cancel its workflow."""
        await self._shared.temporal.get_workflow_handle(workflow_of(message_id)).cancel()

    async def lose(self, message_id: str) -> None:
        """Make Temporal another one, which does not know this message."""
        temporal = self._shared.temporal
        execution = WorkflowExecution(workflow_id=workflow_of(message_id))
        request = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=execution)
        await temporal.workflow_service.delete_workflow_execution(request)
        while await self._status(workflow_of(message_id)) != "NOT_FOUND":
            await asyncio.sleep(0.05)
        await self._record.execute("update installation set conductor = 'another'")

    async def report_among_many(self, to: str) -> None:
        """SendGrid's part, in a batch of its own making."""
        while not (found := (await self._sandbox.get("/_sandbox/messages", params={"to": to})).json()["data"]):
            await asyncio.sleep(0.1)
        events = [
            {"event": word, "email": to, "sg_event_id": f"{number}-{to}", "timestamp": int(time.time()),
             "sg_message_id": f"{sent}.filterd", **args}
            for sent, args in [(found[0]["id"], found[0]["custom_args"]), *((f"nobody{n}{to}", {}) for n in range(60))]
            for number, word in ((f"{sent}-{each}", each) for each in ("processed", "delivered", "open"))
        ]  # fmt: skip
        while True:
            body, headers = sendgrid_batch(events)
            try:
                answer = await self._api.post(
                    f"/v1/receipts/sendgrid/{sandbox_sendgrid.KEY_ID}/events", content=body, headers=headers
                )
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                return
            assert answer.status_code >= 500, answer.text
            await asyncio.sleep(0.1)

    async def guest_writes(self, play: Play, body: dict[str, Any], which: str, value: str) -> None:
        """Have the sandbox post what a guest writes: what got no answer it says again. `which`: what is true of the
        message that is played, by `value`."""
        answer = await self._sandbox.post("/_sandbox/inbound", json=body, timeout=60)
        assert answer.json()["status"] == 200, answer.text
        query = f"select id, direction from messages where {which}"
        found = await (await self._record.execute(query, (value,))).fetchall()
        assert len(found) == 1, f"it is there {len(found)} times"
        prefix = Prefix.INBOUND if found[0]["direction"] == "inbound" else Prefix.MESSAGE
        play.message_id = render(prefix, found[0]["id"])

    async def pause(self) -> None:
        """Pause the property, once nobody releases any more what was parked before."""
        found = await (await self._record.execute("select id from scopes where environment = 'test'")).fetchone()
        await self._closed(release_name(found["id"], "sms", self._name))
        await self._record.execute("update scopes set paused_at = now() where environment = 'test'")

    async def _closed(self, workflow: str) -> None:
        while await self._status(workflow) == "RUNNING":
            await asyncio.sleep(0.05)

    async def resume(self) -> None:
        """Let the property go on."""
        await self._record.execute("update scopes set paused_at = null")

    async def parked(self, message_id: str) -> None:
        """Wait until this message is parked, and its workflow asks nothing more: one that recovery has woken as well
        could ask only after `resume`, and go on by itself, released by nobody."""
        there = "select from messages where id = %s and waits_for is not null and wake_due_at is null"
        handle, busy = self._shared.temporal.get_workflow_handle(workflow_of(message_id)), True
        async with asyncio.timeout(30):
            while not (await self._record.execute(there, (row_key(message_id),))).rowcount or busy:
                await asyncio.sleep(0.05)
                seen = (await handle.describe()).raw_description
                busy = bool(seen.pending_activities) or seen.HasField("pending_workflow_task")

    # --- one scenario

    async def play(self, scenario: Scenario, point: Point | None, end: Ending) -> tuple[Played, set[str]]:
        """Play it, dying at `point`; returns what came of it and the steps that were passed."""
        async with sweeping(self._shared.temporal, self._name, scenario.sweeps):
            return await self._play(scenario, point, end)

    async def _play(self, scenario: Scenario, point: Point | None, end: Ending) -> tuple[Played, set[str]]:
        await self.call("GET", "/healthz", expect=(200,))
        await self._sandbox.delete("/_sandbox/faults")
        play = scenario.play(self)
        if scenario.prepare is not None:
            await scenario.prepare(play)
        for fault in scenario.faults:
            answer = await self._sandbox.post("/_sandbox/faults", json={**fault, "to": play.at or play.to})
            assert answer.status_code == 201, answer.text
        self._say("refused", "\n".join(scenario.refused))
        (self._room / "died").unlink(missing_ok=True)
        began = self._journal().stat().st_size
        lived = len(self._ended)
        if point is not None:
            await self._endpoints_rest()
            self._say("armed", f"{point.number} {point.step}:{point.side}")
        try:
            async with asyncio.timeout(DIES_WITHIN + ENDS_WITHIN):
                await scenario.act(play)
            if point is not None:
                await self._death(point, lived)
            state = await self._end(play, end)
        finally:
            for file in ("armed", "refused"):
                (self._room / file).unlink(missing_ok=True)
        played = Played(
            play,
            state,
            self._ended[lived:],
            await self._copies(play),
            *(await self._shown(play, end)),
            self._shared.received.get(play.message_id, []),
        )
        with self._journal().open() as journal:
            journal.seek(began)
            return played, {line.strip().rpartition(":")[0] for line in journal}

    async def _endpoints_rest(self) -> None:
        """Wait until no workflow of an endpoint runs on after the last message: the next event would only wake it."""
        rows = await (await self._record.execute("select id from endpoints")).fetchall()
        for row in rows:
            await self._closed(endpoint_workflow(row["id"]))

    def _journal(self) -> Path:
        return self._room / "journal"

    def _say(self, file: str, text: str) -> None:
        if text:
            draft = self._room / f"{file}.draft"
            draft.write_text(text)
            draft.rename(self._room / file)

    async def _death(self, point: Point, lived: int) -> None:
        try:
            async with asyncio.timeout(DIES_WITHIN):
                while not (self._room / "died").exists() or len(self._ended) == lived:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never came to {point}") from None

    async def _end(self, play: Play, end: Ending) -> dict[str, Any]:
        """Wait until nothing more can happen to the message, and nothing about it is pending."""
        state: dict[str, Any] = {}
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                while True:
                    found = await (await self._record.execute(STATE, (row_key(play.message_id),))).fetchone()
                    assert found is not None
                    state = found
                    # The events are counted here, not only by what is pending: those to come have no deliveries yet.
                    delivered = state["pending"] == 0 and state["deliveries"] >= len(end.events)
                    # A receipt that was refused while nobody was there comes again later.
                    words = state["words"] or []
                    delivered = delivered and all(words.count(word) >= end.copies for word in end.receipts)
                    quiet = state["wake_due_at"] is None and not state["draining"] and not state["histories"]
                    quiet = quiet and not state["files"]
                    # Temporal deletes in the background.
                    if delivered and quiet and await self._status(workflow_of(play.message_id)) == end.workflow:
                        break
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"it does not end: {state}\n{await self._history(play.message_id)}") from None
        self._shared.sort_received()
        return state

    async def _status(self, workflow: str) -> str:
        try:
            status = (await self._shared.temporal.get_workflow_handle(workflow).describe()).status
        except RPCError as error:
            return error.status.name
        return WorkflowExecutionStatus(status or 0).name

    async def _history(self, message_id: str) -> str:
        """What Temporal knows, for the reader of a failure."""
        handle = self._shared.temporal.get_workflow_handle(workflow_of(message_id))
        try:
            events = [event async for event in handle.fetch_history_events()]
        except RPCError as error:
            return f"workflow {error.status.name}"
        return "\n".join(f"{event.event_time.ToJsonString()} {EventType.Name(event.event_type)}" for event in events)

    async def _copies(self, play: Play) -> list[dict[str, Any]]:
        answer = await self._sandbox.get("/_sandbox/messages", params={"to": play.at or play.to, "steps": "false"})
        laid_in = await self._record.execute("select id from inbox where message_id = %s", (row_key(play.message_id),))
        return [
            one for one in answer.json()["data"] if play.to in one["content"] or "unsubscribed" in one["content"]
        ] + await laid_in.fetchall()

    async def _shown(self, play: Play, end: Ending) -> tuple[str, list[dict[str, Any]] | None]:
        if end.workflow == "NOT_FOUND":
            await self.call("GET", f"/v1/messaging/{play.message_id}", expect=(404,))
            return end.status, None
        if play.message_id.startswith(Prefix.INBOUND.value):
            found = await self.call("GET", f"/v1/intents?message_id={play.message_id}", expect=(200,))
            kept = await self._record.execute(FILES, (row_key(play.message_id),))
            ended = [row["state"] for row in await kept.fetchall()]
            return " ".join([*(one["type"] for one in found["data"]), *ended]), None
        shown = await self.call("GET", f"/v1/messaging/{play.message_id}/timeline", expect=(200,))
        return shown["status"], shown["data"]


@asynccontextmanager
async def open_slot(shared: Shared, port: int) -> AsyncIterator[WorkerSlot]:
    """A running slot; its API listens on `port`."""
    async with AsyncExitStack() as stack:
        sandbox_url = stack.enter_context(running())
        # A connection for each call: one that a killed API leaves behind is no matter of ours.
        api = await stack.enter_async_context(
            httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {shared.key}"},
                limits=httpx2.Limits(max_keepalive_connections=0),
                timeout=10,
                trust_env=False,
            )
        )
        slot = WorkerSlot(shared, f"crash_{os.getpid()}_{next(NUMBERS)}", sandbox_url, api)
        async with shared.opening:
            await slot.open()
        living = asyncio.create_task(slot.live())
        try:
            yield slot
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living
            await slot.close()
