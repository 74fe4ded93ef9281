"""What a client does in some of the scenarios: what takes more than a call."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .scenarios import Play


PICTURE: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def send_together(play: Play) -> None:
    """Send it in a batch with one that is refused, twice under one key."""
    text = {"channel": "sms", "recipient": play.to, "content": f"For {play.to}"}
    body, key = {"messages": [{"channel": "fax"}, text]}, {"Idempotency-Key": f"{play.to} {time.time_ns()}"}
    call = play.client.call
    made = [await call("POST", "/v1/messaging/batch", body, expect=(202,), **key) for _ in range(2)]
    first, again = (one["data"][1]["message"]["id"] for one in made)
    assert first == again, "the same batch made two messages"
    play.message_id = first


async def broadcast(play: Play) -> None:
    """Have a broadcast give it to a guest, and wait until everybody has it."""
    call = play.client.call
    guest = {"first_name": "Jordan", "last_name": play.to, "phone": play.to}
    guest_id = (await call("POST", "/v1/guests", guest, expect=(200, 201)))["id"]
    text = {"channel": "sms", "content": f"For {play.to}", "category": "transactional"}
    body = {"name": play.to, "message": text, "to": {"guests": [guest_id]}, "pace": 50}
    made = await call("POST", "/v1/broadcasts", body, expect=(201,))
    # 409: the first call died after its commit, and it has begun since.
    await call("POST", f"/v1/broadcasts/{made['id']}/start", {}, expect=(200, 409))
    async with asyncio.timeout(60):
        while (await call("GET", f"/v1/broadcasts/{made['id']}", expect=(200,)))["state"] != "finished":
            await asyncio.sleep(0.2)
    (message,) = (await call("GET", f"/v1/messaging?guest_id={guest_id}", expect=(200,)))["data"]
    play.message_id = message["id"]


async def long(play: Play) -> None:
    """Send a text too long for one. Parts are cut at word boundaries; each says whom it is for."""
    await play.send(content=f"For {play.to}. " * 100)


async def write(play: Play) -> None:
    """Say in a text with a picture what they want."""
    said = f"Could you bring two more towels to {play.to}?"
    await play.client.guest_writes(play, {"from": play.to, "body": said, "media": ["image/png"]}, "content = %s", said)


async def stop(play: Play) -> None:
    """Say STOP in a word that Twilio does not have: it is about the message that answers it."""
    which = "recipient = %s and details ? 'answers'"
    await play.client.guest_writes(play, {"from": play.to, "body": "Abmelden!"}, which, play.to)


async def mail(play: Play) -> None:
    """Say it in a mail, with the picture in it, which SendGrid posts as a whole."""
    said = f"Could you bring two more towels? This is {play.to}"
    picture = {"filename": "towels.png", "type": "image/png", "content": PICTURE}
    body = {"provider": "sendgrid", "from": play.to, "subject": "Towels", "body": said, "attachments": [picture]}
    await play.client.guest_writes(play, body, "content = %s", said)


async def guest_with_an_iphone(play: Play, token: str) -> None:
    """Make a guest with this iPhone: it is to them."""
    guest = {"first_name": "Jordan", "last_name": play.to}
    play.guest_id = play.to = (await play.client.call("POST", "/v1/guests", guest, expect=(201,)))["id"]
    play.at = token
    device = {"platform": "ios", "kind": "apns", "token": play.at}
    await play.client.call("POST", f"/v1/guests/{play.guest_id}/devices", device, expect=(201,))


async def guest_with_an_app(play: Play) -> None:
    """Make a guest with a session of the property's app: it is to them."""
    guest = {"first_name": "Jordan", "last_name": play.to}
    play.guest_id = play.to = (await play.client.call("POST", "/v1/guests", guest, expect=(201,)))["id"]
    opened = await play.client.call("POST", f"/v1/guests/{play.guest_id}/sessions", {}, expect=(201,))
    play.token = f"Bearer {opened['token']}"
