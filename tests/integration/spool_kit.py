"""A PostgreSQL of a test's own that can be killed, frozen and brought back, and providers that sign what they post."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psutil
import psycopg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from twilio.request_validator import RequestValidator

from bellhop.dev.paths import DevPaths
from bellhop.dev.postgres import EmbeddedPostgres
from bellhop.dev.process import Process
from bellhop.settings import Settings
from bellhop.store.connections import sqlalchemy_url
from tests.integration.conftest_api import Api, open_api
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio


class OwnPostgres:
    """The server process, under no supervisor: what is down stays down."""

    migrated = False
    """Whether its first database has our tables."""

    def __init__(self, state: Path) -> None:
        paths = DevPaths(state)
        paths.make()
        self.server = EmbeddedPostgres.prepare(paths)
        self._program = self.server.program(paths.log("postgres"), dict(os.environ))
        self.start()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self._process = Process.start(self._program)
        self._process.wait_ready()

    def kill(self) -> None:
        """It is gone, and with it every connection."""
        self._process.kill()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """SIGSTOP for it and all its children: connections are there, and nobody answers."""
        parent = psutil.Process(self._process.pid)
        pids = [parent.pid, *(child.pid for child in parent.children(recursive=True))]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def database(self, name: str, template: str) -> str:
        """A database of its own; returns its DSN."""
        with psycopg.connect(self.server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} template {template}")
        return self.server.dsn(name)


class Providers:
    """Post as the providers do, once. Each answer comes with the seconds it took."""

    def __init__(self, api: Api, public_url: str) -> None:
        self.api, self._public_url = api, public_url
        self.took: list[float] = []

    async def text(self, body: str, sender: str = "+13055550101", **fields: str) -> httpx2.Response:
        """A guest's text."""
        sid = fields.pop("MessageSid", f"SM{uuid4().hex}")
        form = {
            "MessageSid": sid,
            "SmsStatus": "received",
            "From": sender,
            "To": sandbox_twilio.FROM_NUMBER,
            "Body": body,
            "AccountSid": sandbox_twilio.ACCOUNT_SID,
            **fields,
        }
        return await self.twilio("inbound", form)

    async def twilio(
        self, path: str, form: dict[str, str], token: str = sandbox_twilio.AUTH_TOKEN, account: str = ""
    ) -> httpx2.Response:
        """A callback of Twilio's."""
        where = f"/v1/receipts/twilio/{account or sandbox_twilio.ACCOUNT_SID}/{path}"
        signature = RequestValidator(token).compute_signature(self._public_url + where, form)
        return await self._timed(self.api.http.post(where, data=form, headers={"X-Twilio-Signature": signature}))

    async def events(self, *events: dict[str, Any]) -> httpx2.Response:
        """A batch of SendGrid's."""
        return await self.sendgrid("events", json.dumps(events).encode(), "application/json")

    async def mail(self, text: str) -> httpx2.Response:
        """A guest's mail with a file, as its Inbound Parse posts it."""
        mail = EmailMessage()
        mail["From"], mail["Message-ID"] = "ann@guest.example", f"<{uuid4()}@guest.example>"
        mail.set_content(text)
        mail.add_attachment("a,b\n", subtype="csv", filename="a.csv")
        envelope = json.dumps({"to": [sandbox_sendgrid.FROM_EMAIL], "from": "ann@guest.example"}).encode()
        fields = ((b"envelope", envelope), (b"email", mail.as_bytes()))
        head = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        body = b"".join(head % one for one in fields) + b"--x--\r\n"
        return await self.sendgrid("inbound", body, "multipart/form-data; boundary=x")

    async def sendgrid(self, path: str, body: bytes, content_type: str) -> httpx2.Response:
        """A callback of SendGrid's, signed."""
        at = str(int(time.time()))
        signature = sandbox_sendgrid.WEBHOOK_PRIVATE_KEY.sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "Content-Type": content_type,
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": at,
        }
        where = f"/v1/receipts/sendgrid/{sandbox_sendgrid.KEY_ID}/{path}"
        return await self._timed(self.api.http.post(where, content=body, headers=headers))

    async def _timed(self, call: Any) -> httpx2.Response:
        began = time.monotonic()
        answer: httpx2.Response = await call
        self.took.append(time.monotonic() - began)
        return answer


async def texts(api: Api) -> list[str]:
    """What guests wrote, as the conversation has it: in the order of the database."""
    return [row[0] for row in await api.sql("select content from messages where direction = 'inbound' order by id")]


async def spool(api: Api) -> dict[str, Any]:
    """What the API says of its spool."""
    return dict((await api.http.get("/readyz")).json()["spool"])


async def emptied(api: Api, seconds: float = 30) -> None:
    """Wait until nothing waits any more."""
    async with asyncio.timeout(seconds):
        while (await spool(api))["waiting"]:
            await asyncio.sleep(0.05)


async def remembered(api: Api) -> None:
    """Wait until the API knows the accounts."""
    known = api.app.state.services.engine.accounts
    async with asyncio.timeout(20):
        while known.of("twilio", sandbox_twilio.ACCOUNT_SID) is None:
            await asyncio.sleep(0.02)


def fresh(settings: Settings) -> AsyncEngine:
    """The test's own look at the database, by a new connection each time: the old ones may be dead."""
    return create_async_engine(sqlalchemy_url(settings.postgres.dsn.get_secret_value()), poolclass=NullPool)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Api, Providers]]:
    """An API process that knows its accounts."""
    database = fresh(settings)
    try:
        async with open_api(settings, database) as api:
            await remembered(api)
            yield api, Providers(api, settings.bellhop.public_url)
    finally:
        await database.dispose()


def kept(settings: Settings) -> int:
    """How many callbacks are on disk."""
    return len(list(settings.spool.dir.glob("*.entry")))


async def straight(providers: Providers, api: Api) -> None:
    """Receipts go straight to the record again."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        sid = "SM" + uuid4().hex
        status = {"MessageSid": sid, "MessageStatus": "delivered", "To": "+13055550106"}
        before = kept(api.app.state.services.settings)
        assert (await providers.twilio("status", status)).status_code == 200
        if kept(api.app.state.services.settings) == before:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("the database is back, and nobody noticed")
