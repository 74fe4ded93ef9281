"""What will go out to a guest, and what will not: said by the rules that are asked when it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.schemas.upcoming import UpcomingMessage
from bellhop.domain.serializers import timestamp
from bellhop.settings import Settings

from .conftest_api import EMAIL, SMS, Api, open_api

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def rule(api: Api, **settings: Any) -> None:
    (hotel,) = (await api.http.get("/v1/properties")).json()["data"]
    changed = await api.http.patch(f"/v1/properties/{hotel['id']}", json={"settings": settings})
    assert changed.status_code == 200, changed.text


async def send(api: Api, guest: str, days: float = 0, **fields: Any) -> str:
    at = timestamp(TOMORROW + timedelta(days=days))
    body = {**SMS, "recipient": "+13055550101", "scheduled_at": at, "guest_id": guest, **fields}
    made = await api.http.post("/v1/messaging/send", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def upcoming(api: Api, path: str, **query: Any) -> dict[str, Any]:
    answer = await api.http.get(f"{path}/upcoming", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    for one in body["data"]:
        assert list(one) == list(UpcomingMessage.model_fields)
        UpcomingMessage.model_validate(one)
    return body


async def test_when_and_how_and_why_not(api: Api) -> None:
    guest = (await api.guest(timezone="UTC"))["id"]
    cap = {"category": "marketing", "max": 2, "per": "P7D"}
    hours = {"categories": ["marketing"], "from": "11:00", "to": "13:00"}
    await rule(api, frequency_caps=[cap], quiet_hours=[hours])
    lifted = {"channel": "email", "address": "stop@example.com", "action": "opt_out", "reason": "They asked for it."}
    assert (await api.http.post("/v1/consents", json=lifted)).status_code == 201
    stopped = {**EMAIL, "recipient": "stop@example.com"}
    sms = {"channel": "sms", "recipient": "+13055550101"}
    plain = await send(api, guest)
    offers = [await send(api, guest, days, category="marketing") for days in (1, 2, 3, 8.5)]
    short = await send(api, guest, 4, category="marketing", ignore_frequency_cap=True, validity=60)
    followed = await send(api, guest, 5, **stopped, fallback=[sms])
    refused = await send(api, guest, 6, **stopped)
    await send(api, guest, 40)
    await send(api, (await api.guest(email="kim@example.com"))["id"])
    listed = (await upcoming(api, f"/v1/guests/{guest}"))["data"]
    shown = {one["message_id"]: one for one in listed}
    assert [one["message_id"] for one in listed] == [plain, *offers[:3], short, followed, refused, offers[3]]

    def said(message: str) -> tuple[str, str | None, str | None, str]:
        one = shown[message]
        return one["outlook"], one["at"], one["reason"] and one["reason"]["code"], one["channel"]

    def at(days: float, hours: float = 0) -> str | None:
        return timestamp(TOMORROW + timedelta(days=days, hours=hours))

    assert said(plain) == ("goes_out", at(0), None, "sms")
    assert said(offers[0]) == ("goes_out", at(1, 1), "quiet_hours", "sms")
    assert shown[offers[0]]["reason"]["message"].startswith("waits until 13:00 in the guest's time zone (as the guest")
    assert said(offers[1]) == ("goes_out", at(2, 1), "quiet_hours", "sms")
    assert said(offers[2]) == ("does_not", at(3), "frequency_cap", "sms"), "those before it will have gone out by then"
    assert said(offers[3]) == ("goes_out", at(8.5), None, "sms"), "it is a week later"
    assert said(short) == ("does_not", at(4), "quiet_hours", "sms")
    assert said(followed) == ("goes_out", at(5), None, "sms")
    assert [(one["channel"], one["code"]) for one in shown[followed]["instead_of"]] == [("email", "opted_out")]
    assert said(refused) == ("does_not", at(6), "opted_out", "email")
    # Nothing of it was done.
    assert (await api.sql("select count(*) from messages where stage <> 'queued' or waits_for is not null"))[0][0] == 0
    assert (await api.sql("select count(*) from attempts"))[0][0] == 0
    await api.sql("update scopes set paused_at = now() returning id")
    paused = (await upcoming(api, f"/v1/guests/{guest}"))["data"][0]
    assert (paused["outlook"], paused["at"], paused["reason"]["code"]) == ("waits", None, "paused")


async def test_pages_of_a_stay_go_on_where_they_ended(api: Api) -> None:
    ann, kim = [(await api.guest(email=f"{name}@example.com"))["id"] for name in ("ann", "kim")]
    sent = [await send(api, guest, days) for days, guest in ((3, ann), (1, kim), (2, ann), (2, kim), (0, ann))]
    stay = {"source": "pms", "reservation": "1", "guests": [ann, kim]}
    path = f"/v1/stays/{(await api.http.post('/v1/stays', json=stay)).json()['id']}"
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = await upcoming(api, path, **query)
        assert page["total"] == 5
        seen += [one["message_id"] for one in page["data"]]
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == [sent[4], sent[1], sent[2], sent[3], sent[0]]
    listed = await api.http.get("/v1/messaging", params={"limit": 2})
    for other, cursor in ((f"{path}/upcoming", listed.json()["next_cursor"]), ("/v1/messaging", query["cursor"])):
        wrong = await api.http.get(other, params={"cursor": cursor})
        assert wrong.status_code == 422, "a cursor is of one list"
    for path in ("/v1/guests/gst_01kaj3p0m5e6s7t8v9w0x1y2z3", "/v1/stays/sty_1", "/v1/guests/me"):
        assert (await api.http.get(f"{path}/upcoming")).status_code == 404
    assert (await api.http.get(f"/v1/guests/{ann}/upcoming", params={"limit": 51})).status_code == 422


async def test_a_reminder_is_to_come_unless_the_message_is_read(api: Api) -> None:
    guest = (await api.guest())["id"]
    reminder = {"channel": "email", "recipient": "ann@example.com", "subject": "Hello", "when": "not_read"}
    sent = await send(api, guest, fallback=[{**reminder, "after": 3600}])
    await api.sql(
        "update messages set stage = 'sent', sent_at = now(), remind_at = now() + interval '1 hour' returning id"
    )
    (one,) = (await upcoming(api, f"/v1/guests/{guest}"))["data"]
    assert (one["message_id"], one["channel"], one["step"], one["outlook"]) == (sent, "email", 1, "goes_out")
    assert one["reason"]["code"] == "not_read"
