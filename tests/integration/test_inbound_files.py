"""Files that guests send: fetched after their message is acknowledged, kept, told, and gone with the guest."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

from PIL import Image

from bellhop.sandbox.testing import Receiver

from .engine import Engine

LINE = "+13055550100"
PLACE = "Quetzal-Lodge"


def photo() -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = PLACE
    Image.effect_noise((60, 40), 60).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


def file(content: bytes, kind: str = "image/jpeg", name: str = "") -> dict[str, str]:
    return {"type": kind, "content": base64.b64encode(content).decode(), "name": name}


async def received(customer: Receiver, content: str) -> dict[str, Any]:
    """What an endpoint heard of one message, which it hears once."""

    def events() -> list[dict[str, Any]]:
        bodies = [json.loads(one.body) for one in customer.received]
        return [
            one["data"] for one in bodies if one["type"] == "message.received" and one["data"]["content"] == content
        ]

    await asyncio.to_thread(customer.wait, lambda _: bool(events()), 30)
    (event,) = events()
    return event


async def wrote(stack: Engine, **said: Any) -> None:
    answer = await stack.sandbox.post("/_sandbox/inbound", json=said)
    assert answer.json()["status"] == 200, answer.text


async def test_a_provider_that_is_away_is_asked_again(stack: Engine) -> None:
    number = "+13055550882"
    made = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "Doe", "phone": number})
    with Receiver().open() as customer:
        await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hook"})
        await stack.fault("unavailable", calls="lookup", to=number)
        await wrote(stack, **{"from": number, "body": "Again", "media": ["image/png"]})
        event = await received(customer, "Again")
    assert [one["state"] for one in event["media"]] == ["kept"], "the webhook has waited for it"
    entries = (await stack.http.get(f"/v1/inbound/{event['id']}/timeline")).json()["data"]
    assert [one["what"] for one in entries if one["what"].startswith("media")] == ["media.not_fetched", "media.kept"]
    await stack.fault("unavailable", calls="lookup", to=number)
    assert (await stack.http.delete(f"/v1/guests/{made.json()['id']}")).status_code == 204, "it waits for nobody"
    assert [row["state"] for row in await stack.rows("select state from inbound_files")] == ["erasing"]
    async with asyncio.timeout(30):
        while await stack.rows("select id from inbound_files"):
            await asyncio.sleep(0.1)
    (at_twilio,) = [one for one in await stack.accepted(direction="inbound") if one["from"] == number]
    assert len(at_twilio["detail"]["deleted"]) == 1


async def test_a_guests_picture_is_kept_told_and_gone_everywhere_with_the_guest(stack: Engine) -> None:
    number, picture = "+13055550881", photo()
    made = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "Doe", "phone": number})
    with Receiver().open() as customer:
        await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hook"})
        await wrote(stack, **{"from": number, "body": "Look", "files": [file(picture), file(b"<html>", "image/png")]})
        event = await received(customer, "Look")
    kept, failed = event["media"]
    assert (kept["state"], kept["content_type"], kept["problem"]) == ("kept", "image/jpeg", None)
    assert (failed["state"], failed["url"], failed["problem"]["code"]) == ("failed", None, "type_not_accepted")
    served = await stack.http.get(kept["url"])
    assert served.status_code == 200 and len(served.content) == kept["size"]
    assert PLACE.encode() in picture and PLACE.encode() not in served.content, "what the camera wrote is cut out"
    assert (await stack.http.get(f"/v1/assets/{kept['asset_id']}")).json()["size"] == kept["size"]
    timeline = await stack.http.get(f"/v1/inbound/{event['id']}/timeline")
    whats = [(entry["what"], entry.get("file")) for entry in timeline.json()["data"]]
    assert {("message.received", None), ("media.kept", 1), ("media.failed", 2)} <= set(whats)
    assert (await stack.http.get(f"/v1/inbound/{event['id']}")).json()["media"] == event["media"]
    erased = await stack.http.delete(f"/v1/guests/{made.json()['id']}")
    assert erased.status_code == 204
    assert (await stack.http.get(kept["url"])).status_code == 404
    assert (await stack.http.get(f"/v1/inbound/{event['id']}/timeline")).status_code == 404
    async with asyncio.timeout(20):
        while await stack.rows("select id from inbound_files"):
            await asyncio.sleep(0.05)
    (at_twilio,) = [one for one in await stack.accepted(direction="inbound") if one["from"] == number]
    assert len(at_twilio["detail"]["deleted"]) == 2, "neither is there any more"
