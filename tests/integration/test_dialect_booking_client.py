"""A client that is generated from Booking.com's own description, unchanged, against our running API."""

from __future__ import annotations

import base64
import importlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix, render
from tests.integration.booking_description import DESCRIPTION
from tests.integration.generated_kit import generate_python

from .engine import Engine
from .test_dialect_booking import PNG, WELCOME, Sides, _book, _key

PACKAGE = "booking_client"
AFFILIATE = 1234567
HOTEL = str(WELCOME["accommodation"])


class Platform:
    """One side's client."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        token = headers["Authorization"].removeprefix("Bearer ")
        made = importlib.import_module(PACKAGE).AuthenticatedClient
        self.client = made(base_url=url, token=token, httpx_args={"trust_env": False})

    async def call(self, tag: str, name: str, **fields: Any) -> Any:
        """The answer of a call, read into the client's types."""
        module = importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")
        body = {}
        if fields:
            body = {"body": module._get_kwargs.__annotations__["body"].from_dict(fields)}
        answer = await module.asyncio_detailed(client=self.client, x_affiliate_id=AFFILIATE, **body)
        assert answer.status_code == 200, answer.content
        assert answer.parsed.request_id == answer.headers["x-request-id"]
        return answer.parsed


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> None:
    generate_python(DESCRIPTION, Path(tmp_path_factory.mktemp("booking")), PACKAGE)


async def test_both_platforms_talk_through_the_generated_client(stack: Engine) -> None:
    ours, theirs = [await _key(stack.database, stack.scope, side) for side in (Side.PROPERTY, Side.GUEST)]
    sides = Sides(stack.http, ours, theirs, None)
    await _book(sides)
    hotel, guests = Platform(str(stack.http.base_url), ours), Platform(str(stack.http.base_url), theirs)
    # The description has no conversation begun by a reservation: the guide has.
    first = (await sides.done(ours, "send", WELCOME))["data"]["message"]
    await stack.until(render(Prefix.MESSAGE, UUID(first)), "sent")
    of_stay = {"accommodation": HOTEL, "reservation": WELCOME["reservation"]}
    talk = (await hotel.call("conversations", "messages_conversations", **of_stay)).data.conversation
    assert (talk.reservation, [one.id for one in talk.messages]) == (WELCOME["reservation"], [first])
    assert all(isinstance(one.reply_to, str) for one in talk.messages)
    assert {one.metadata["type"] for one in talk.participants} == {"property", "guest"}
    (given,) = (await guests.call("messages", "messages_latest")).data.messages
    assert (given.message_id, given.content, given.reply_to) == (first, WELCOME["content"], None)
    assert (given.conversation.id, given.sender.metadata["type"]) == (talk.id, "property")
    for newly in ([first], []):
        assert (await guests.call("messages", "messages_latest_confirm", messages=[first])).confirmed_messages == newly
    in_talk = {"conversation": talk.id, "accommodation": HOTEL}
    file = {"file_size": len(PNG), "file_name": "pool.png", "file_type": "image/png"}
    content = base64.b64encode(PNG).decode()
    uploaded = await guests.call("attachments", "messages_attachments_upload", **in_talk, **file, file_content=content)
    attachment = uploaded.data.attachment
    asked = await guests.call("messages", "messages_send", **in_talk, content="This one?", attachments=[attachment])
    (received,) = (await hotel.call("messages", "messages_latest")).data.messages
    assert (received.message_id, received.attachments) == (asked.data.message, [attachment])
    named = {**in_talk, "attachment": attachment}
    metadata = (await hotel.call("attachments", "messages_attachments_metadata", **named)).data.metadata
    assert {name: getattr(metadata, name) for name in file} == file
    downloaded = await hotel.call("attachments", "messages_attachments_download", **named)
    assert base64.b64decode(downloaded.data.file_content) == PNG
