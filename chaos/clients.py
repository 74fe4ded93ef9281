"""The clients: hand in letters as planned, repeat what was not answered as good clients do, remember every answer.

What they remember is account one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import aiohttp

from bellhop.dev.stack import EmbeddedStack
from chaos import environment
from chaos.accounts import Answer, Told
from chaos.plan import Guest, Letter, Plan

TRY = 12.0
"""Seconds a client waits for one answer."""
PAUSES = (0.2, 0.4, 0.8, 1.6, environment.CLIENTS_AGAIN)
"""Before a request is repeated; or what Retry-After says, if that is longer; both give or take a quarter."""
NOBODY = (aiohttp.ClientError, OSError, TimeoutError)


class Clients:
    """`async with`. `began`: time.time() of the storm's beginning, set when it begins."""

    def __init__(self, stack: EmbeddedStack, plan: Plan) -> None:
        assert stack.prepared is not None
        self._plan = plan
        self._api = stack.api_url
        self._sandbox = stack.sandbox_url
        self._key = stack.prepared.api_key
        self.told = {letter.number: Told(letter) for letter in plan.letters}
        self.began = 0.0
        self.tries = 0
        self.unanswered = 0
        self._guests: dict[int, asyncio.Future[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=20)
        self._http = aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {self._key}"})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3)
        await self._http.close()

    # --- the load -------------------------------------------------------------------------------------------------

    async def play(self) -> None:
        """Hand in everything at its time. Returns when the last letter's and guest's task has begun."""
        loop = asyncio.get_running_loop()
        self._guests = {guest.number: loop.create_future() for guest in self._plan.guests}
        deeds: list[tuple[float, Guest | Letter]] = [(letter.at, letter) for letter in self._plan.letters]
        deeds += [(guest.at, guest) for guest in self._plan.guests]
        for at, one in sorted(deeds, key=lambda deed: deed[0]):
            await self._until(at)
            task = asyncio.create_task(self._letter(one) if isinstance(one, Letter) else self._guest(one))
            self._tasks.add(task)

    def waiting(self) -> int:
        """Clients that are not through yet. Raises what one of them stumbled over: a fault of this program."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (problem := task.exception()) is not None:
                raise problem
        return sum(not task.done() for task in self._tasks)

    @property
    def accepted(self) -> int:
        """Letters that were answered 201."""
        return sum(bool(told.ids) for told in self.told.values())

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, self.began + at - time.time()))

    async def _guest(self, guest: Guest) -> None:
        body = {"first_name": "Erased", "last_name": "Later", "email": guest.email, "phone": guest.phone}
        _, shown = await self._repeat("POST", "/v1/guests", body, {"Idempotency-Key": f"guest-{guest.number}"})
        self._guests[guest.number].set_result(shown["id"])
        await self._until(guest.erased)
        asked = time.time()
        status, _ = await self._repeat("DELETE", f"/v1/guests/{shown['id']}")
        # 404: an earlier try had done it.
        answer = Answer("erase", asked, time.time(), status)
        for told in self.told.values():
            if told.letter.guest == guest.number:
                told.answers.append(answer)

    async def _letter(self, letter: Letter) -> None:
        told = self.told[letter.number]
        body = await self._body(letter)
        await self._faults(letter)
        posts = [self._send(told, body, letter.hasty) for _ in range(letter.together)]
        await asyncio.gather(*posts)
        later = [self._later(told), self._again(told, body)]
        await asyncio.gather(*later)

    async def _body(self, letter: Letter) -> dict[str, Any]:
        body: dict[str, Any] = {"channel": letter.channel, "recipient": letter.recipient, "content": letter.content}
        if letter.channel == "email":
            body["subject"] = "Chaos"
        if letter.ahead is not None:
            body["scheduled_at"] = _iso(self.began + letter.at + letter.ahead)
        if letter.guest is not None:
            body["guest_id"] = await self._guests[letter.guest]
        return body

    async def _send(self, told: Told, body: Mapping[str, Any], hasty: float | None = None) -> None:
        letter = told.letter
        headers = {"Idempotency-Key": f"letter-{letter.number}"}
        if not letter.waits:
            headers["Prefer"] = "respond-async"
        due = None if letter.ahead is None else self.began + letter.at + letter.ahead
        await self._repeat("POST", "/v1/messaging/send", body, headers, told=told, verb="send", due=due, hasty=hasty)

    async def _again(self, told: Told, body: Mapping[str, Any]) -> None:
        if told.letter.again is not None:
            await asyncio.sleep(told.letter.again)
            await self._send(told, body)

    async def _later(self, told: Told) -> None:
        letter, ids = told.letter, told.ids
        if not ids:
            return
        path = f"/v1/messaging/{ids[0]}"
        if letter.move is not None:
            await self._until(letter.at + letter.move.after)
            due = None if letter.move.to is None else self.began + letter.at + letter.move.to
            body = {"scheduled_at": None if due is None else _iso(due)}
            await self._repeat("PATCH", path, body, told=told, verb="move", due=due)
        if letter.cancel is not None:
            await self._until(letter.at + letter.cancel)
            await self._repeat("POST", f"{path}/cancel", told=told, verb="cancel")

    # --- one request, until it is answered ------------------------------------------------------------------------

    async def _repeat(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        told: Told | None = None,
        verb: str = "",
        due: float | None = None,
        hasty: float | None = None,
    ) -> tuple[int, Any]:
        """Ask until there is an answer below 500. Every try is remembered in `told`."""
        for number in range(10_000):
            asked = time.time()
            status, shown, retry_after = await self._once(
                method, path, body, headers, hasty if number == 0 and hasty else TRY
            )
            if told is not None:
                known = shown if isinstance(shown, dict) else {}
                answer = Answer(verb, asked, time.time(), status, known.get("id"), known.get("code"), due)
                told.answers.append(answer)
            if 0 < status < 500:
                return status, shown
            # Where many wait for the same thing, those who repeat in step keep it down.
            pause = min(environment.CLIENTS_AGAIN, max(PAUSES[min(number, len(PAUSES) - 1)], retry_after))
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))
        raise AssertionError("unreachable: somebody has ended us by then")

    async def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str] | None, patience: float
    ) -> tuple[int, Any, float]:
        self.tries += 1
        timeout = aiohttp.ClientTimeout(total=patience)
        try:
            async with self._http.request(
                method, self._api + path, json=body, headers=headers, timeout=timeout
            ) as answer:
                shown = await answer.json() if answer.status != 204 else None
                return answer.status, shown, float(answer.headers.get("Retry-After", 0.0))
        except NOBODY:
            self.unanswered += 1
            return 0, None, 0.0

    # --- what befalls a letter on its way ---------------------------------------------------------------------------

    async def _faults(self, letter: Letter) -> None:
        if letter.call:
            await self._fault(letter, kind=letter.call)
        if letter.lookup:
            await self._fault(letter, kind="unavailable", calls="lookup")
        if letter.callbacks:
            extra: dict[str, float] = {"times": 5} if letter.callbacks == "callback_repeat" else {}
            extra |= {"delay": environment.CALLBACK_DELAY} if letter.callbacks == "callback_delay" else {}
            await self._fault(letter, kind=letter.callbacks, count=8, **extra)

    async def _fault(self, letter: Letter, **asked: Any) -> None:
        """Asked for once: while the sandbox refuses connections, the letter goes without."""
        with suppress(*NOBODY):
            async with self._http.post(
                f"{self._sandbox}/_sandbox/faults",
                json={"to": letter.recipient, **asked},
                timeout=aiohttp.ClientTimeout(total=2),
            ) as answer:
                assert answer.status == 201, await answer.text()


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
