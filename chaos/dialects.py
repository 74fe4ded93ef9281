"""Messages through the other vendors' APIs, sent as careful clients of each would: repeated only where the API makes
that safe, else looked for first.

Bird's takes an `Idempotency-Key`: repeated like the native one. Of Sendblue's a request that says that it is a
repetition is none within a minute; what is not answered for longer is looked for by its text. Booking.com's has
neither: what was not answered is looked for in its conversation once it can be under way no more.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp

from bellhop.domain.ids import Prefix, parse, render
from chaos.accounts import Answer, Exchange, Written
from chaos.faults import PAUSE
from chaos.plan import Request

NOBODY = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
TRY = 12.0
"""Seconds a client waits for one answer."""
AGAIN = (0.3, 1.2)
BLIND = 25.0
"""Seconds after its first request in which a client of Sendblue's repeats it: the last one, however late it is served,
is within the minute."""
ALIVE = 2 * PAUSE[1] + 12.0
"""Seconds after which no request is under way any more: a process may be stopped twice, and work on the database takes
ten seconds at most."""
DIES = PAUSE[1] + 2.0
"""The same after an answer that says nothing, or a connection that was cut: then only a commit can be under way."""
ACCEPTED = 201
"""How the accounts say that a message was accepted, whatever its API answers then."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What the clients know of the property: its key as Bird (`workspace`) and as Booking.com have it (`hotel_id`),
    secrets of keys. `lines`: of each channel the number and its id as a UUID. `reservations`: those of guests who use a
    platform."""

    workspace: str = ""
    hotel_id: str = ""
    secret: str = ""
    key_id: str = ""
    guests_secret: str = ""
    lines: Mapping[str, tuple[str, str]] | None = None
    reservations: tuple[str, ...] = ()

    @property
    def bird(self) -> dict[str, str]:
        """Headers of a request of Bird's clients."""
        return {"Authorization": f"AccessKey {self.secret}"}

    @property
    def sendblue(self) -> dict[str, str]:
        """The same of Sendblue's."""
        return {"sb-api-key-id": self.key_id, "sb-api-secret-key": self.secret}

    @property
    def hotel(self) -> dict[str, str]:
        """The same of the property's side of Booking.com's."""
        return {"Authorization": f"Bearer {self.secret}", "X-Affiliate-Id": "1"}

    @property
    def platform(self) -> dict[str, str]:
        """The same of its guests' side."""
        return {"Authorization": f"Bearer {self.guests_secret}", "X-Affiliate-Id": "1"}

    def line(self, channel: str) -> tuple[str, str]:
        """The number of a channel, and its id."""
        assert self.lines is not None
        return self.lines[channel]

    def talk(self, which: int) -> dict[str, str]:
        """What names a conversation of Booking.com's."""
        return {"accommodation": self.hotel_id, "reservation": self.reservations[which]}


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one request. `status` 0: no answer. `over`: time.time() from which it is surely done or not."""

    status: int
    shown: Any
    over: float

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Whether it says what became of the request."""
        return 0 < self.status < 500 and self.status != 429


