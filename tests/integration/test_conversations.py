"""Conversations through the API: begun by the first message either way, one per stay, else per guest and family."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from twilio.request_validator import RequestValidator

from bellhop.domain.webhook_ports import Visit
from bellhop.ops import conversations as operators
from bellhop.ops.administration import Refused
from bellhop.settings import Settings
from bellhop.store.webhooks import deliveries
from bellhop.webhooks.body import body
from tests.integration.conftest_api import JORDAN, Api, open_api
from tests.sandbox_accounts import sandbox_twilio


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def answers(api: Api, settings: Settings, body: str = "Hi", sender: str = JORDAN["phone"]) -> dict[str, Any]:
    """A guest's text, as its event would show it."""
    to = (await api.sql("select address from senders where channel = 'sms' and scope_id = :s", s=api.scope.id))[0][0]
    await texted(api, settings, to, body, sender)
    newest = (await listed(api))[0]
    assert newest["last_message"]["direction"] == "inbound"
    return dict(newest["last_message"])


async def texted(api: Api, settings: Settings, to: str, body: str, sender: str) -> None:
    path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/inbound"
    form = {
        "MessageSid": f"SM{uuid4().hex}",
        "AccountSid": sandbox_twilio.ACCOUNT_SID,
        "From": sender,
        "To": to,
        "Body": body,
    }
    signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(settings.bellhop.public_url + path, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await api.http.post(path, content=urlencode(form), headers=headers)).status_code == 200


async def listed(api: Api, **which: Any) -> list[dict[str, Any]]:
    answer = await api.http.get("/v1/conversations", params=which)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


async def stay(api: Api, *guests: dict[str, Any], reservation: str = "R1", first: int = -1, last: int = 2) -> str:
    today = datetime.now(UTC).date()
    body = {
        "source": "pms",
        "reservation": reservation,
        "guests": [guest["id"] for guest in guests],
        "arrival": (today + timedelta(days=first)).isoformat(),
        "departure": (today + timedelta(days=last)).isoformat(),
    }
    answer = await api.http.post("/v1/stays", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def history(api: Api, conversation: str, **which: Any) -> list[dict[str, Any]]:
    answer = await api.http.get(f"/v1/conversations/{conversation}/messages", params=which)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


async def test_the_first_message_either_way_begins_it(api: Api, settings: Settings) -> None:
    jordan, kim = await api.guest(), await api.guest(email="kim@example.com", phone="+13055550777")
    sent = await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"])
    (one,) = await listed(api)
    assert (sent["conversation_id"], sent["stay_id"]) == (one["id"], None)
    assert (one["family"], one["channel"], one["guest_id"], one["unread"]) == ("phone", "sms", jordan["id"], 0)
    assert one["last_message"] == {"direction": "outbound", **sent}
    assert [each["name"] for each in one["participants"]] == [None, "Jordan Mitchell"]
    answer = await answers(api, settings)
    assert answer["conversation_id"] == one["id"]
    await api.later(channel="email", recipient=JORDAN["email"], subject="Hello", guest_id=jordan["id"])
    begun = await answers(api, settings, sender=kim["phone"])
    families = [(each["family"], each["guest_id"], each["unread"]) for each in await listed(api)]
    assert families == [("phone", kim["id"], 1), ("email", jordan["id"], 0), ("phone", jordan["id"], 1)]
    assert begun["conversation_id"] != one["id"]
    read = await history(api, one["id"], order="oldest")
    assert [(each["direction"], each["content"]) for each in read] == [
        ("outbound", sent["content"]), ("inbound", "Hi"),
    ]  # fmt: skip
    assert read == (await history(api, one["id"]))[::-1]
    nobodys = await api.later()
    assert (nobodys["conversation_id"], len(await listed(api))) == (None, 3)


async def test_a_stay_has_one_whichever_the_channel_and_whoever_writes(api: Api, settings: Settings) -> None:
    jordan, kim = await api.guest(), await api.guest(email="kim@example.com", phone="+13055550777")
    before = await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"])
    booked = await stay(api, jordan, kim)
    sent = await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"])
    await api.later(channel="email", recipient=kim["email"], subject="Hello", guest_id=kim["id"])
    answer = await answers(api, settings, sender=kim["phone"])
    assert (answer["stay_id"], answer["conversation_id"]) == (booked, sent["conversation_id"])
    assert sent["conversation_id"] != before["conversation_id"]
    (one,) = await listed(api, stay_id=booked)
    assert (one["family"], one["guest_id"], one["channel"]) == ("stay", None, "sms")
    assert [each["guest_id"] for each in one["participants"]] == [None, jordan["id"], kim["id"]]
    assert [each["channel"] for each in await history(api, one["id"])] == ["sms", "email", "sms"]
    past = await stay(api, jordan, reservation="R2", first=-300, last=-290)
    named = await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"], stay_id=past)
    assert (named["stay_id"], named["conversation_id"] != one["id"]) == (past, True)
    assert len(await listed(api, guest_id=jordan["id"])) == 3
    assert [each["id"] for each in await listed(api, guest_id=kim["id"])] == [one["id"]]
    for wrong in (await stay(api, kim, reservation="R3"), "sty_01kaj3q5d8f9g0h1j2k3m4n5p6"):
        refused = await api.send(guest_id=jordan["id"], stay_id=wrong)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "stay_id"])


