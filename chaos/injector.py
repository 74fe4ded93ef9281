"""The field: plays strikes on the stack, the sandbox and the customers, and puts everything back in order."""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import psycopg
from twilio.request_validator import RequestValidator
from yarl import URL

from bellhop.dev.process import Process
from bellhop.dev.stack import EmbeddedStack
from bellhop.sandbox.providers.sendgrid import accounts as sandbox_sendgrid
from bellhop.sandbox.providers.twilio import accounts as sandbox_twilio
from chaos import record
from chaos.accounts import Answer
from chaos.clients import NOBODY, Clients
from chaos.customers import Customers
from chaos.faults import KINDS, PARTS, Strike

psutil: Any = importlib.import_module("psutil")

Player = Callable[["Field", Strike], Awaitable[None]]
SECONDS = aiohttp.ClientTimeout(total=10)
BRIEF = aiohttp.ClientTimeout(total=2)
"""What strangers wait: their strikes are many, and none may hold up the next."""


class Field:
    """What strikes fall on. `say` tells the person."""

    def __init__(
        self,
        stack: EmbeddedStack,
        clients: Clients,
        customers: Customers,
        http: aiohttp.ClientSession,
        say: Callable[[str], None],
    ) -> None:
        self.stack = stack
        self.clients = clients
        self.customers = customers
        self.http = http
        self.say = say
        self.played: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.forged: list[Answer] = []
        self._stopped: set[int] = set()

    async def play(self, strike: Strike) -> None:
        """Play one strike, to its end."""
        self.say(strike.says())
        await PLAYERS[strike.kind](self, strike)
        self.played[strike.kind] += 1

    async def mend(self, seconds: float = 90.0) -> None:
        """Put everything back in order: nothing stopped, no faults, every part up. Raises TimeoutError."""
        self.go_on()
        self.customers.calm()
        async with asyncio.timeout(seconds):
            while not await self._calm():
                await asyncio.sleep(0.1)
            for part in ("sandbox", *PARTS):
                while not await asyncio.to_thread(self._up, part):
                    await asyncio.sleep(0.05)

    async def rise(self, strike: Strike, seconds: float) -> None:
        """Wait until what a strike brought down is up again, but so long at most."""
        over = time.monotonic() + seconds
        for part in strike.parts:
            while time.monotonic() < over and not await asyncio.to_thread(self._up, part):
                await asyncio.sleep(0.1)

    def go_on(self) -> None:
        """Let every process run that was stopped."""
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped.clear()

    async def _calm(self) -> bool:
        try:
            async with self.http.delete(f"{self.stack.sandbox_url}/_sandbox/faults", timeout=SECONDS) as answer:
                return answer.status == 200
        except NOBODY:
            return False

    def _up(self, part: str) -> bool:
        process = self.stack.process(part)
        return not process.ended() and process.ready()

    # --- processes ------------------------------------------------------------------------------------------------

    async def kill(self, strike: Strike) -> None:
        """Nobody is asked whether it suits."""
        for process in await self._processes(strike):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    async def stop(self, strike: Strike) -> None:
        """The whole tree: PostgreSQL's own children would work on."""
        pids = [pid for process in await self._processes(strike) for pid in _tree(process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._stopped.add(pid)
        try:
            await asyncio.sleep(strike.seconds)
        finally:
            self.go_on()

    async def roll(self, strike: Strike) -> None:
        """One after the other, each ready before the next."""
        for part in strike.parts:
            # One that something else brings down while it starts is the supervisor's again.
            with suppress(Exception):
                await asyncio.to_thread(self.stack.restart, part)

    async def cut(self, strike: Strike) -> None:
        """All backends but our own."""
        with suppress(psycopg.Error, OSError):
            async with await record.connect(self.stack.postgres_dsn) as tx:
                await tx.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where backend_type = 'client backend' and pid <> pg_backend_pid()"
                )

    async def _processes(self, strike: Strike) -> list[Process]:
        return [await asyncio.to_thread(self.stack.process, part) for part in strike.parts]

    # --- providers ------------------------------------------------------------------------------------------------

    async def trouble(self, strike: Strike) -> None:
        """A fault for everybody, for a while."""
        asked: dict[str, Any] = {"kind": strike.kind, "seconds": strike.seconds}
        if strike.kind == "look-ups fail":
            asked |= {"kind": "unavailable", "calls": "lookup"}
        if strike.detail:
            asked["provider"] = strike.detail
        if strike.kind == "rate_limit":
            asked["retry_after"] = 1
        with suppress(*NOBODY):
            async with self.http.post(
                f"{self.stack.sandbox_url}/_sandbox/faults", json=asked, timeout=SECONDS
            ) as answer:
                assert answer.status == 201, await answer.text()
        await asyncio.sleep(strike.seconds)

    # --- customers ------------------------------------------------------------------------------------------------

    async def mood(self, strike: Strike) -> None:
        """The flaky endpoint has one."""
        self.customers.feel(strike.kind.removeprefix("endpoint "), strike.seconds)
        await asyncio.sleep(strike.seconds)

    # --- strangers ------------------------------------------------------------------------------------------------

    async def forge(self, strike: Strike) -> None:
        """For messages that were sent a moment ago, with everything right but the signature."""
        sms, email = await self._latest("twilio"), await self._latest("sendgrid")
        form = {"MessageSid": sms.get("id", "SM" + "0" * 32), "MessageStatus": "undelivered", "ErrorCode": "30003"}
        query = urlsplit(sms.get("callback_url") or "").query
        await self._status(form | {"AccountSid": sandbox_twilio.ACCOUNT_SID}, "not the token", self.forged, query)
        event = {
            **email.get("custom_args", {}),
            "event": "bounce",
            "email": email.get("to", "x@example.com"),
            "sg_message_id": email.get("id", "x"),
            "sg_event_id": os.urandom(8).hex(),
            "timestamp": int(time.time()),
        }
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(os.urandom(70)).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": str(int(time.time())),
            "Content-Type": "application/json",
        }
        path = f"/v1/receipts/sendgrid/{sandbox_sendgrid.KEY_ID}/events"
        await self._post(path, json.dumps([event]).encode(), headers, self.forged)

    async def _latest(self, provider: str) -> dict[str, Any]:
        """Something that a provider took a moment ago; empty when there is nothing."""
        query = {"provider": provider, "since": str(time.time() - 3), "limit": "20", "steps": "false"}
        with suppress(*NOBODY):
            url = f"{self.stack.sandbox_url}/_sandbox/messages"
            async with self.http.get(url, params=query, timeout=SECONDS) as answer:
                found = (await answer.json())["data"]
                return dict(found[-1]) if found else {}
        return {}

    async def unknown(self, strike: Strike) -> None:
        """Rightly signed, about something that nobody sent through us."""
        form = {"MessageSid": "SM" + os.urandom(16).hex(), "MessageStatus": "delivered"}
        await self._status(form | {"AccountSid": sandbox_twilio.ACCOUNT_SID}, sandbox_twilio.AUTH_TOKEN, [])

    async def _status(self, form: dict[str, str], token: str, answers: list[Answer], query: str = "") -> None:
        path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status" + (f"?{query}" if query else "")
        signature = RequestValidator(token).compute_signature(self.stack.api_url + path, form)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        await self._post(path, urlencode(form).encode(), headers, answers)

    async def _post(self, path: str, body: bytes, headers: dict[str, str], answers: list[Answer]) -> None:
        asked = time.time()
        with suppress(*NOBODY):
            async with self.http.post(
                URL(self.stack.api_url + path, encoded=True), data=body, headers=headers, timeout=BRIEF
            ) as answer:
                answers.append(Answer("forged", asked, time.time(), answer.status, path))


def _tree(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return []


PLAYERS: dict[str, Player] = {
    "kill": Field.kill,
    "kill together": Field.kill,
    "stop": Field.stop,
    "stop together": Field.stop,
    "roll": Field.roll,
    "cut": Field.cut,
    "refuse": Field.trouble,
    "rate_limit": Field.trouble,
    "unavailable": Field.trouble,
    "auth": Field.trouble,
    "look-ups fail": Field.trouble,
    "endpoint fails": Field.mood,
    "endpoint resets": Field.mood,
    "endpoint hangs": Field.mood,
    "forged": Field.forge,
    "unknown": Field.unknown,
}
assert PLAYERS.keys() == KINDS.keys(), "every kind has a player"
