"""The injector: plays faults on the stack, the sandbox and the customers, and puts everything back in order."""

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
from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts
from chaos import record
from chaos.accounts import Answer
from chaos.clients import NOBODY, Clients
from chaos.customers import Customers
from chaos.faults import KINDS, PARTS, Fault

psutil: Any = importlib.import_module("psutil")

Player = Callable[["Injector", Fault], Awaitable[None]]
SECONDS = aiohttp.ClientTimeout(total=10)
BRIEF = aiohttp.ClientTimeout(total=2)
"""For forged and unknown callbacks: they are many, and none may hold up the next."""


class Injector:
    """Plays the faults of a plan. `say` reports each to the person."""

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
        self._accounts = default_accounts(secret_of(stack.paths.secret_key()))
        self._account_sid = self._accounts["twilio"].identity

    async def play(self, fault: Fault) -> None:
        """Play one fault, to its end."""
        self.say(fault.says())
        await PLAYERS[fault.kind](self, fault)
        self.played[fault.kind] += 1

    async def restore(self, seconds: float = 90.0) -> None:
        """Put everything back in order: nothing stopped, no faults, every part up. Raises TimeoutError."""
        self.resume()
        self.customers.behave()
        async with asyncio.timeout(seconds):
            while not await self._clear_faults():
                await asyncio.sleep(0.1)
            for part in ("sandbox", *PARTS):
                while not await asyncio.to_thread(self._up, part):
                    await asyncio.sleep(0.05)

    async def wait_up(self, fault: Fault, seconds: float) -> None:
        """Wait until what a fault brought down is up again, but so long at most."""
        over = time.monotonic() + seconds
        for part in fault.parts:
            while time.monotonic() < over and not await asyncio.to_thread(self._up, part):
                await asyncio.sleep(0.1)

    def resume(self) -> None:
        """Let every process run that was stopped."""
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped.clear()

    async def _clear_faults(self) -> bool:
        try:
            async with self.http.delete(f"{self.stack.sandbox_url}/_sandbox/faults", timeout=SECONDS) as answer:
                return answer.status == 200
        except NOBODY:
            return False

    def _up(self, part: str) -> bool:
        process = self.stack.process(part)
        return not process.ended() and process.ready()

    # --- processes ------------------------------------------------------------------------------------------------

    async def kill(self, fault: Fault) -> None:
        """Nobody is asked whether it suits."""
        for process in await self._processes(fault):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    async def stop(self, fault: Fault) -> None:
        """The whole tree: PostgreSQL's own children would work on."""
        pids = [pid for process in await self._processes(fault) for pid in _tree(process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._stopped.add(pid)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            self.resume()

    async def roll(self, fault: Fault) -> None:
        """One after the other, each ready before the next."""
        for part in fault.parts:
            # One that something else brings down while it starts is the supervisor's again.
            with suppress(Exception):
                await asyncio.to_thread(self.stack.restart, part)

    async def cut(self, fault: Fault) -> None:
        """All backends but our own."""
        with suppress(psycopg.Error, OSError):
            async with await record.connect(self.stack.postgres_dsn) as tx:
                await tx.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where backend_type = 'client backend' and pid <> pg_backend_pid()"
                )

    async def _processes(self, fault: Fault) -> list[Process]:
        return [await asyncio.to_thread(self.stack.process, part) for part in fault.parts]

    # --- providers ------------------------------------------------------------------------------------------------

    async def disturb_provider(self, fault: Fault) -> None:
        """A fault for everybody, for a while."""
        asked: dict[str, Any] = {"kind": fault.kind, "seconds": fault.seconds}
        if fault.kind == "look-ups fail":
            asked |= {"kind": "unavailable", "calls": "lookup"}
        if fault.detail:
            asked["provider"] = fault.detail
        if fault.kind == "rate_limit":
            asked["retry_after"] = 1
        with suppress(*NOBODY):
            async with self.http.post(
                f"{self.stack.sandbox_url}/_sandbox/faults", json=asked, timeout=SECONDS
            ) as answer:
                assert answer.status == 201, await answer.text()
        await asyncio.sleep(fault.seconds)

    # --- customers ------------------------------------------------------------------------------------------------

    async def disturb_endpoint(self, fault: Fault) -> None:
        """The flaky endpoint fails for a while."""
        self.customers.misbehave(fault.kind.removeprefix("endpoint "), fault.seconds)
        await asyncio.sleep(fault.seconds)

    # --- callbacks of others ----------------------------------------------------------------------------------------

    async def forge(self, fault: Fault) -> None:
        """For messages that were sent a moment ago, with everything right but the signature."""
        sms, email = await self._latest("twilio"), await self._latest("sendgrid")
        form = {"MessageSid": sms.get("id", "SM" + "0" * 32), "MessageStatus": "undelivered", "ErrorCode": "30003"}
        query = urlsplit(sms.get("callback_url") or "").query
        await self._status(form | {"AccountSid": self._account_sid}, "not the token", self.forged, query)
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
        path = f"/v1/receipts/sendgrid/{self._accounts['sendgrid'].identity}/events"
        await self._post(path, json.dumps([event]).encode(), headers, self.forged)

        await self._posted_by_the_sandbox("forged")

    async def _posted_by_the_sandbox(self, kind: str) -> None:
        """Sendblue's, which bear a token in their address and nothing else."""
        asked, body = time.time(), {"kind": kind, "provider": "sendblue"}
        with suppress(*NOBODY):
            async with self.http.post(
                f"{self.stack.sandbox_url}/_sandbox/callbacks", json=body, timeout=SECONDS
            ) as answer:
                posted = (await answer.json())["data"] if answer.status == 201 else []
            for one in posted if kind == "forged" else ():
                status = int(one["answer"]) if one["answer"].isdecimal() else 0
                self.forged.append(Answer("forged", asked, time.time(), status, f"Sendblue's {one['id']}"))

    async def _latest(self, provider: str) -> dict[str, Any]:
        """Something that a provider took a moment ago; empty when there is nothing."""
        query = {"provider": provider, "since": str(time.time() - 3), "limit": "20", "steps": "false"}
        with suppress(*NOBODY):
            url = f"{self.stack.sandbox_url}/_sandbox/messages"
            async with self.http.get(url, params=query, timeout=SECONDS) as answer:
                found = (await answer.json())["data"]
                return dict(found[-1]) if found else {}
        return {}

    async def unknown(self, fault: Fault) -> None:
        """Rightly signed, about something that nobody sent through us."""
        form = {"MessageSid": "SM" + os.urandom(16).hex(), "MessageStatus": "delivered"}
        await self._status(
            form | {"AccountSid": self._account_sid}, self._accounts["twilio"].env["TWILIO_AUTH_TOKEN"], []
        )
        await self._posted_by_the_sandbox("unknown")

    async def _status(self, form: dict[str, str], token: str, answers: list[Answer], query: str = "") -> None:
        path = f"/v1/receipts/twilio/{self._account_sid}/status" + (f"?{query}" if query else "")
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
    "kill": Injector.kill,
    "kill together": Injector.kill,
    "stop": Injector.stop,
    "stop together": Injector.stop,
    "roll": Injector.roll,
    "cut": Injector.cut,
    "refuse": Injector.disturb_provider,
    "rate_limit": Injector.disturb_provider,
    "unavailable": Injector.disturb_provider,
    "auth": Injector.disturb_provider,
    "look-ups fail": Injector.disturb_provider,
    "endpoint fails": Injector.disturb_endpoint,
    "endpoint resets": Injector.disturb_endpoint,
    "endpoint hangs": Injector.disturb_endpoint,
    "forged": Injector.forge,
    "unknown": Injector.unknown,
}
assert PLAYERS.keys() == KINDS.keys(), "every kind has a player"
