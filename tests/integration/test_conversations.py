"""Conversations through the API: begun by the first message either way, one per stay, else per guest and family."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from twilio.request_validator import RequestValidator

from bellhop.settings import Settings
from tests.integration.conftest_api import JORDAN, Api, open_api
from tests.sandbox_accounts import sandbox_twilio


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def answers(api: Api, settings: Settings, body: str = "Hi", sender: str = JORDAN["phone"]) -> dict[str, Any]:
    """A guest's text, as its event would show it."""
    to = (await api.sql("select address from senders where channel = 'sms' and scope_id = :s", s=api.scope.id))[0][0]
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
    newest = (await listed(api))[0]
    assert newest["last_message"]["direction"] == "inbound"
    return dict(newest["last_message"])


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


async def test_somebody_whom_nobody_knows_has_one_by_their_address(api: Api, settings: Settings) -> None:
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