class OtherApis:
    """The clients of the three. `tries` and `unanswered` count requests."""

    def __init__(self, http: Callable[[], aiohttp.ClientSession], api: str, files: str) -> None:
        self._http, self._api, self._files = http, api, files
        self.ways = Ways()
        self.tries = self.unanswered = 0

    async def send(self, exchange: Exchange, due: float | None, hasty: float | None) -> None:
        """Hand a message in by its API until it is known what became of that."""
        match exchange.request.api:
            case "bird":
                await self._bird(exchange, due, hasty)
            case "sendblue":
                await self._sendblue(exchange, hasty)
            case "booking":
                await self._booking(exchange)

    async def cancel(self, exchange: Exchange) -> None:
        """Withdraw a message by Bird's API: as often as it takes, since that changes nothing."""
        request, (message, *_) = exchange.request, exchange.ids
        path = f"{self._channel(request)}/messages/{_uuid(message)}"
        while True:
            said = await self._call("DELETE", path, None, self.ways.bird)
            self._note(exchange, "cancel", said, message)
            if said.final:
                return
            await _pause()

    async def write(self, written: Written) -> None:
        """A guest's text by their platform, once: looked for before it is written again."""
        text = written.text
        assert text.talk is not None
        body = {**self.ways.talk(text.talk), "content": text.content}
        while True:
            said = await self._call("POST", "/messages/send", body, self.ways.platform)
            written.tries += 1
            if not said.final and said.status != 429:
                found = await self._found_in_talk(text.talk, text.content, self.ways.platform, said.over)
                said = said if found is None else Said(200, found, said.over)
            if said.final:
                written.answered, written.known = said.status, True
                return
            await _pause()

    # --- Bird's -------------------------------------------------------------------------------------------------------

    def _channel(self, request: Request) -> str:
        return f"/workspaces/{self.ways.workspace}/channels/{self.ways.line(request.channel)[1]}"

    async def _bird(self, exchange: Exchange, due: float | None, hasty: float | None) -> None:
        request = exchange.request
        body: dict[str, Any] = {
            "receiver": {"contacts": [{"identifierKey": "phonenumber", "identifierValue": request.recipient}]},
            "body": {"type": "text", "text": {"text": request.content}},
            "reference": request.token,
        }
        if due is not None:
            body["scheduledFor"] = datetime.fromtimestamp(due, UTC).isoformat()
        headers = {**self.ways.bird, "Idempotency-Key": f"request-{request.number}"}
        while True:
            said = await self._call("POST", f"{self._channel(request)}/messages", body, headers, hasty)
            self._note(exchange, "send", said, _message(said, "id"), due)
            hasty = None
            if said.final:
                return
            await _pause()

    # --- Sendblue's ---------------------------------------------------------------------------------------------------

    async def _sendblue(self, exchange: Exchange, hasty: float | None) -> None:
        request = exchange.request
        body = {"number": request.recipient, "content": request.content}
        body["from_number"] = self.ways.line(request.channel)[0]
        if request.file is not None:
            body["media_url"] = f"{self._files}/{request.number}.png"
        count, first, over = 0, time.time(), 0.0
        while True:
            headers = {**self.ways.sendblue, "x-stainless-retry-count": str(count)}
            said = await self._call("POST", "/api/send-message", body, headers, hasty)
            self._note(exchange, "send", said, _message(said, "message_handle"))
            hasty, count, over = None, count + 1, max(over, said.over)
            if said.final:
                return
            if time.time() - first < BLIND:
                await _pause()
                continue
            if await self._look(exchange, over, lambda: self._found_in_list(request)):
                return
            count, first, over = 0, time.time(), 0.0

    async def _found_in_list(self, request: Request) -> str | None:
        query = f"number=%2B{request.recipient[1:]}&is_outbound=true"
        said = await self._asked("GET", f"/api/v2/messages?{query}", None, self.ways.sendblue)
        found = [one["message_handle"] for one in said["data"] if one["content"] == request.content]
        return found[0] if found else None

    # --- Booking.com's ------------------------------------------------------------------------------------------------

    async def _booking(self, exchange: Exchange) -> None:
        request = exchange.request
        assert request.talk is not None
        talk = request.talk
        body = {**self.ways.talk(talk), "content": request.content}
        while True:
            said = await self._call("POST", "/messages/send", body, self.ways.hotel)
            self._note(exchange, "send", said, _message(said, "data", "message"))
            if said.final:
                return
            if said.status != 429 and await self._look(
                exchange, said.over, lambda: self._in_talk(talk, request.content, self.ways.hotel)
            ):
                return
            await _pause()

    async def _found_in_talk(self, talk: int, content: str, headers: Mapping[str, str], over: float) -> str | None:
        await asyncio.sleep(over - time.time())
        return await self._in_talk(talk, content, headers)

    async def _in_talk(self, talk: int, content: str, headers: Mapping[str, str]) -> str | None:
        said = await self._asked("POST", "/messages/conversations", self.ways.talk(talk), headers)
        listed = said["data"]["conversation"]["messages"] if "data" in said else []
        found = [one["id"] for one in listed if one["content"] == content]
        return found[0] if found else None

    # --- what they list ------------------------------------------------------------------------------------------

    async def listed(self) -> dict[str, list[tuple[str, str, str]]]:
        """API → what it lists of the texts of the property, both ways: id, content and status."""
        sendblue: list[tuple[str, str, str]] = []
        more = True
        while more:
            path = f"/api/v2/messages?limit=100&offset={len(sendblue)}"
            said = await self._asked("GET", path, None, self.ways.sendblue)
            sendblue += [_listed(one["message_handle"], one["content"], one) for one in said["data"]]
            more = said["pagination"]["hasMore"]
        bird: list[tuple[str, str, str]] = []
        for _, channel in (self.ways.lines or {}).values():
            token: str | None = ""
            while token is not None:
                path = f"/workspaces/{self.ways.workspace}/channels/{channel}/messages?limit=100"
                said = await self._asked("GET", path + (f"&pageToken={token}" if token else ""), None, self.ways.bird)
                bird += [_listed(one["id"], _text(one["body"]), one) for one in said["results"]]
                token = said.get("nextPageToken")
        return {"sendblue": sendblue, "bird": bird}

    # --- one request --------------------------------------------------------------------------------------------------

    async def _look(self, exchange: Exchange, over: float, find: Callable[[], Awaitable[str | None]]) -> bool:
        """Whether the message is there after all, once nothing of it can be under way."""
        await asyncio.sleep(over - time.time())
        asked = time.time()
        found = await find()
        if found is not None:
            exchange.answers.append(Answer("send", asked, time.time(), ACCEPTED, render(Prefix.MESSAGE, UUID(found))))
        return found is not None

    def _note(self, exchange: Exchange, verb: str, said: Said, message: str | None, due: float | None = None) -> None:
        status = ACCEPTED if verb == "send" and said.accepted else said.status
        code = said.shown.get("code") or said.shown.get("error_message") if isinstance(said.shown, dict) else None
        now = time.time()
        exchange.answers.append(Answer(verb, now, now, status, message, code if said.status >= 400 else None, due))

    async def _asked(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        """What a call that changes nothing is answered, in the end; 404: nothing."""
        while True:
            said = await self._call(method, path, body, headers)
            if said.status == 404:
                return {}
            if said.final:
                assert said.accepted, said.shown
                return dict(said.shown)
            await _pause()

    async def _call(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], patience: float | None = None
    ) -> Said:
        began = time.time()
        self.tries += 1
        timeout = aiohttp.ClientTimeout(total=patience or TRY)
        try:
            async with self._http().request(
                method, self._api + path, json=body, headers=headers, timeout=timeout
            ) as answer:
                shown = await answer.json() if answer.status != 204 else None
                return Said(answer.status, shown, time.time() + (DIES if answer.status >= 500 else 0.0))
        except aiohttp.ClientConnectorError:
            self.unanswered += 1
            return Said(0, None, time.time())
        except TimeoutError:
            self.unanswered += 1
            return Said(0, None, began + ALIVE)
        except NOBODY:
            self.unanswered += 1
            return Said(0, None, time.time() + DIES)


def _message(said: Said, *names: str) -> str | None:
    """The id of the message that was made, in the native form."""
    found = said.shown
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if not said.accepted or not isinstance(found, str):
        return None
    return render(Prefix.MESSAGE, UUID(found))


def _listed(key: str, content: str | None, shown: Mapping[str, Any]) -> tuple[str, str, str]:
    ours = shown.get("is_outbound", shown.get("direction") == "outgoing")
    prefix = Prefix.MESSAGE if ours else Prefix.INBOUND
    return render(prefix, UUID(key)), content or "", str(shown["status"])


def _text(body: Mapping[str, Any]) -> str:
    return str(body[body["type"]].get("text") or "")


def _uuid(message: str) -> str:
    found = parse(Prefix.MESSAGE, message)
    assert found is not None
    return str(found)


async def _pause() -> None:
    await asyncio.sleep(random.uniform(*AGAIN))
