"""The clients: send messages as planned, repeat what was not answered as good clients do, remember every answer.

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
from chaos.accounts import Answer, Exchange, Written
from chaos.dialects import OtherApis
from chaos.pictures import KIND, picture
from chaos.plan import REMINDED_AFTER, Guest, Plan, Request
from chaos.preparations import TEMPLATE, WHATSAPP, Prepared
from chaos.texts import REACHED, Text

TRY = 12.0
"""Seconds a client waits for one answer."""
PROVIDER_TRIES = 45.0
"""Seconds within which the provider has tried everything: twice 15, the address and the fallback."""
PAUSES = (0.2, 0.4, 0.8, 1.6, environment.CLIENTS_AGAIN)
"""Before a request is repeated; or what Retry-After says, if that is longer; both give or take a quarter."""
NOBODY = (aiohttp.ClientError, OSError, TimeoutError)


class Clients:
    """`async with`. `began`: time.time() of the storm's beginning, and `prepared`: both set when it begins. `files`:
    where the property's own server has its pictures."""

    def __init__(self, stack: EmbeddedStack, plan: Plan, files: str) -> None:
        assert stack.prepared is not None
        self._plan = plan
        self._files = files
        self._api = stack.api_url
        self._sandbox = stack.sandbox_url
        self._key = stack.prepared.api_key
        self.exchanges = {request.number: Exchange(request) for request in plan.requests}
        self.written = {text.number: Written(text) for text in plan.texts}
        self.began = 0.0
        self.prepared = Prepared((), (), {})
        self.tries = 0
        self.unanswered = 0
        self.others = OtherApis(lambda: self._http, self._api, files)
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
        """Send everything at its time. Returns when the last message's and guest's task has begun."""
        loop = asyncio.get_running_loop()
        self.others.ways = self.prepared.ways
        self._guests = {guest.number: loop.create_future() for guest in self._plan.guests}
        deeds: list[tuple[float, Guest | Request | Text]] = [(request.at, request) for request in self._plan.requests]
        deeds += [(guest.at, guest) for guest in self._plan.guests]
        deeds += [(text.at, text) for text in self._plan.texts]
        for at, one in sorted(deeds, key=lambda deed: deed[0]):
            await self._until(at)
            self._tasks.add(asyncio.create_task(self._do(one)))

    async def _do(self, one: Guest | Request | Text) -> None:
        match one:
            case Request():
                await self._request(one)
            case Guest():
                await self._guest(one)
            case Text():
                await self._text(one)

    def waiting(self) -> int:
        """Clients that are not through yet. Raises what one of them stumbled over: a fault of this program."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (problem := task.exception()) is not None:
                raise problem
        return sum(not task.done() for task in self._tasks)

    @property
    def accepted(self) -> int:
        """Messages that were answered 201."""
        return sum(bool(exchange.ids) for exchange in self.exchanges.values())

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
        for exchange in self.exchanges.values():
            if exchange.request.guest == guest.number:
                exchange.answers.append(answer)

    async def _text(self, text: Text) -> None:
        """Written once: a guest repeats nothing, and how often the provider posts it is the provider's affair. While
        the sandbox refuses connections the guest has no network, and writes a moment later."""
        if text.talk is not None:
            await self.others.write(self.written[text.number])
            return
        body = _written(text)
        url = f"{self._sandbox}/_sandbox/inbound"
        for _ in range(100):
            try:
                timeout = aiohttp.ClientTimeout(total=PROVIDER_TRIES)
                async with self._http.post(url, json=body, timeout=timeout) as answer:
                    assert answer.status == 200, await answer.text()
                    said = await answer.json()
                written = self.written[text.number]
                written.answered, written.known = said["status"], True
                written.tries = said["tries"] + said.get("fallback_tries", 0)
                return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.5)
            except NOBODY:
                return  # cut off in the middle: it may have been posted or not

    async def _request(self, request: Request) -> None:
        exchange = self.exchanges[request.number]
        body = await self._body(request) if request.api == "native" else {}
        await self._faults(request)
        posts = [self._send(exchange, body, request.hasty) for _ in range(request.together)]
        await asyncio.gather(*posts)
        later = [self._later(exchange), self._again(exchange, body), self._stop(exchange), self._read(request)]
        await asyncio.gather(*later)

    async def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {"channel": request.channel, "recipient": request.recipient, "content": request.content}
        if request.channel == "email":
            # Only of HTML is it told that it was read.
            body |= {"subject": "Chaos", "content_type": "text/html"}
        if request.guest_with is not None:
            guests = self.prepared.apps if request.channel == "in_app" else self.prepared.owners
            body["recipient"] = guests[request.guest_with]
        if not request.written_to:
            del body["content"]
            body["template"] = {"name": TEMPLATE["name"], "parameters": {"content": request.content}}
        if request.file is not None:
            body["media"] = [await self._media(request)]
        if request.fallback is not None:
            body["fallback"] = [self._second(request)]
        if request.second_guest is not None:
            body["guest_id"] = self.prepared.apps[request.second_guest]
        if request.reached is not None:
            body |= {"channel": "auto", "recipient": self.prepared.reached[request.channel][request.reached]}
            # Left out, it is what `auto` adds.
            body.pop("fallback", None)
            if REACHED[request.channel] is None:
                body["fallback"] = []
        if request.ahead is not None:
            body["scheduled_at"] = _iso(self.began + request.at + request.ahead)
        if request.guest is not None:
            body["guest_id"] = await self._guests[request.guest]
        return body

    def _second(self, request: Request) -> dict[str, Any]:
        """The second way of a message."""
        step: dict[str, Any] = {"channel": request.fallback, "recipient": request.second_recipient}
        if request.second_guest is not None:
            del step["recipient"]  # it is the message's guest
        if request.fallback == "email":
            step["subject"] = "Chaos"
        if request.reminds:
            step |= {"when": "not_read", "after": REMINDED_AFTER}
        return step | {"content": request.content}

    async def _send(self, exchange: Exchange, body: Mapping[str, Any], hasty: float | None = None) -> None:
        request = exchange.request
        headers = {"Idempotency-Key": f"request-{request.number}"}
        if not request.waits:
            headers["Prefer"] = "respond-async"
        due = None if request.ahead is None else self.began + request.at + request.ahead
        if request.api != "native":
            await self.others.send(exchange, due, hasty)
            return
        await self._repeat(
            "POST", "/v1/messaging/send", body, headers, exchange=exchange, verb="send", due=due, hasty=hasty
        )

    async def _media(self, request: Request) -> dict[str, str]:
        """The picture of a message: uploaded, or where the property's own server has it."""
        if request.file == "url":
            return {"url": f"{self._files}/{request.number}.png"}
        for _ in range(1_000):
            with suppress(*NOBODY):
                form = aiohttp.FormData()
                form.add_field("file", picture(request.number), filename="picture.png", content_type=KIND)
                timeout = aiohttp.ClientTimeout(total=TRY)
                async with self._http.post(f"{self._api}/v1/assets", data=form, timeout=timeout) as answer:
                    if answer.status == 201:
                        return {"asset_id": (await answer.json())["id"]}
                    assert answer.status == 429 or answer.status >= 500, await answer.text()
            await asyncio.sleep(environment.CLIENTS_AGAIN / 3)
        raise AssertionError("unreachable: somebody has ended us by then")

    async def _stop(self, exchange: Exchange) -> None:
        """The guest says STOP, until their provider has been answered 2xx."""
        request = exchange.request
        if request.stop is None:
            return
        await self._until(request.at + request.stop)
        body = {"provider": "twilio", "from": request.recipient, "body": "STOP"}
        while exchange.stopped is None:
            with suppress(*NOBODY):
                timeout = aiohttp.ClientTimeout(total=PROVIDER_TRIES)
                url = f"{self._sandbox}/_sandbox/inbound"
                async with self._http.post(url, json=body, timeout=timeout) as answer:
                    said = await answer.json()
                if said["status"] and 200 <= said["status"] < 300:
                    exchange.stopped = time.time()
                    return
            await asyncio.sleep(environment.CLIENTS_AGAIN)

    async def _read(self, request: Request) -> None:
        """The app on a device reports that a notification was read, if it is there by then: once, as it can."""
        if request.read is None:
            return
        await asyncio.sleep((request.ahead or 0.0) + request.read)
        timeout = aiohttp.ClientTimeout(total=5)
        with suppress(*NOBODY):
            query = {"provider": "fcm", "to": request.recipient}
            async with self._http.get(f"{self._sandbox}/_sandbox/messages", params=query, timeout=timeout) as answer:
                found = (await answer.json())["data"]
            for one in found:
                body = {"provider": "fcm", "id": one["id"]}
                async with self._http.post(f"{self._sandbox}/_sandbox/read", json=body, timeout=timeout) as answer:
                    assert answer.status in (200, 409), await answer.text()

    async def _again(self, exchange: Exchange, body: Mapping[str, Any]) -> None:
        if exchange.request.again is not None:
            await asyncio.sleep(exchange.request.again)
            await self._send(exchange, body)

    async def _later(self, exchange: Exchange) -> None:
        request, ids = exchange.request, exchange.ids
        if not ids:
            return
        path = f"/v1/messaging/{ids[0]}"
        if request.move is not None:
            await self._until(request.at + request.move.after)
            due = None if request.move.to is None else self.began + request.at + request.move.to
            body = {"scheduled_at": None if due is None else _iso(due)}
            await self._repeat("PATCH", path, body, exchange=exchange, verb="move", due=due)
        if request.cancel is not None:
            await self._until(request.at + request.cancel)
            if request.api != "native":
                await self.others.cancel(exchange)
                return
            await self._repeat("POST", f"{path}/cancel", exchange=exchange, verb="cancel")

    # --- one request, until it is answered ------------------------------------------------------------------------

    async def _repeat(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        exchange: Exchange | None = None,
        verb: str = "",
        due: float | None = None,
        hasty: float | None = None,
    ) -> tuple[int, Any]:
        """Ask until there is an answer that says what became of it. Every try is remembered in `exchange`."""
        for number in range(10_000):
            asked = time.time()
            status, shown, retry_after = await self._once(
                method, path, body, headers, hasty if number == 0 and hasty else TRY
            )
            known = shown if isinstance(shown, dict) else {}
            answer = Answer(verb, asked, time.time(), status, known.get("id"), known.get("code"), due)
            if exchange is not None:
                exchange.answers.append(answer)
            if answer.final:
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

    # --- disturbances of single messages --------------------------------------------------------------------------

    async def _faults(self, request: Request) -> None:
        if request.call:
            await self._fault(request, kind=request.call)
        if request.lookup:
            await self._fault(request, kind="unavailable", calls="lookup")
        if request.callbacks:
            extra: dict[str, float] = {"times": 5} if request.callbacks == "callback_repeat" else {}
            extra |= {"delay": environment.CALLBACK_DELAY} if request.callbacks == "callback_delay" else {}
            await self._fault(request, kind=request.callbacks, count=8, **extra)

    async def _fault(self, request: Request, **asked: Any) -> None:
        """Asked for once: while the sandbox refuses connections, the message goes without."""
        with suppress(*NOBODY):
            async with self._http.post(
                f"{self._sandbox}/_sandbox/faults",
                json={"to": request.disturbed, **asked},
                timeout=aiohttp.ClientTimeout(total=2),
            ) as answer:
                assert answer.status == 201, await answer.text()


def _written(text: Text) -> dict[str, str]:
    """What the sandbox is asked to post for a guest who writes."""
    provider = {"imessage": "sendblue", "email": "sendgrid"}.get(text.channel, "twilio")
    body = {"provider": provider, "from": text.sender, "body": text.content}
    if text.channel == "whatsapp":
        body |= {"from": f"whatsapp:{text.sender}", "to": WHATSAPP}
    return body


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
