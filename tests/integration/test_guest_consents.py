"""What a guest allows, over all of their addresses, as `/v1/guests/{id}/consents` shows and changes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings

from .conftest_api import JORDAN, Api, open_api

OPT_OUT = {"channel": "email", "action": "opt_out", "purpose": "marketing", "source": "front_desk"}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def shown(api: Api, guest: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = await api.http.get(f"/v1/guests/{guest['id']}/consents", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def say(api: Api, guest: dict[str, Any], **fields: Any) -> Any:
    return await api.http.post(f"/v1/guests/{guest['id']}/consents", json={**OPT_OUT, **fields})


async def test_history_with_source_and_time_and_what_follows(api: Api) -> None:
    guest = await api.guest()
    written_to = {"guest_id": guest["id"], "recipient": "+13055550911"}
    assert (await api.send(**written_to)).status_code == 201
    one = (await say(api, guest)).json()
    assert (one["address"], one["cause"], one["source"], one["in_force"]) == (
        JORDAN["email"], "operator_opt_out", "front_desk", True,
    )  # fmt: skip
    second = {"channel": "whatsapp", "address": "+13055550911", "purpose": "all", "reason": "by telephone"}
    assert (await say(api, guest, **second)).json()["address"] == "+13055550911"
    late = (await say(api, guest, action="opt_in", occurred_at="2020-01-01T00:00:00Z")).json()
    assert (late["occurred_at"], late["in_force"]) == ("2020-01-01T00:00:00.000000Z", False)
    older = (await say(api, guest, occurred_at="2019-01-01T00:00:00Z")).json()
    assert older["in_force"] is False, "lifted by what was said after it, and known before"

    seen = await shown(api, guest)
    by_address = {each["address"]: each for each in seen["addresses"]}
    assert list(by_address) == [JORDAN["email"], JORDAN["phone"], "+13055550911", guest["id"]]
    mail, phone = by_address[JORDAN["email"]], by_address["+13055550911"]
    assert (mail["allowed"], mail["marketing_allowed"], mail["kind"]) == (True, False, "email")
    assert (phone["allowed"], phone["refused_by"]) == (False, ["operator_opt_out"])
    assert [row["reason"] for row in seen["data"]] == ["by telephone", None, None, None]
    assert [row["in_force"] for row in seen["data"]] == [True, True, False, False]
    assert all(row["actor"].startswith("key_") for row in seen["data"])
    first = await shown(api, guest, limit=3)
    rest = await shown(api, guest, limit=3, cursor=first["next_cursor"])
    assert [row["id"] for row in first["data"] + rest["data"]] == [row["id"] for row in seen["data"]]

    updates = await api.sql("select facts from events where type = 'guest.updated' order by id")
    assert [row[0] for row in updates] == [{"changed": ["consents"]}] * 2, "only what changed something"
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    kept = {tuple(row) for row in await api.sql("select source, reason from consents")}
    assert kept == {("operator", None)}, "what somebody wrote beside it may tell of the guest"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"address": "other@example.com"}, "address"),
        ({"address": "nobody"}, "address"),
        ({"channel": "pigeon"}, "channel"),
        ({"source": "Front Desk"}, "source"),
        ({"purpose": "offers"}, "purpose"),
        ({"reason": ""}, "reason"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"channel": "push"}, "address"),
    ],
)
async def test_what_is_wrong_is_said_by_field(api: Api, fields: dict[str, Any], field: str) -> None:
    answer = await say(api, await api.guest(), **fields)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field]), answer.text
    assert await api.rows("consents") == 0


async def test_it_needs_a_right_and_stays_in_the_property(api: Api) -> None:
    guest = await api.guest(phone=None)
    path = f"/v1/guests/{guest['id']}/consents"
    assert (await say(api, guest, channel="sms")).json()["detail"][0]["loc"] == ["body", "address"]
    reading, other = await api.mint("guests:read"), await api.mint("*", scope=api.live)
    assert (await api.http.post(path, json=OPT_OUT, headers=reading)).status_code == 403
    assert (await api.http.post(path, json=OPT_OUT, headers=other)).status_code == 404
    assert (await api.http.get(path, headers=other)).status_code == 404
    assert (await api.http.get(path, headers=reading)).status_code == 200
    assert await api.rows("consents") == 0
