"""Guests' apps: each follows its guest's inbox by a stream, reports what it shows, reads some of it, goes away and
comes back. What they have seen and reported is an account of its own: the in-app messages'."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import aiohttp

from bellhop.dev.stack import EmbeddedStack
from chaos.accounts import App, Copy
from chaos.provider_log import WORD

NOBODY = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
PATIENCE = aiohttp.ClientTimeout(total=12)
STREAM = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
STAYS = (5.0, 25.0)
"""Seconds an app keeps its stream."""
AWAY = (0.0, 4.0)
READS = 0.6
"""The share of messages that a guest reads."""
AGAIN = 1.0
"""Seconds before something that was not answered is tried again."""


class InboxApp:
    """The app of one guest."""

    def __init__(self, stack: EmbeddedStack, http: aiohttp.ClientSession, guest: str) -> None:
        assert stack.prepared is not None
        self._api, self._http, self._guest = stack.api_url, http, guest
        self._key = {"Authorization": f"Bearer {stack.prepared.api_key}"}
        self._session: dict[str, str] = {}
        self._position: str | None = None
        self._shown: Counter[str] = Counter()
        self._reported: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._reports: set[asyncio.Task[None]] = set()
        self.calm = False
        """Nothing goes wrong any more: the app stays."""

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                stays = 3600.0 if self.calm else random.uniform(*STAYS)
                with suppress(*NOBODY):
                    async with asyncio.timeout(stays):
                        async for event in self._events():
                            self._take(event)
                await asyncio.sleep(AGAIN / 4 if self.calm else random.uniform(*AWAY))
        finally:
            for report in self._reports:
                report.cancel()

    def pending(self) -> int:
        """Reports that are still to be made. Raises what one of them stumbled over: a fault of this program."""
        for task in [task for task in self._reports if task.done()]:
            self._reports.discard(task)
            task.result()
        return len(self._reports)

    # --- the stream ---------------------------------------------------------------------------------------------------

    async def _events(self) -> AsyncIterator[dict[str, Any]]:
        """Messages as the stream brings them, after the last one that was seen."""
        headers = await self._signed_in()
        if self._position is not None:
            headers["Last-Event-ID"] = self._position
        async with self._http.get(f"{self._api}/v1/inbox/stream", headers=headers, timeout=STREAM) as answer:
            if answer.status == 401:
                self._session = {}
            if answer.status != 200:
                return
            position, kind = "", ""
            async for raw in answer.content:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if name == "id":
                    position = value
                elif name == "event":
                    kind = value
                elif name == "data" and kind == "message":
                    message = json.loads(value)
                    # Only what has come whole was seen.
                    self._position = position
                    yield message

    def _take(self, message: dict[str, Any]) -> None:
        if message["status"] == "read" and message["id"] in self._shown:
            return  # as it is now: it was read
        self._shown[message["id"]] += 1
        self._reports.add(asyncio.create_task(self._report(message["id"], "delivered")))
        if random.random() < READS:
            self._reports.add(asyncio.create_task(self._report(message["id"], "read", random.uniform(0.2, 4.0))))

    async def _report(self, message: str, word: str, after: float = 0.0) -> None:
        await asyncio.sleep(after)
        while True:
            with suppress(*NOBODY):
                url = f"{self._api}/v1/inbox/messages/{message}/{word}"
                async with self._http.post(url, headers=await self._signed_in(), timeout=PATIENCE) as answer:
                    if answer.status == 200:
                        if self._reported.get(message) != "read":
                            self._reported[message] = word
                        return
                    if answer.status == 401:
                        self._session = {}
                    assert answer.status in (401, 429) or answer.status >= 500, await answer.text()
            await asyncio.sleep(AGAIN)

    async def _signed_in(self) -> dict[str, str]:
        """Headers of a session; its property's back end makes one."""
        if not self._session:
            url = f"{self._api}/v1/guests/{self._guest}/sessions"
            async with self._http.post(url, json={}, headers=self._key, timeout=PATIENCE) as answer:
                if answer.status != 201:
                    raise ValueError(answer.status)
                self._session = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        return dict(self._session)

    # --- its account --------------------------------------------------------------------------------------------------

    async def account(self) -> tuple[App, list[Copy]]:
        """What lies in the inbox, and what this app knows of it."""
        listed: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            url = f"{self._api}/v1/inbox/messages"
            async with self._http.get(url, params=params, headers=await self._signed_in(), timeout=PATIENCE) as answer:
                answer.raise_for_status()
                page = await answer.json()
            listed += page["data"]
            cursor = page["next_cursor"]
        copies = [await self._copy(one) for one in listed]
        return App(tuple(one["id"] for one in listed), dict(self._shown)), copies

    async def _copy(self, entry: dict[str, Any]) -> Copy:
        status = self._reported.get(entry["id"], "sent")
        return Copy(
            provider="in_app",
            id=entry["id"],
            words=tuple(WORD.findall(entry["content"])),
            accepted=datetime.fromisoformat(entry["sent_at"]).timestamp(),
            status=status,
            reported=frozenset({status}),
            to=self._guest,
            files=tuple([await self._digest(file["url"]) for file in entry["media"]]),
        )

    async def _digest(self, url: str) -> str:
        if url not in self._digests:
            async with self._http.get(url, timeout=PATIENCE) as answer:
                answer.raise_for_status()
                self._digests[url] = hashlib.sha256(await answer.read()).hexdigest()
        return self._digests[url]
