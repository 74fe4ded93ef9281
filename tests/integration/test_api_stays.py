"""Stays through the API: matched by reservation, changed, listed by day; whose a text is that several may have sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from twilio.request_validator import RequestValidator

from bellhop.domain.ids import Prefix, render
from bellhop.settings import Settings
from tests.integration.conftest_api import JORDAN, Api, open_api
from tests.sandbox_accounts import sandbox_twilio


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def put(api: Api, reservation: str = "R1", **fields: Any) -> dict[str, Any]:
    answer = await api.http.post("/v1/stays", json={"source": "pms", "reservation": reservation, **fields})
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_reservation_is_one_stay_however_often_it_is_told(api: Api) -> None:
    jordan, kim = await api.guest(), await api.guest(email="kim@example.com")
    first = await put(
        api, arrival="2027-03-15", departure="2027-03-19", room="412", guests=[jordan["id"]], details={"rate": 1}
    )
    assert list(first) == [
        "id", "property_id", "source", "reservation", "status", "arrival", "departure", "room", "guests", "details",
        "created_at", "updated_at",
    ]  # fmt: skip
    assert first["id"].startswith("sty_")
    assert first["status"] == "booked"
    again = await put(api, status="in_house", guests=[kim["id"], jordan["id"], kim["id"]])
    assert again | {"updated_at": 0} == first | {
        "status": "in_house", "guests": [kim["id"], jordan["id"]], "updated_at": 0,
    }  # fmt: skip
    assert again["updated_at"] > first["updated_at"]
    assert await put(api, status="in_house") == again, "what is told twice changes nothing"
    assert (await api.http.get(f"/v1/stays/{first['id']}")).json() == again
    other = await put(api, "R2")
    assert (other["id"] == first["id"], other["guests"], other["arrival"]) == (False, [], None)


@pytest.mark.parametrize(
    ("fields", "named", "expected"),
    [
        ({"arrival": "2027-03-15", "departure": "2027-03-14"}, ["departure"], "not before the arrival"),
        ({"arrival": "2027-03-15", "departure": "2030-03-14"}, ["departure"], "732 days"),
        ({"arrival": "15.3.2027"}, ["arrival"], "such as 2027-03-15"),
        ({"arrival": 20270315}, ["arrival"], "such as 2027-03-15"),
        ({"departure": "9999-12-31"}, ["departure"], "such as 2027-03-15"),
        ({"guests": ["gst_01kaj3p0m5e6s7t8v9w0x1y2z3"]}, ["guests", 0], "a guest of this property"),
        ({"guests": ["pty_1"]}, ["guests", 0], "gst_"),
        ({"status": "asleep"}, ["status"], "no_show"),
        ({"room": "\u200b"}, ["room"], "visible"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(
    api: Api, fields: dict[str, Any], named: list[str | int], expected: str
) -> None:
    answer = await api.http.post("/v1/stays", json={"source": "pms", "reservation": "R1", **fields})
    (problem,) = answer.json()["detail"]
    assert (answer.status_code, problem["loc"]) == (422, ["body", *named])
    assert expected in problem["msg"]
    assert (await api.http.get("/v1/stays")).json()["total"] == 0


async def test_a_change_that_makes_no_stay_is_refused(api: Api) -> None:
    stay = await put(api, arrival="2027-03-15", departure="2027-03-19")
    answer = await api.http.patch(f"/v1/stays/{stay['id']}", json={"arrival": "2027-03-20"})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "departure"])
    moved = await api.http.patch(f"/v1/stays/{stay['id']}", json={"arrival": "2027-03-18", "room": None})
    assert moved.json() | {"updated_at": 0} == stay | {"arrival": "2027-03-18", "updated_at": 0}


async def test_lists_by_day_guest_and_status(api: Api) -> None:
    jordan = await api.guest()
    await put(api, "past", arrival="2027-03-01", departure="2027-03-04", status="departed")
    await put(api, "now", arrival="2027-03-14", departure="2027-03-19", guests=[jordan["id"]])
    await put(api, "arrives", arrival="2027-03-15")
    await put(api, "leaves", departure="2027-03-15", status="cancelled")
    await put(api, "unknown")

    async def listed(**which: str) -> list[str]:
        answer = await api.http.get("/v1/stays", params=which)
        assert answer.status_code == 200, answer.text
        return [stay["reservation"] for stay in answer.json()["data"]]

    assert await listed() == ["unknown", "leaves", "arrives", "now", "past"]
    assert await listed(**{"from": "2027-03-15", "to": "2027-03-15"}) == ["leaves", "arrives", "now"]
    assert await listed(**{"from": "2027-03-16"}) == ["now"]
    assert await listed(to="2027-03-04") == ["past"]
    assert await listed(guest_id=jordan["id"]) == ["now"]
    assert await listed(status="cancelled") == ["leaves"]
    assert await listed(source="pms", reservation="now") == ["now"]
    assert await listed(source="other") == []
    for name, value in (("from", "soon"), ("guest_id", ""), ("guest_id", "x"), ("guest_id", "gst_" + "z" * 26)):
        wrong = await api.http.get("/v1/stays", params={name: value})
        assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["query", name])


async def test_an_erased_guest_leaves_the_stays_of_others(api: Api) -> None:
    jordan, kim = await api.guest(), await api.guest(email="kim@example.com")
    await put(api, "alone", guests=[jordan["id"]])
    both = await put(api, "both", guests=[jordan["id"], kim["id"]])
    assert (await api.http.delete(f"/v1/guests/{jordan['id']}")).status_code == 204
    (left,) = (await api.http.get("/v1/stays")).json()["data"]
    assert (left["id"], left["guests"]) == (both["id"], [kim["id"]])


async def wrote(api: Api, settings: Settings) -> tuple[str | None, str | None]:
    """Whose a text from Jordan's phone is taken for, and by what."""
    to = (await api.sql("select address from senders where channel = 'sms' and scope_id = :s", s=api.scope.id))[0][0]
    path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/inbound"
    sid = f"SM{uuid4().hex}"
    form = {
        "MessageSid": sid,
        "AccountSid": sandbox_twilio.ACCOUNT_SID,
        "From": JORDAN["phone"],
        "To": to,
        "Body": "Hi",
    }
    signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(settings.bellhop.public_url + path, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await api.http.post(path, content=urlencode(form), headers=headers)).status_code == 200
    ((guest, how),) = await api.sql(
        "select guest_id, details ->> 'matched_by' from messages where direction = 'inbound' order by id desc limit 1"
    )
    return (render(Prefix.GUEST, UUID(str(guest))) if guest else None), how