async def no_guests_from_inbound(api: Api) -> None:
    (own,) = (await api.http.get("/v1/properties")).json()["data"]
    body = {"settings": {"guests_from_inbound": False}}
    assert (await api.http.patch(f"/v1/properties/{own['id']}", json=body)).status_code == 200


async def test_somebody_whom_nobody_knows_has_one_by_their_address(api: Api, settings: Settings) -> None:
    await no_guests_from_inbound(api)
    first = await answers(api, settings, "Is there a room?", "+13055550888")
    second = await answers(api, settings, "Hello?", "+13055550888")
    (one,) = await listed(api, unread="true")
    assert first["conversation_id"] == second["conversation_id"] == one["id"]
    assert (one["unread"], one["guest_id"]) == (2, None)
    assert one["participants"][1] == {"side": "guest", "guest_id": None, "name": None, "address": "+13055550888"}


async def test_lists_go_on_by_cursor_with_the_newest_message_first(api: Api) -> None:
    guests = [await api.guest(email=f"guest{number}@example.com") for number in range(4)]
    for guest in (*guests, guests[0]):
        await api.later(guest_id=guest["id"])
    newest = [guests[0], guests[3], guests[2], guests[1]]
    assert [each["guest_id"] for each in await listed(api)] == [guest["id"] for guest in newest]
    first = (await api.http.get("/v1/conversations", params={"limit": 3})).json()
    rest = (await api.http.get("/v1/conversations", params={"cursor": first["next_cursor"]})).json()
    assert (first["total"], first["has_more"], rest["next_cursor"]) == (4, True, None)
    assert [each["guest_id"] for each in first["data"] + rest["data"]] == [guest["id"] for guest in newest]
    conversation = first["data"][0]["id"]
    pages = []
    for order in ("oldest", "newest"):
        which = {"limit": 1, "order": order}
        page = (await api.http.get(f"/v1/conversations/{conversation}/messages", params=which)).json()
        following = await history(api, conversation, order=order, cursor=page["next_cursor"])
        pages.append([each["id"] for each in (*page["data"], *following)])
    assert len(pages[0]) == 2
    assert pages[0] == pages[1][::-1]


