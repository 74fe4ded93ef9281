"""Files, a button, a place and a profile come with a guest's text, and reach the property's software."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from bellhop.sandbox.testing import Receiver

from .engine import GUEST, Engine


async def inbound_events(customer: Receiver, count: int) -> list[dict[str, Any]]:
    """What endpoints heard of guests' messages."""

    def received() -> list[dict[str, Any]]:
        events = [json.loads(one.body) for one in customer.received]
        return [event["data"] for event in events if event["type"] == "message.received"]

    await asyncio.to_thread(customer.wait, lambda _: len(received()) >= count, 20)
    return received()


async def test_what_came_with_a_text_is_kept_and_told(stack: Engine) -> None:
    fields = {
        "ButtonText": "Late check-out", "ButtonPayload": "late",
        "Latitude": "25.77", "Longitude": "-80.19", "Label": "The beach", "ProfileName": "Jo", "WaId": "13055551234",
    }  # fmt: skip
    with Receiver().open() as customer:
        await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hook"})
        for body, more in (
            ("Here we are", {"fields": fields, "media": ["image/jpeg", "application/pdf"]}),
            ("Thanks", {}),
        ):
            said = await stack.sandbox.post("/_sandbox/inbound", json={"from": GUEST, "body": body, **more})
            assert said.json()["status"] == 200
        events = {data["content"]: data for data in await inbound_events(customer, 2)}
    full, plain = events["Here we are"], events["Thanks"]
    assert [(one["state"], one["content_type"]) for one in full["media"]] == [
        ("kept", "image/jpeg"), ("kept", "application/pdf"),
    ]  # fmt: skip
    assert (full["media_count"], full["button"]) == (2, {"text": "Late check-out", "payload": "late"})
    assert full["location"] == {"latitude": 25.77, "longitude": -80.19, "address": None, "label": "The beach"}
    assert full["profile"] == {"name": "Jo", "id": "13055551234"}
    assert (plain["media"], plain["media_count"], plain["location"], plain["profile"]) == ([], 0, None, None)
    assert (await stack.rows("select details from messages where content = 'Thanks'")) == [{"details": None}]
