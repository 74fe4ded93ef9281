"""A guest's message moved to another guest: on record, with its intents, in their conversation, and erased rightly."""

from __future__ import annotations

import httpx2

from .engine import GUEST, Engine
from .test_intents import listed, writes

SAID = "Could we get a late checkout?"


async def guest(stack: Engine, name: str, phone: str | None = None) -> str:
    body = {"first_name": name, "last_name": "Mitchell", "phone": phone}
    return str((await stack.http.post("/v1/guests", json=body)).json()["id"])


async def move(stack: Engine, message: str, to: str) -> httpx2.Response:
    body = {"guest_id": to, "reason": "It was her husband."}
    return await stack.http.post(f"/v1/messaging/{message}/move", json=body)


async def row(stack: Engine) -> dict[str, object]:
    (found,) = await stack.rows("select * from messages where direction = 'inbound'")
    return found


async def test_it_is_moved_with_its_intents_and_on_record(stack: Engine) -> None:
    hers, his = await guest(stack, "Anna", GUEST), await guest(stack, "Ben")
    await writes(stack, SAID)
    (intent,) = await listed(stack, 1)
    message, before = intent["message_id"], await row(stack)
    assert intent["guest_id"] == hers
    moved = (await move(stack, message, his)).json()
    assert (moved["id"], moved["guest_id"], moved["matched_by"]) == (message, his, "moved")
    assert moved["conversation_id"] and moved["conversation_id"] != intent["conversation_id"]
    (after,) = await listed(stack, 1, guest_id=his)
    assert (after["id"], after["conversation_id"]) == (intent["id"], moved["conversation_id"])
    assert (await move(stack, message, his)).json() == moved, "repeated, it changes nothing"
    (action,) = await stack.rows("select * from operator_actions")
    assert (action["action"], action["subject_id"], action["reason"]) == ("move", before["id"], "It was her husband.")
    assert action["actor"].startswith("key_")
    shown = (await stack.http.get(f"/v1/conversations/{moved['conversation_id']}/messages")).json()["data"]
    assert [one["id"] for one in shown] == [message]
    # The address is his as well: she takes nothing of it along.
    assert (await stack.http.delete(f"/v1/guests/{hers}")).status_code == 204
    kept = await row(stack)
    assert (kept["content"], kept["sender"], kept["erased_at"]) == (SAID, GUEST, None)
    assert (await stack.http.delete(f"/v1/guests/{his}")).status_code == 204
    gone = await row(stack)
    assert (gone["content"], gone["sender"], gone["guest_id"], gone["details"]) == (None, None, None, None)
    assert not await stack.rows("select 1 from contact_points") and not await stack.rows("select 1 from intents")
    (action,) = await stack.rows("select * from operator_actions")
    assert action["reason"] is None


async def test_what_cannot_be_moved(stack: Engine) -> None:
    known = await guest(stack, "Anna")
    message = await writes(stack, "Hello")
    there = (await listed_messages(stack))[0]
    unknown = "gst_01kaj3p0m5e6s7t8v9w0x1y2z3"
    assert (await move(stack, there, unknown)).status_code == 422
    assert (await move(stack, there.replace("imsg_", "omsg_"), known)).status_code == 404
    assert (await move(stack, "imsg_01kaj3p0m5e6s7t8v9w0x1y2z3", known)).status_code == 404
    # Of nobody known it becomes hers, and what comes from there next is hers by itself.
    assert (await move(stack, there, known)).json()["guest_id"] == known
    await writes(stack, "Hello again")
    guests = await stack.rows("select distinct guest_id from messages where direction = 'inbound'")
    assert len(guests) == 1 and guests[0]["guest_id"] and message
    # In the app the session says who writes.
    token = (await stack.http.post(f"/v1/guests/{known}/sessions", json={})).json()["token"]
    said = await stack.http.post(
        "/v1/inbox/messages",
        json={"key": "key-0001", "content": "It is me."},
        headers={"Authorization": f"Bearer {token}"},
    )
    refused = await move(stack, said.json()["id"], await guest(stack, "Ben"))
    assert (refused.status_code, refused.json()["code"]) == (409, "writer_known")


async def listed_messages(stack: Engine) -> list[str]:
    (conversation,) = (await stack.http.get("/v1/conversations")).json()["data"]
    shown = (await stack.http.get(f"/v1/conversations/{conversation['id']}/messages")).json()["data"]
    return [one["id"] for one in shown]