async def patch(api: Api, conversation: str, **fields: Any) -> dict[str, Any]:
    answer = await api.http.patch(f"/v1/conversations/{conversation}", json=fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def events(api: Api) -> list[dict[str, Any]]:
    """What the one endpoint still gets of conversations, as it would be posted."""
    ((endpoint,),) = await api.sql("select id from endpoints")
    async with api.database.begin() as tx:
        pending = await deliveries.claim(tx, [Visit(endpoint, room=50)], 0.0)
    found = [json.loads(body(one)) for one in pending.get(endpoint, ()) if one.type == "conversation.updated"]
    await api.sql("update deliveries set state = 'delivered'")
    return found


async def test_it_is_given_to_somebody_put_aside_closed_and_opened_by_an_answer(api: Api, settings: Settings) -> None:
    hook = {"url": "http://127.0.0.1:9/hook", "events": "*"}
    assert (await api.http.post("/v1/webhooks", json=hook)).status_code == 201
    jordan = await api.guest()
    talk = (await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"]))["conversation_id"]
    await api.sql("update deliveries set state = 'delivered'")
    given = await patch(api, talk, assigned_to="ana", tags=["vip"])
    assert (given["assigned_to"], given["tags"], given["status"]) == ("ana", ["vip"], "open")
    (event,) = await events(api)
    assert event["data"] == given
    assert await patch(api, talk, assigned_to="ana", status="open") == given, "as it was"
    assert await events(api) == []
    assert [each["id"] for each in await listed(api, assigned_to="ana")] == [talk]
    assert await listed(api, assigned="false") == []
    aside = await patch(api, talk, snoozed_until="2031-01-01T00:00:00Z")
    assert (aside["status"], len(await listed(api, status="open"))) == ("snoozed", 0)
    await answers(api, settings)
    (again,) = await listed(api, status="open", unread="true")
    assert (again["id"], again["snoozed_until"], again["unread"]) == (talk, None, 1)
    closed = await patch(api, talk, status="closed")
    assert (closed["status"], closed["closed_at"] is None) == ("closed", False)
    await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"])
    assert [each["id"] for each in await listed(api, status="closed")] == [talk], (
        "what the property sends opens nothing"
    )
    # Head of line: each claim takes the first that is pending of a subject.
    await events(api)
    await answers(api, settings)
    (event,) = await events(api)
    assert (event["data"]["status"], event["data"]["closed_at"]) == ("open", None)
    for wrong in ({"status": "snoozed"}, {"status": "closed", "snoozed_until": "2031-01-01T00:00:00Z"}):
        refused = await api.http.patch(f"/v1/conversations/{talk}", json=wrong)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "snoozed_until"])


async def test_each_side_has_its_read_mark(api: Api, settings: Settings) -> None:
    jordan = await api.guest()
    sent = await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"])
    first, second = [await answers(api, settings, text) for text in ("One", "Two")]
    talk = sent["conversation_id"]

    async def read(**body: str) -> dict[str, Any]:
        answer = await api.http.post(f"/v1/conversations/{talk}/read", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    half = await read(message_id=first["id"])
    assert (half["unread"], half["read_marks"]["property"]["message_id"]) == (1, first["id"])
    assert [each["id"] for each in await listed(api, unread="true")] == [talk]
    whole = await read()
    assert (whole["unread"], whole["read_marks"]["property"]["message_id"]) == (0, second["id"])
    assert await listed(api, unread="true") == []
    assert await read(message_id=first["id"]) == whole, "never back"
    assert whole["read_marks"]["guest"] == {"message_id": None, "at": None}
    await api.sql("update messages set read_at = now() where direction = 'outbound'")
    (seen,) = await listed(api)
    assert seen["read_marks"]["guest"]["message_id"] == sent["id"]


async def test_a_reply_goes_where_the_guest_wrote_last(api: Api, settings: Settings) -> None:
    jordan, kim = await api.guest(), await api.guest(email="kim@example.com", phone="+13055550777")
    booked = await stay(api, jordan, kim)
    await api.later(channel="email", recipient=JORDAN["email"], subject="Your stay", guest_id=jordan["id"])
    talk = (await answers(api, settings, sender=kim["phone"]))["conversation_id"]

    async def reply(key: str = "", **fields: Any) -> httpx2.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await api.http.post(f"/v1/conversations/{talk}/reply", json=fields, headers=headers)

    done = await reply("one", content="Of course.")
    sent = done.json()
    assert done.status_code == 201, done.text
    assert (sent["channel"], sent["recipient"], sent["guest_id"]) == ("sms", kim["phone"], kim["id"])
    assert (sent["conversation_id"], sent["stay_id"], sent["category"]) == (talk, booked, "conversational")
    again = await reply("one", content="Of course.")
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (sent["id"], "true")
    assert (await reply("one", content="Another.")).status_code == 409
    mail = (await reply(content="Attached.", channel="email")).json()
    assert (mail["recipient"], mail["subject"], mail["conversation_id"]) == (kim["email"], "Re: Your stay", talk)
    assert [each["content"] for each in await history(api, talk, limit=2)] == ["Attached.", "Of course."]
    for wrong, named in (
        ({"content": "Hi", "channel": "sms", "subject": "No"}, "subject"),
        ({"subject": "Nothing"}, "content"),
        ({"content": "Hi", "channel": "push"}, "channel"),
    ):
        refused = await reply(**wrong)
        assert (refused.status_code, refused.json()["detail"][0]["loc"][1]) in ((422, named), (422, "recipient")), (
            refused.text
        )
    await no_guests_from_inbound(api)
    nobodys = await answers(api, settings, "Is there a room?", "+13055550888")
    talk = nobodys["conversation_id"]
    answered = (await reply(content="There is.")).json()
    assert (answered["recipient"], answered["guest_id"], answered["conversation_id"]) == ("+13055550888", None, talk)
    assert len(await history(api, talk)) == 2
    refused = await reply(content="There is.", channel="email", subject="A room")
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "channel"])


