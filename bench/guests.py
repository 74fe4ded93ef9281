"""Side (b): Bellhop as a property's software uses it, over HTTP, with a webhook endpoint."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from temporalio.client import Client

from bellhop.dev.stack import EmbeddedStack
from bench import crowd
from bench.environment import SANDBOX_PACE
from bench.receiver import Receiver

LAST_EVENT = {"sms": "message.delivered", "email": "message.read"}


class Refused(Exception):
    """The API or the sandbox answered with an error."""


@dataclass(slots=True)
class Sent:
    """A message the API has accepted."""

    id: str
    channel: str
    content: str
    at: float
    """time.time() just before the request."""
    accept: float
    """Seconds the request took."""
    due: datetime | None = None


class BellhopSide:
    """`async with`: sets the sandbox's pace and makes one webhook endpoint."""

    def __init__(self, stack: EmbeddedStack, client: Client, receiver: Receiver) -> None:
        assert stack.prepared is not None
        self._stack = stack
        self._client = client
        self._receiver = receiver
        self._key = stack.prepared.api_key
        self._numbers = itertools.count()
        self.sent: list[Sent] = []

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._key}"},
            # Shorter than the server keeps them: a connection idle through the other side's round is not used again.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2),
            timeout=aiohttp.ClientTimeout(total=60),
        )
        await self.call("PUT", f"{self._stack.sandbox_url}/_sandbox/settings", SANDBOX_PACE)
        await self.call("POST", f"{self._stack.api_url}/v1/webhooks", {"url": self._receiver.url})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.close()

    @property
    def pids(self) -> dict[str, int]:
        """Its processes."""
        return {name: pid for name, pid in self._stack.pids.items() if name != "supervisor"}

    async def call(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request; the answer's JSON. Raises Refused."""
        async with self._http.request(method, url, json=body) as answer:
            if answer.status >= 400:
                raise Refused(f"{method} {url}: {answer.status} {(await answer.text())[:300]}")
            return await answer.json()

    async def accept(self, channel: str = "sms", due: datetime | None = None) -> Sent:
        """Hand in one message, `Prefer: respond-async`."""
        number = next(self._numbers)
        content = f"Bench {number:06}: your room is ready."
        body: dict[str, Any] = {"channel": channel, "content": content}
        if channel == "email":
            body |= {"recipient": f"guest{number}@example.com", "subject": "Your stay", "content_type": "text/html"}
        else:
            body |= {"recipient": f"+1212{2_000_000 + number}"}
        if due is not None:
            body["scheduled_at"] = due.isoformat()
        at, began = time.time(), time.perf_counter()
        async with self._http.post(
            f"{self._stack.api_url}/v1/messaging/send", json=body, headers={"Prefer": "respond-async"}
        ) as answer:
            accepted = await answer.json()
            took = time.perf_counter() - began
            if answer.status != 201:
                raise Refused(f"send: {answer.status} {str(accepted)[:300]}")
        sent = Sent(accepted["id"], channel, content, at, took, due)
        self.sent.append(sent)
        return sent

    async def follow(self, sent: Sent) -> None:
        """Return when the last webhook has come and the workflow has closed."""
        await self._receiver.received(sent.id, LAST_EVENT[sent.channel])
        ended = await self._client.get_workflow_handle(sent.id, result_type=str).result()
        if ended != LAST_EVENT[sent.channel].removeprefix("message."):
            raise AssertionError(f"{sent.id} ended as {ended}")

    async def one(self, channel: str = "sms") -> Sent:
        """One message from acceptance to closed workflow."""
        sent = await self.accept(channel)
        await self.follow(sent)
        return sent

    async def round(self, count: int, at_once: int) -> tuple[float, list[Sent]]:
        """So many messages from acceptance to closed workflow. Returns seconds, and the messages."""
        done: list[Sent] = []

        async def one(_: int) -> None:
            done.append(await self.one())

        return await crowd.saturate(count, at_once, one), done

    async def paced(self, count: int, a_second: float) -> tuple[list[Sent], list[float]]:
        """So many messages at an even pace. Returns them, and the seconds each took from submit to closed."""
        done: list[Sent] = []
        took: list[float] = []

        async def one(_: int) -> None:
            began = time.perf_counter()
            done.append(await self.one())
            took.append(time.perf_counter() - began)

        await crowd.pace(count, a_second, one)
        return done, took

    async def provider_book(self) -> dict[str, list[float]]:
        """What the sandbox accepted: content → moments (seconds since 1970)."""
        found = await self.call("GET", f"{self._stack.sandbox_url}/_sandbox/messages?steps=false")
        book: dict[str, list[float]] = {}
        for message in found["data"]:
            moment = datetime.fromisoformat(message["accepted_at"]).timestamp()
            book.setdefault(message["content"], []).append(moment)
        return book

    async def counted(self, status: str) -> int:
        """How many messages the API says stand at `status`."""
        return int((await self.call("GET", f"{self._stack.api_url}/v1/messaging?limit=1&status={status}"))["total"])
