"""What goes by one API is seen by the others, with the same words, numbers and status, whichever way it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings

from .bird_kit import Workspace, workspace
from .conftest_api import JORDAN, Api, open_api
from .test_conversations import stay, texted

NUMBER = JORDAN["phone"]
PICTURE = "https://example.com/pool.png"


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as api:
        api.http.headers |= {"sb-api-key-id": f"key_{api.key.split('_')[2]}", "sb-api-secret-key": api.key}
        yield api


class Four:
    """One property, by each API."""

    def __init__(self, api: Api, bird: Workspace, lines: dict[str, str], hotel: str) -> None:
        self.api, self.bird, self.lines, self.hotel = api, bird, lines, hotel

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.api.http.post(path, json=body)
        assert answer.status_code in (200, 201, 202), answer.text
        return dict(answer.json())

    async def by_sendblue(self) -> list[dict[str, Any]]:
        return list((await self.api.http.get("/api/v2/messages")).json()["data"])

    async def by_bird(self) -> list[dict[str, Any]]:
        return list((await self.bird.get("/messages", limit=100))["results"])

    async def by_booking(self) -> list[dict[str, Any]]:
        asked = {"accommodation": self.hotel, "reservation": "R1"}
        found = await self.post("/messages/conversations", **asked)
        return list(found["data"]["conversation"]["messages"])

    async def send_by_sendblue(self, **body: Any) -> str:
        return str((await self.post("/api/send-message", **{"number": NUMBER} | body))["message_handle"])

    async def send_by_bird(self, **body: Any) -> str:
        return str((await self.bird.sent(receiver={"contacts": [{"identifierValue": NUMBER}]}, **body))["id"])

    async def send_by_booking(self, content: str) -> str:
        sent = await self.post("/messages/send", accommodation=self.hotel, reservation="R1", content=content)
        return str(sent["data"]["message"])


@pytest.fixture
async def four(api: Api) -> Four:
    """With a guest, who has a stay and a number."""
    guest = await api.guest()
    await stay(api, guest)
    senders = (await api.http.get("/v1/senders")).json()["data"]
    (hotel,) = (await api.http.get("/v1/properties")).json()["data"]
    settings = {**hotel["settings"], "inbox_copies": True, "channel_order": ["sms"]}
    answer = await api.http.patch(f"/v1/properties/{hotel['id']}", json={"settings": settings})
    assert answer.status_code == 200, answer.text
    lines = {one["channel"]: one["address"] for one in senders}
    return Four(api, await workspace(api), lines, hotel["id"])


async def test_what_one_sends_the_others_list(four: Four) -> None:
    own = four.lines["sms"]
    sendblue = await four.send_by_sendblue(content="By Sendblue", from_number=own)
    bird = await four.send_by_bird(body={"type": "text", "text": {"text": "By Bird"}})
    booking = await four.send_by_booking("By Booking.com")
    ((copy,),) = await four.api.sql(
        "select id::text from messages where channel = 'sms' and content = 'By Booking.com'"
    )
    said = {sendblue: "By Sendblue", bird: "By Bird", copy: "By Booking.com"}
    assert {one["message_handle"]: one["content"] for one in await four.by_sendblue()} == said
    assert {one["id"]: one["body"]["text"]["text"] for one in await four.by_bird()} == said
    for item in await four.by_sendblue():
        # Which line a message goes out from that names none shows once it has.
        line = own if item["message_handle"] != copy else None
        assert (item["from_number"], item["sendblue_number"], item["number"]) == (line, line, NUMBER)
        assert (item["status"], item["service"], item["is_outbound"]) == ("QUEUED", "SMS", True)
    assert booking not in said, "it lies in the conversation: what goes out by phone is its copy"


async def test_what_a_guest_writes_each_has(four: Four, settings: Settings) -> None:
    await texted(four.api, settings, four.lines["sms"], "Is the pool open?", NUMBER)
    (item,) = await four.by_sendblue()
    assert (item["content"], item["status"], item["is_outbound"]) == ("Is the pool open?", "RECEIVED", False)
    assert (item["from_number"], item["to_number"], item["number"]) == (NUMBER, four.lines["sms"], NUMBER)
    (message,) = await four.by_bird()
    assert message["body"] == {"type": "text", "text": {"text": "Is the pool open?"}}
    assert (message["status"], message["direction"], message["id"]) == ("delivered", "incoming", item["message_handle"])
    assert message["sender"]["contact"]["identifierValue"] == NUMBER
    assert message["receiver"]["connector"] == {"id": four.bird.channel, "identifierValue": four.lines["sms"]}
    (entry,) = await four.by_booking()
    assert (entry["content"], entry["id"]) == ("Is the pool open?", item["message_handle"])


async def test_a_picture_is_one_everywhere(four: Four) -> None:
    await four.send_by_sendblue(content="The pool", media_url=PICTURE, from_number=four.lines["sms"])
    image = {"images": [{"mediaUrl": PICTURE}], "text": "The pool"}
    await four.send_by_bird(body={"type": "image", "image": image})
    assert [(one["content"], one["media_url"]) for one in await four.by_sendblue()] == [("The pool", PICTURE)] * 2
    assert [one["body"] for one in await four.by_bird()] == [{"type": "image", "image": image}] * 2