async def test_of_a_family_with_one_phone_it_is_the_one_who_stays(api: Api, settings: Settings) -> None:
    jordan, kim = await api.guest(), await api.guest(email="kim@example.com")
    assert await wrote(api, settings) == (None, None), "nobody can say"
    await api.later(guest_id=kim["id"], recipient=JORDAN["phone"])
    assert await wrote(api, settings) == (kim["id"], "written_to")
    today = datetime.now(UTC).date()

    def days(first: int, last: int) -> dict[str, str]:
        return {
            "arrival": (today + timedelta(days=first)).isoformat(),
            "departure": (today + timedelta(days=last)).isoformat(),
        }

    await put(api, "soon", guests=[jordan["id"]], **days(10, 12))
    assert await wrote(api, settings) == (jordan["id"], "stay")
    await put(api, "later", guests=[kim["id"]], **days(20, 22))
    assert await wrote(api, settings) == (jordan["id"], "stay"), "the nearest"
    await put(api, "just left", guests=[kim["id"]], status="departed", **days(-7, -3))
    assert await wrote(api, settings) == (kim["id"], "stay")
    await put(api, "just left", status="cancelled")
    assert await wrote(api, settings) == (jordan["id"], "stay")
    await put(api, "together", guests=[jordan["id"], kim["id"]], **days(-1, 1))
    assert await wrote(api, settings) == (kim["id"], "written_to"), "both are here"
    assert (await api.http.delete(f"/v1/guests/{kim['id']}")).status_code == 204
    assert await wrote(api, settings) == (jordan["id"], None), "the only one left"
