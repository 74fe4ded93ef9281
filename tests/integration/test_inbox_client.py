"""The JavaScript client against the real API: it resumes, shows each message once, acknowledges, asks for tokens."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.ops.migrate import PROJECT
from bellhop.settings import Settings

from .inbox_kit import PATIENCE, Inboxes, open_inboxes

DENO = Path(sys.executable).with_name("deno")
"""The wheel's, so that no JavaScript engine has to be on the machine."""
DENO_DIR = str(Path(tempfile.gettempdir()) / "bellhop-tests-deno")
PROGRAM = Path(__file__).with_name("inbox_client.mjs")


@pytest.fixture
async def inboxes(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Inboxes]:
    async with open_inboxes(settings, engine) as opened:
        yield opened


@dataclass
class App:
    """The client in a process of its own."""

    process: asyncio.subprocess.Process
    said: list[tuple[str, Any]] = field(default_factory=list)

    async def until(self, what: str, count: int = 1) -> list[Any]:
        """Details of what has happened so often."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while len(found := [detail for kind, detail in self.said if kind == what]) < count:
                line = await self.process.stdout.readline()
                assert line, f"it ended after {self.said}"
                said = json.loads(line)
                self.said.append((said["what"], said.get("detail")))
        return found

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())


@asynccontextmanager
async def running(inboxes: Inboxes, *tokens: dict[str, str], acknowledge: bool = True) -> AsyncIterator[App]:
    given = {
        "url": str(inboxes.http.base_url),
        "tokens": [each["Authorization"].removeprefix("Bearer ") for each in tokens],
        "acknowledge": acknowledge,
    }
    process = await asyncio.create_subprocess_exec(
        str(DENO),
        *("run", "--no-remote", "--no-npm", "--allow-net=127.0.0.1", "--allow-env", str(PROGRAM), json.dumps(given)),
        env={
            **os.environ,
            "DENO_DIR": str(Path(tempfile.gettempdir()) / "bellhop-tests-deno"),
            "DENO_NO_UPDATE_CHECK": "1",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield App(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _status(inboxes: Inboxes, message: str, status: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await inboxes.message(message))["status"] != status:
            await asyncio.sleep(0.05)


async def test_it_follows_acknowledges_and_reads(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    before = await inboxes.send(guest, "While you were away: “ü” 🛎️")
    async with running(inboxes, await inboxes.token(guest)) as app:
        (shown,) = await app.until("message")
        assert (shown["id"], shown["content"]) == (before, "While you were away: “ü” 🛎️")
        late = await inboxes.send(guest, "Now")
        assert (await app.until("message", 2))[1]["id"] == late
        for message in (before, late):
            await _status(inboxes, message, "delivered")
        app.tell(f"read {before} {late}")
        await _status(inboxes, late, "read")
        await _status(inboxes, before, "read")
        app.tell("close")
        assert await asyncio.wait_for(app.process.wait(), PATIENCE) == 0
    assert (await app.until("change", 2))[0]["status"] == "read"


async def test_it_comes_again_where_it_was(inboxes: Inboxes) -> None:
    """A stream that is cut off, here by the guest's sessions being revoked, goes on after the last event, with a new
    token."""
    guest = await inboxes.guest()
    first = await inboxes.send(guest)
    async with running(inboxes, await inboxes.token(guest), await inboxes.token(guest)) as app:
        await app.until("message")
        one = await inboxes.sql("select min(id::text)::uuid as id from guest_sessions")
        await inboxes.sql("update guest_sessions set revoked_at = now() where id = :id", id=one[0].id)
        await inboxes.sql("select pg_notify('bellhop_live', 'ended ' || cast(:id as text))", id=one[0].id)
        await app.until("token", 2)
        second = await inboxes.send(guest, "Still here?")
        assert [each["id"] for each in await app.until("message", 2)] == [first, second]
        await _status(inboxes, second, "delivered")
        await _status(inboxes, first, "delivered")


async def test_it_may_leave_the_acknowledging_to_the_app(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    message = await inboxes.send(guest)
    async with running(inboxes, await inboxes.token(guest), acknowledge=False) as app:
        await app.until("message")
        app.tell(f"read {message}")
        await _status(inboxes, message, "read")


async def test_what_the_guest_writes_is_sent_once(inboxes: Inboxes) -> None:
    """Also where the token has run out meanwhile, and where the app says it again under its key."""
    guest = await inboxes.guest()
    over = {"Authorization": "Bearer gs_test_01kaj3p6zve5jvqzkqdk1w4yb2_" + "a" * 38}
    async with running(inboxes, over, await inboxes.token(guest)) as app:
        app.tell("send key-0001 When is check-in?")
        (sent,) = await app.until("sent")
        assert (sent["from"], sent["content"]) == ("guest", "When is check-in?")
        app.tell("send key-0001 When is check-in?")
        assert (await app.until("sent", 2))[1] == sent
        app.tell("send not! Hello")
        assert await app.until("not sent") == [{"status": 422, "key": "not!"}]
        later = await inboxes.send(guest, "At three.")
        assert [each["id"] for each in await app.until("message", 2)] == [sent["id"], later]
    assert len(await inboxes.sql("select 1 from messages where direction = 'inbound'")) == 1


def test_what_it_exports_is_typed() -> None:
    folder = PROJECT / "clients" / "javascript"
    typed = (folder / "bellhop-inbox.d.ts").read_text(encoding="utf-8")
    code = (folder / "bellhop-inbox.js").read_text(encoding="utf-8")
    for name in (
        "class Inbox",
        "markRead(",
        "start()",
        "close()",
        "state",
        "messages",
        "unread",
        "events(",
        "send(",
        "class SendError",
    ):
        assert name in typed and name in code, name
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    assert not {"dependencies", "devDependencies", "peerDependencies"} & package.keys()
