"""What a guest answers on the sandbox's phone, by the page's own calls, stands in their conversation at once."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from typing import Any

import httpx2

from bellhop.sandbox.testing import Receiver
from tests.sandbox_accounts import sandbox_twilio

from .engine import EMAIL, GUEST, SMS, Engine

AT_ONCE = 2.0
"""Seconds after which an answer has to stand there."""
_OPTION = re.compile(r'<option value="([^"]*)">([^<]*)</option>')


async def ways(stack: Engine) -> dict[str, dict[str, Any]]:
    """By which ways Jordan can answer: what the page shows, and what its script posts."""
    page = (await stack.sandbox.get("/phone", params={"guest": "jordan"})).text
    return {html.unescape(label): json.loads(html.unescape(value)) for value, label in _OPTION.findall(page)}


async def stands(stack: Engine, body: str) -> dict[str, Any]:
    """The message that says so, once it is there."""
    began = time.monotonic()
    while not (found := await stack.rows("select * from messages where content = :body", body=body)):
        assert time.monotonic() - began < AT_ONCE, body
        await asyncio.sleep(0.02)
    assert len(found) == 1
    return found[0]


async def known(stack: Engine, app: Receiver) -> str:
    """Jordan, known to the property and to the sandbox, signed in in the property's app."""
    guest = {"first_name": "Jordan", "last_name": "Mitchell", "phone": GUEST, "email": "jordan@example.com"}
    made = (await stack.http.post("/v1/guests", json=guest)).json()
    stay = {"source": "pms", "reservation": "1042", "status": "in_house", "guests": [made["id"]]}
    assert (await stack.http.post("/v1/stays", json=stay)).status_code == 201
    session = (await stack.http.post(f"/v1/guests/{made['id']}/sessions", json={})).json()
    app.reply = json.dumps({"url": str(stack.http.base_url), "token": session["token"]}).encode()
    named = {"name": "Jordan", "addresses": [GUEST, "jordan@example.com"], "app": f"{app.url}/app"}
    assert (await stack.sandbox.put("/_sandbox/guests/jordan", json=named)).status_code == 200
    return str(made["id"])


async def answers(stack: Engine, way: dict[str, Any], body: str) -> httpx2.Response:
    """As the page's script does."""
    path = "write" if "guest" in way else "inbound"
    return await stack.sandbox.post(f"/_sandbox/{path}", json={**way, "body": body})


async def test_each_answer_stands_in_the_guest_s_conversation(stack: Engine) -> None:
    with Receiver().open() as app:
        guest = await known(stack, app)
        await stack.send_through("sendblue")
        for body in (
            {**SMS, "guest_id": guest},
            {"channel": "imessage", "recipient": GUEST, "content": "Welcome!", "guest_id": guest},
            {"channel": "in_app", "recipient": guest, "content": "Your room is ready."},
            {**EMAIL, "guest_id": guest},
        ):
            await stack.until((await stack.send(body))["id"], "sent", "delivered", "read")
        hello = {"from": f"whatsapp:{GUEST}", "to": f"whatsapp:{sandbox_twilio.FROM_NUMBER}", "body": "Hello"}
        begun = await stack.sandbox.post("/_sandbox/inbound", json=hello)
        assert begun.status_code == 200, begun.text
        offered = await ways(stack)
        channels = {}
        for place, (label, way) in enumerate(offered.items()):
            said = await answers(stack, way, f"An answer, number {place}")
            assert said.json()["status"] < 300, (label, said.text)
            row = await stands(stack, f"An answer, number {place}")
            channels[row["channel"]] = row
            assert row["direction"] == "inbound" and row["conversation_id"]
        assert channels.keys() == {"sms", "imessage", "in_app", "whatsapp", "email"}, offered.keys()
        assert len({row["guest_id"] for row in channels.values()}) == 1 and channels["sms"]["guest_id"]
        # She is staying: all of it is one conversation, where the property reads it.
        (conversation,) = (await stack.http.get("/v1/conversations")).json()["data"]
        assert conversation["channel"] == list(channels)[-1] and conversation["stay_id"]
        shown = (await stack.http.get(f"/v1/conversations/{conversation['id']}/messages")).json()["data"]
        written = {one["content"] for one in shown if one["direction"] == "inbound"}
        assert written == {"Hello", *(f"An answer, number {place}" for place in range(len(offered)))}
        # The app shows it too, and the page what was written there.
        page = (await stack.sandbox.get("/phone", params={"guest": "jordan"})).text
        assert all(f"An answer, number {place}" in page for place in range(len(offered)))