async def test_what_was_noted_goes_with_its_guest_and_the_rest_stays(api: Api) -> None:
    jordan, kim = await api.guest(), await api.guest(email="kim@example.com", phone="+13055550777")
    alone = (await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"]))["conversation_id"]
    booked = await stay(api, jordan, kim)
    both = (await api.later(guest_id=kim["id"], recipient=kim["phone"]))["conversation_id"]
    for talk in (alone, both):
        await patch(api, talk, assigned_to="ana", tags=["Jordan"])
        made = await api.http.post(
            f"/v1/conversations/{talk}/notes", json={"content": "Jordan snores", "author": "Ana"}
        )
        assert made.status_code == 201, made.text
        noted = (await api.http.get(f"/v1/conversations/{talk}/notes")).json()
        assert (noted["data"], noted["total"]) == ([made.json()], 1)
    assert (await api.http.delete(f"/v1/guests/{jordan['id']}")).status_code == 204
    assert (await api.http.get(f"/v1/conversations/{alone}")).status_code == 404
    (left,) = await listed(api)
    assert (left["id"], left["stay_id"], left["tags"], left["assigned_to"]) == (both, booked, [], None)
    assert [each["guest_id"] for each in left["participants"]] == [None, kim["id"]]
    assert await api.rows("conversation_notes") == 0
    assert len(await history(api, both)) == 1


async def test_a_property_looks_at_a_stay_for_a_year(api: Api) -> None:
    jordan = await api.guest()
    booked = await stay(api, jordan, first=-367, last=-366)
    talk = (await api.later(guest_id=jordan["id"], stay_id=booked))["conversation_id"]
    for path in ("messages", "notes"):
        refused = await api.http.get(f"/v1/conversations/{talk}/{path}")
        assert (refused.status_code, refused.json()["code"]) == (403, "outside_window")
    shown = (await api.http.get(f"/v1/conversations/{talk}")).json()
    assert (shown["id"], shown["last_message"]) == (talk, None)
    later = (datetime.now(UTC).date() - timedelta(days=360)).isoformat()
    assert (await api.http.patch(f"/v1/stays/{booked}", json={"departure": later})).status_code == 200
    assert len(await history(api, talk)) == 1


async def test_an_operator_sees_answers_and_closes_it(api: Api, settings: Settings) -> None:
    engine = api.app.state.services.engine
    jordan = await api.guest()
    sent = await api.later(guest_id=jordan["id"], recipient=JORDAN["phone"])
    here = (engine, "grand-sunset", "test")
    (one,) = await operators.listing(*here, "open", False, 10)
    talk = one["id"]
    assert await operators.listing(*here, None, True, 10) == []
    assert (await operators.reply(*here, talk, "Of course.", None))["recipient"] == JORDAN["phone"]
    shown = await operators.show(*here, talk, 10)
    assert [each["content"] for each in shown["messages"]] == ["Of course.", sent["content"]]
    assert (await operators.close(*here, talk))["status"] == "closed"
    for there, which in ((here, "cvs_1"), ((engine, "grand-sunset", "live"), talk), ((engine, "no", "test"), talk)):
        with pytest.raises(Refused):
            await operators.show(*there, which, 10)
    with pytest.raises(Refused, match="a device"):
        await operators.reply(*here, talk, "Hi", "push")


async def test_both_ways_at_once_begin_one(api: Api, settings: Settings) -> None:
    """Nobody waits for another in a circle: each locks the conversation before the address."""
    to = (await api.sql("select address from senders where channel = 'sms' and scope_id = :s", s=api.scope.id))[0][0]
    jordan = await api.guest()
    ways = [api.later(guest_id=jordan["id"], recipient=JORDAN["phone"]) for _ in range(10)]
    await asyncio.gather(*ways, *(texted(api, settings, to, "Hi", JORDAN["phone"]) for _ in range(10)))
    (one,) = await listed(api)
    assert (one["unread"], len(await history(api, one["id"]))) == (10, 20)
