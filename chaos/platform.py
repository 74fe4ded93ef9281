"""The platform on which guests read what the property writes by Booking.com's API: it polls, shows, confirms, and what
it has seen is an account of its own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from chaos.accounts import Copy
from chaos.dialects import NOBODY, TRY, Ways
from chaos.provider_log import WORD

EVERY = (0.4, 1.6)
"""Seconds between two polls."""
CONFIRMS = 0.7
"""The share of what it is shown that it confirms; the rest comes again."""
PAGE = 100
"""Messages that it is shown at most."""


@dataclass(slots=True)
class _Seen:
    shown: dict[str, Any]
    asked: bool = False
    """It was said that the platform has it."""
    confirmed: bool = False


class Platform:
    """All guests of a property with such a reservation."""

    def __init__(self, http: aiohttp.ClientSession, api: str, ways: Ways) -> None:
        self._http, self._api, self._ways = http, api, ways
        self._seen: dict[str, _Seen] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(random.uniform(*EVERY))
            try:
                await self._poll()
            except NOBODY:
                continue

    async def _poll(self) -> None:
        shown = await self._call("/messages/latest", None)
        if shown is None:
            return
        waiting = {one["message_id"]: one for one in shown["data"]["messages"]}
        if len(waiting) < PAGE:
            # What was confirmed comes no more, though the answer was lost that said so.
            for message, seen in self._seen.items():
                seen.confirmed |= seen.asked and message not in waiting
        for message, one in waiting.items():
            self._seen.setdefault(message, _Seen(one))
        some = [message for message in waiting if random.random() < CONFIRMS]
        if not some:
            return
        for message in some:
            self._seen[message].asked = True
        said = await self._call("/messages/latest/confirm", {"messages": some})
        for message in (said or {}).get("confirmedMessages", ()):
            self._seen[message].confirmed = True

    async def _call(self, path: str, body: Any) -> dict[str, Any] | None:
        timeout = aiohttp.ClientTimeout(total=TRY)
        async with self._http.post(self._api + path, json=body, headers=self._ways.platform, timeout=timeout) as answer:
            if answer.status == 429 or answer.status >= 500:
                return None
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    def account(self) -> list[Copy]:
        """What it was shown."""
        return [
            Copy(
                provider="inbox",
                id=message,
                words=tuple(WORD.findall(seen.shown["content"])),
                accepted=datetime.fromisoformat(seen.shown["timestamp"]).timestamp(),
                status="delivered" if seen.confirmed else "sent",
                to=seen.shown["conversation"]["reservation"],
            )
            for message, seen in self._seen.items()
        ]
