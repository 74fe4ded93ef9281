"""A whole embedded stack of real processes, and the ways to kill, stop and disturb them."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from temporalio.client import Client

from bellhop.dev.process import Process
from bellhop.dev.stack import EmbeddedStack

LEASE = 4.0
ENV = {
    # A provider call, its lease and what follows it, in seconds rather than minutes.
    "DELIVERY_CALL_TIMEOUT": "3.5",
    "DELIVERY_LEASE": str(LEASE),
    "DELIVERY_LEASE_MARGIN": "0.5",
    "DELIVERY_SETTLE_PAUSES": "0.5,0.5,1",
    "DELIVERY_RETRY_FIRST": "0.3",
    "DELIVERY_RETRY_LONGEST": "2",
    "DELIVERY_HOLD": "1.5",
    # Twilio repeats a callback for 15 s at most: on a busy machine an API that was killed is away for longer.
    "DELIVERY_FOLLOW_AT": "20,30,45,60,75,90,120",
    "BELLHOP_SWEEP_EVERY": "2",
}
FINAL = ("delivered", "read", "failed", "cancelled")
NUMBERS = itertools.count(1)


@dataclass
class Sent:
    """One message as its caller knows it: accepted with a 201 under this id."""

    id: str
    channel: str
    content: str
    due: datetime
    took: float
    """Seconds until the 201, all tries together."""
    status: str


@dataclass
class LiveStack:
    """The stack, a caller of its API, and the sandbox."""

    embedded: EmbeddedStack
    api: httpx2.AsyncClient
    sandbox: httpx2.AsyncClient
    sent: list[Sent] = field(default_factory=list)

    # --- the caller ---

    async def send(self, channel: str = "sms", to: str = "", ahead: float = 0.0, patience: float = 60.0) -> Sent:
        """Send as a good client does: with an Idempotency-Key, again after anything but an answer that settles it."""
        number = next(NUMBERS)
        content = f"Message {number} of {time.time_ns()}"
        due = datetime.now(UTC) + timedelta(seconds=ahead)
        to = to or (f"+1305555{1000 + number}" if channel == "sms" else f"guest{number}@example.com")
        body: dict[str, Any] = {"channel": channel, "recipient": to, "content": content}
        body |= {"subject": "Chaos", "content_type": "text/html"} if channel == "email" else {}
        body |= {"scheduled_at": due.isoformat()} if ahead else {}
        began = time.monotonic()
        async with asyncio.timeout(patience):
            while True:
                answer = await self._once(body, {"Idempotency-Key": content, "Prefer": "respond-async"})
                if answer is not None:
                    break
                await asyncio.sleep(0.1)
        assert answer.status_code == 201, answer.text
        shown = answer.json()
        sent = Sent(shown["id"], channel, content, due, time.monotonic() - began, shown["status"])
        self.sent.append(sent)
        return sent

    async def _once(self, body: dict[str, Any], headers: dict[str, str]) -> httpx2.Response | None:
        try:
            answer = await self.api.post("/v1/messaging/send", json=body, headers=headers)
        except httpx2.TransportError:
            return None
        return None if answer.status_code >= 500 else answer

    async def get(self, sent: Sent) -> dict[str, Any]:
        while True:
            try:
                answer = await self.api.get(f"/v1/messaging/{sent.id}")
                if answer.status_code == 200:
                    return dict(answer.json())
                assert answer.status_code >= 500, answer.text
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)

    async def all_final(self, sent: Iterable[Sent]) -> None:
        """Wait until nothing more can happen to any of these."""
        waiting = {one.id for one in sent}
        while waiting:
            listed = (await self.api.get("/v1/messaging", params={"limit": 200})).json()["data"]
            waiting -= {shown["id"] for shown in listed if shown["status"] in FINAL}
            await asyncio.sleep(0.3)

    async def until(self, sent: Sent, *statuses: str, seconds: float = 60.0) -> dict[str, Any]:
        """The message once it has one of these statuses (default: nothing more can happen)."""
        shown: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while (shown := await self.get(sent))["status"] not in (statuses or FINAL):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(
                f"{sent.id} is {shown.get('status')} after {seconds} s: {await self.timeline(sent)}"
            ) from None
        return shown

    async def timeline(self, sent: Sent) -> list[str]:
        answer = await self.api.get(f"/v1/messaging/{sent.id}/timeline")
        return [f"{entry['at']} {entry['what']}" for entry in answer.json().get("data", [])]

    async def workflows_closed(self, sent: Iterable[Sent], seconds: float = 90.0) -> None:
        """Wait until the workflows of these messages have closed: from then on nobody does anything about them."""
        client = await Client.connect(self.embedded.temporal_address)
        async with asyncio.timeout(seconds):
            for one in sent:
                await client.get_workflow_handle(one.id).result()

    # --- the sandbox ---

    async def accepted(self) -> list[dict[str, Any]]:
        """What the providers took, as the sandbox itself says."""
        return list((await self.sandbox.get("/_sandbox/messages", params={"steps": "false"})).json()["data"])

    async def copies(self, sent: Sent) -> list[dict[str, Any]]:
        return [one for one in await self.accepted() if one["content"].strip() == sent.content]

    async def taken(self, sent: Sent) -> None:
        """Wait until a provider has taken it."""
        while not await self.copies(sent):
            await asyncio.sleep(0.1)

    async def once(self, sent: Sent) -> dict[str, Any]:
        """The one copy of a message that a provider took. Fails when there is none, or another."""
        copies = await self.copies(sent)
        assert len(copies) == 1, (sent, copies, await self.timeline(sent))
        return copies[0]

    async def fault(self, kind: str, **fields: Any) -> None:
        answer = await self.sandbox.post("/_sandbox/faults", json={"kind": kind, **fields})
        assert answer.status_code == 201, answer.text

    async def clear_faults(self) -> None:
        """No faults, no recorded calls."""
        await self.sandbox.delete("/_sandbox/faults")
        await self.sandbox.delete("/_sandbox/requests")

    async def calls_under_way(self, count: int) -> None:
        """Wait until so many calls since `clear_faults` have come in and are not answered."""
        async with asyncio.timeout(30):
            while True:
                calls = (await self.sandbox.get("/_sandbox/requests")).json()["data"]
                if len([call for call in calls if call["method"] == "POST" and call["status"] is None]) >= count:
                    return
                await asyncio.sleep(0.02)

    # --- faults ---

    def kill(self, *parts: str) -> list[Process]:
        """kill -9, all at once. Returns what was killed, for `back`."""
        victims = [self.embedded.process(part) for part in parts]
        for victim in victims:
            os.kill(victim.pid, signal.SIGKILL)
        return victims

    async def back(self, victims: Collection[Process], seconds: float = 60.0) -> None:
        """Wait until the supervisor has started each of them again and it is ready."""

        def ready(victim: Process) -> bool:
            current = self.embedded.process(victim.program.name)
            return current.pid != victim.pid and not current.ended() and current.ready()

        async with asyncio.timeout(seconds):
            for victim in victims:
                while not await asyncio.to_thread(ready, victim):
                    await asyncio.sleep(0.1)

    @asynccontextmanager
    async def paused(self, *parts: str) -> AsyncIterator[list[Process]]:
        """SIGSTOP them, and SIGCONT them afterwards."""
        processes = [self.embedded.process(part) for part in parts]
        for process in processes:
            os.kill(process.pid, signal.SIGSTOP)
        try:
            yield processes
        finally:
            for process in processes:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGCONT)


async def ended(process: Process, seconds: float = 10.0) -> str:
    """How a process ended, once it has; "still running" when it has not in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not process.ended():
                await asyncio.sleep(0.05)
    return process.how_it_ended()


@asynccontextmanager
async def visiting(embedded: EmbeddedStack) -> AsyncIterator[LiveStack]:
    """A caller with the stack's key."""
    assert embedded.prepared is not None
    headers = {"Authorization": f"Bearer {embedded.prepared.api_key}"}
    # A connection for each call: one that a killed API leaves behind is no matter of ours.
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with (
        httpx2.AsyncClient(
            base_url=embedded.api_url, headers=headers, timeout=20, trust_env=False, limits=limits
        ) as api,
        httpx2.AsyncClient(base_url=embedded.sandbox_url, timeout=20, trust_env=False, limits=limits) as sandbox,
    ):
        yield LiveStack(embedded, api, sandbox)
