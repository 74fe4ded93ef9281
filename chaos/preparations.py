"""What is there before the storm: an approved template, guests with an app, guests with devices, open windows, and a
sender with a pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bellhop.dev.stack import EmbeddedStack
from bellhop.domain.ids import Prefix, parse
from chaos.dialects import Ways
from chaos.plan import APPS, OWNERS, Plan
from chaos.texts import REACHED, TALKS, reached_address

TEMPLATE = {
    "name": "chaos",
    "locale": "en",
    "content": "{{ content }} Reply here to answer.",
    # The sandbox's own, approved: "A message from your hotel: {{1}} Reply here to answer."
    "whatsapp": {"content_sid": f"HX{1:032d}", "variables": {"1": "content"}},
}
WHATSAPP = "whatsapp:+15005550006"
"""The sandbox's sender."""
AT_ONCE = 8
PACED = "imessage"
RATE = 1.0
"""Calls a second, at the most, through that channel's sender: now and then two come at once, and one waits."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The ids of the guests with an app, of those with devices, and of those whom `auto` reaches by a channel."""

    apps: tuple[str, ...]
    owners: tuple[str, ...]
    reached: Mapping[str, tuple[str, ...]]
    ways: Ways = field(default_factory=Ways)
    """What clients of the other vendors' APIs know of the property."""


async def prepare(stack: EmbeddedStack, plan: Plan, http: aiohttp.ClientSession) -> Prepared:
    """Make all that, while nothing goes wrong yet."""
    assert stack.prepared is not None
    headers = {"Authorization": f"Bearer {stack.prepared.api_key}"}

    async def call(path: str, body: Mapping[str, Any] | None = None, method: str = "POST") -> Any:
        async with http.request(method, stack.api_url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def guest(name: str, **address: str) -> str:
        return str((await call("/v1/guests", {"first_name": name, "last_name": "Chaos", **address}))["id"])

    async def reached(channel: str, which: int) -> str:
        field = "email" if channel == "email" else "phone"
        return await guest("Reached", **{field: reached_address(channel, which)})

    await call("/v1/templates", TEMPLATE)
    for sender in (await call("/v1/senders", method="GET"))["data"]:
        if sender["channel"] == PACED:
            await call(f"/v1/senders/{sender['id']}", {"rate": RATE}, "PATCH")
    apps = [await guest("App") for _ in range(APPS)]
    owners = [await guest("Owner") for _ in range(OWNERS)]
    for number, owner in enumerate(owners):
        for device in _devices(number):
            await call(f"/v1/guests/{owner}/devices", device)
    gate = asyncio.Semaphore(AT_ONCE)

    async def write(sender: str) -> None:
        body = {"provider": "twilio", "from": f"whatsapp:{sender}", "to": WHATSAPP, "body": "Hello"}
        async with gate, http.post(f"{stack.sandbox_url}/_sandbox/inbound", json=body) as answer:
            said = await answer.json()
            assert 200 <= said["status"] < 300, said

    found = {channel: (await reached(channel, 0), await reached(channel, 1)) for channel in REACHED}
    writers = {one.recipient for one in plan.requests if one.channel == "whatsapp" and one.written_to}
    await asyncio.gather(*map(write, sorted(writers)))
    return Prepared(tuple(apps), tuple(owners), found, await _ways(stack, call, guest))


async def _ways(stack: EmbeddedStack, call: Callable[..., Any], guest: Callable[..., Any]) -> Ways:
    """A key for the guests' platform, reservations of its guests, and what the property's numbers are called."""
    assert stack.prepared is not None
    property_id = parse(Prefix.PROPERTY, stack.prepared.property_id)
    (own,) = [one for one in (await call("/v1/auth/keys", method="GET"))["data"] if one["name"] == "chaos"]
    theirs = await call("/v1/auth/keys", {"name": "platform", "scopes": ["*"], "side": "guest"})
    reservations = tuple(f"R{number}" for number in range(TALKS))
    for reservation in reservations:
        body = {"source": "platform", "reservation": reservation, "guests": [await guest("Booked")]}
        await call("/v1/stays", body)
    senders = (await call("/v1/senders", method="GET"))["data"]
    lines = {
        one["channel"]: (one["address"], str(parse(Prefix.SENDER, one["id"])))
        for one in senders
        if one["channel"] in ("sms", "imessage")
    }
    return Ways(
        workspace=str(property_id),
        hotel_id=stack.prepared.property_id,
        secret=stack.prepared.api_key,
        key_id=own["id"],
        guests_secret=theirs["key"],
        lines=lines,
        reservations=reservations,
    )


def _devices(number: int) -> list[dict[str, str]]:
    """Two of Google's and one of Apple's."""
    google = [
        {"platform": "android", "kind": "fcm_token", "token": f"owner-{number}-{which}:APA91b"} for which in range(2)
    ]
    return [*google, {"platform": "ios", "kind": "apns", "token": f"{number + 1:064x}"}]
