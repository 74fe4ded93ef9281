"""Guests' devices: registered, moved, limited, removed by their guest, by erasure, and by a provider's word alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.devices import MOST_OF_A_GUEST, DeviceVerdict
from bellhop.settings import Settings
from bellhop.store.guests import devices
from tests.integration.conftest_api import Api, open_api

from .engine import Engine

PHONE = {"platform": "android", "kind": "fcm_token", "token": "dGhlIHRva2Vu:APA91bH3xQ9z"}
IPHONE = {
    "platform": "ios",
    "kind": "apns",
    "token": "00FC13ADFF785122B4AD28809A3420982341241421348097878E577C991DE8F0",
}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def register(api: Api, guest: dict[str, Any], expect: int = 201, **fields: Any) -> dict[str, Any]:
    answer = await api.http.post(f"/v1/guests/{guest['id']}/devices", json=PHONE | fields)
    assert answer.status_code == expect, answer.text
    return dict(answer.json())


async def listed(api: Api, guest: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.http.get(f"/v1/guests/{guest['id']}/devices")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


async def test_a_device_is_registered_and_its_token_masked(api: Api) -> None:
    guest = await api.guest()
    made = await register(api, guest, locale="pt-br", app_version="4.12.0")
    assert list(made) == [
        "id", "guest_id", "platform", "kind", "token", "environment", "bundle_id", "locale", "app_version",
        "registered_at", "suppressed_at", "created_at",
    ]  # fmt: skip
    assert (made["guest_id"], made["token"], made["locale"], made["environment"]) == (
        guest["id"], "…H3xQ9z", "pt-BR", None,
    )  # fmt: skip
    assert await listed(api, guest) == [made]
    phone = await register(api, guest, **IPHONE, bundle_id="com.example.hotel")
    assert (phone["environment"], phone["bundle_id"], phone["token"]) == ("production", "com.example.hotel", "…1de8f0")
    assert [one["id"] for one in await listed(api, guest)] == [phone["id"], made["id"]]


async def test_the_same_token_again_is_the_same_device(api: Api) -> None:
    guest = await api.guest()
    first = await register(api, guest, app_version="1")
    await api.sql("update devices set suppressed_at = now()")
    again = await register(api, guest, expect=200, app_version="2")
    assert (again["id"], again["app_version"], again["suppressed_at"]) == (first["id"], "2", None)
    assert again["registered_at"] > first["registered_at"]
    # Apple's are the same in capitals.
    one = await register(api, guest, **IPHONE)
    assert (await register(api, guest, expect=200, **IPHONE | {"token": IPHONE["token"].lower()}))["id"] == one["id"]


async def test_a_token_belongs_to_the_guest_who_registered_it_last(api: Api) -> None:
    jordan, ana = await api.guest(), await api.guest(email="ana@example.com")
    await register(api, jordan)
    await register(api, ana, expect=200)
    assert await listed(api, jordan) == []
    assert len(await listed(api, ana)) == 1


async def test_of_too_many_the_oldest_goes(api: Api) -> None:
    guest = await api.guest()
    for number in range(MOST_OF_A_GUEST + 2):
        await register(api, guest, token=f"token{number}:APA91b")
    # Registered again just now: it is none of the oldest.
    await register(api, guest, expect=200, token="token2:APA91b")
    await register(api, guest, token="one more:APA91b".replace(" ", "-"))
    tokens = [row.token for row in await api.sql("select token from devices")]
    assert len(tokens) == MOST_OF_A_GUEST
    assert "token2:APA91b" in tokens and "token3:APA91b" not in tokens


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"token": "with a blank"}, "token"),
        ({"kind": "fcm_fid"}, "token"),
        ({"kind": "apns"}, "token"),
        ({**IPHONE, "token": "abc/../x"}, "token"),
        ({**IPHONE, "platform": "android"}, "kind"),
        ({"environment": "sandbox"}, "environment"),
        ({**IPHONE, "bundle_id": "com example"}, "bundle_id"),
        ({"platform": "toaster"}, "platform"),
        ({"locale": "no language"}, "locale"),
    ],
)
async def test_what_cannot_be_a_device_is_named(api: Api, fields: dict[str, Any], place: str) -> None:
    guest = await api.guest()
    answer = await api.http.post(f"/v1/guests/{guest['id']}/devices", json=PHONE | fields)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"] == ["body", place]
    assert await api.rows("devices") == 0


async def test_a_device_is_its_guests_and_its_propertys(api: Api) -> None:
    jordan, ana = await api.guest(), await api.guest(email="ana@example.com")
    device = await register(api, jordan)
    neighbour = await api.neighbour()
    for headers, guest in ((None, ana), (neighbour, jordan)):
        path = f"/v1/guests/{guest['id']}/devices/{device['id']}"
        assert (await api.http.delete(path, headers=headers)).status_code == 404
    path = f"/v1/guests/{jordan['id']}/devices"
    assert (await api.http.get(path, headers=neighbour)).status_code == 404
    assert (await api.http.post(path, json=PHONE, headers=neighbour)).status_code == 404
    reader = await api.mint("guests:read")
    assert (await api.http.post(path, json=PHONE, headers=reader)).status_code == 403
    assert (await api.http.delete(f"{path}/{device['id']}")).status_code == 204
    assert (await api.http.delete(f"{path}/{device['id']}")).status_code == 404
    assert await listed(api, jordan) == []


async def test_devices_and_what_was_sent_to_their_tokens_are_erased_with_their_guest(api: Api) -> None:
    guest = await api.guest()
    await register(api, guest)
    sent = await api.later(channel="push", recipient=PHONE["token"], content="Your suite is ready.")
    assert sent["guest_id"] is None
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    assert await api.rows("devices") == 0
    assert await api.sql("select recipient, content from messages") == [(None, None)]
    assert await api.sql("select id from contact_points where address = :token", token=PHONE["token"]) == []


async def test_only_a_device_that_has_not_registered_since_is_dead(api: Api) -> None:
    guest = await api.guest()
    await register(api, guest)
    ((hashed,),) = await api.sql("select token_hash from devices")
    at = datetime.now(UTC)
    async with api.database.begin() as tx:
        for verdict in DeviceVerdict:
            early = await devices.refused(tx, api.scope.id, hashed, verdict, at - timedelta(minutes=1))
            other = await devices.refused(tx, api.live.id, hashed, verdict, at + timedelta(minutes=1))
            assert (early, other) == (None, None)
    assert len(await listed(api, guest)) == 1


async def test_a_dead_token_is_removed_and_named_and_a_fault_of_ours_removes_nothing(stack: Engine) -> None:
    answer = await stack.http.post("/v1/guests", json={"first_name": "Jordan", "last_name": "Mitchell"})
    path = f"/v1/guests/{answer.json()['id']}/devices"
    ids: dict[str, str] = {}
    for token in ("sandbox:unregistered", "sandbox:mismatch", "sandbox:invalid", "sandbox:our-fault"):
        ids[token] = (await stack.http.post(path, json=PHONE | {"token": token})).json()["id"]
    for token, device in ids.items():
        sent = await stack.send({"channel": "push", "recipient": token, "content": "Your suite is ready."})
        await stack.until(sent["id"], "failed")
        timeline = (await stack.http.get(f"/v1/messaging/{sent['id']}/timeline")).json()["data"]
        named = [(one["device"], one["part"]) for one in timeline if one["what"] == "device.gone"]
        assert named == ([] if token == "sandbox:our-fault" else [(device, 1)])
    left = (await stack.http.get(path)).json()["data"]
    assert [one["id"] for one in left] == [ids["sandbox:our-fault"]]
