"""Keys, scopes, rates and properties through the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain import keys
from bellhop.settings import Settings
from bellhop.store.access import properties
from tests.integration.conftest_api import SMS, Api, open_api


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def test_who_may_come_in(api: Api) -> None:
    key = api.key
    for headers in (
        {},
        {"Authorization": "Basic abc"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {key[:-1]}{'a' if key[-1] != 'a' else 'b'}"},
        {"X-API-Key": key[:-6]},
    ):
        api.http.headers.pop("Authorization", None)
        answer = await api.http.get("/v1/messaging", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), headers
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert key not in answer.text
    for headers in {"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer {key}"}, {"X-API-Key": key}:
        assert (await api.http.get("/v1/messaging", headers=headers)).status_code == 200


async def test_callers_are_authenticated_before_their_body_is_read(api: Api) -> None:
    answer = await api.http.post("/v1/messaging/send", content=b"{", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401


async def test_a_missing_scope_is_named(api: Api) -> None:
    reader = await api.mint("messaging:read", "guests:read")
    answer = await api.http.post("/v1/messaging/send", json=SMS, headers=reader)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert "messaging:write" in answer.json()["detail"]
    assert (await api.http.get("/v1/messaging", headers=reader)).status_code == 200
    assert (await api.http.get("/v1/webhooks", headers=reader)).status_code == 403


async def test_keys_are_minted_listed_and_revoked(api: Api) -> None:
    answer = await api.http.post("/v1/auth/keys", json={"name": "front desk", "scopes": ["messaging:read"]})
    assert answer.status_code == 201
    made = answer.json()
    assert made["key"].startswith("sk_test_")
    assert made["last4"] == made["key"][-4:]
    assert (made["environment"], made["scopes"]) == ("test", ["messaging:read"])
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert (await api.http.get("/v1/messaging", headers=headers)).status_code == 200
    listed = await api.http.get("/v1/auth/keys")
    assert made["key"] not in listed.text
    assert listed.json()["data"][0]["id"] == made["id"]
    assert [row for row in await api.sql("select k::text from api_keys k") if made["key"] in row[0]] == []
    assert (await api.http.delete(f"/v1/auth/keys/{made['id']}")).status_code == 204
    assert (await api.http.get("/v1/messaging", headers=headers)).status_code == 401


async def test_a_key_expires_and_mints_none_that_outlives_it(api: Api) -> None:
    def soon(seconds: float) -> str:
        return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")

    async def mint(expires_at: str | None, headers: dict[str, str] | None = None) -> httpx2.Response:
        body = {"name": "x", "scopes": ["*"], "expires_at": expires_at}
        return await api.http.post("/v1/auth/keys", json=body, headers=headers)

    made = (await mint(soon(3600))).json()
    listed = (await api.http.get("/v1/auth/keys")).json()["data"][0]
    assert listed["expires_at"] == made["expires_at"] is not None
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert (await mint(None, headers)).json()["expires_at"] == made["expires_at"]
    assert (await mint(soon(60), headers)).status_code == 201
    for wrong, of in (soon(-1), None), (soon(7200), headers), ("2027-01-01", None), ("9999-01-01T00:00:00Z", None):
        refused = await mint(wrong, of)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "expires_at"]), wrong
    assert (await mint(None)).json()["expires_at"] is None
    assert (await api.http.get("/v1/messaging", headers=headers)).status_code == 200
    await api.sql("update api_keys set expires_at = now() where expires_at is not null")
    # Another process has not seen it yet; this one may believe in it for two seconds.
    api.app.state.services.authenticator.forget(keys.digest(made["key"]))
    assert (await api.http.get("/v1/messaging", headers=headers)).status_code == 401


async def test_a_test_key_changes_nothing_that_live_sees(api: Api) -> None:
    live = await api.mint(scope=api.live)
    path = f"/v1/properties/{(await api.http.get('/v1/properties')).json()['data'][0]['id']}"
    before = (await api.http.get(path, headers=live)).json()
    changes = {
        "name": "Only a trial", "type": "hostel", "timezone": "Asia/Tokyo", "currency": "JPY", "country": None,
        "settings": {"outcome_unknown": {"email": "resend"}},
    }  # fmt: skip
    changed = (await api.http.patch(path, json=changes)).json()
    assert {name: changed[name] for name in changes} == changes
    assert (await api.http.get(path)).json() == changed
    assert (await api.http.get("/v1/properties")).json()["data"] == [changed]
    assert (await api.http.get(path, headers=live)).json() | {"updated_at": before["updated_at"]} == before
    own = (await api.http.patch(path, json={"name": "Grand", "settings": {"a": 1}}, headers=live)).json()
    assert (own["name"], own["settings"], own["timezone"]) == ("Grand", {"a": 1}, before["timezone"])
    shown = (await api.http.get(path)).json()
    assert (shown["name"], shown["settings"]) == ("Only a trial", changes["settings"])
    assert {row[0]: row[1] for row in await api.sql("select environment, settings from scopes")} == {
        "test": changes["settings"], "live": {"a": 1},
    }  # fmt: skip


async def test_no_key_mints_a_broader_one(api: Api) -> None:
    body = {"name": "x", "scopes": ["*"]}
    assert (await api.http.post("/v1/auth/keys", json={**body, "environment": "live"})).status_code == 403
    almost = await api.mint("messaging:read", "messaging:write", "guests:write", "webhooks:write", "properties:write")
    assert (await api.http.post("/v1/auth/keys", json=body, headers=almost)).status_code == 403
    assert (await api.http.post("/v1/auth/keys", json={**body, "scopes": ["all"]})).status_code == 422
    assert (await api.http.post("/v1/auth/keys", json={**body, "scopes": []})).status_code == 422
    neighbour = await api.neighbour()
    made = (await api.http.post("/v1/auth/keys", json=body)).json()
    assert (await api.http.delete(f"/v1/auth/keys/{made['id']}", headers=neighbour)).status_code == 404


async def test_the_rate_is_exact_and_shared(api: Api, settings: Settings, engine: AsyncEngine) -> None:
    async with open_api(settings, engine) as twin:
        minutes: set[int] = {0, 1}
        while len(minutes) > 1:  # Once more, should the minute turn over in the middle.
            headers = await api.mint("messaging:read", rate_limit=30)
            answers = [await (api, twin)[number % 2].http.get("/v1/messaging", headers=headers) for number in range(40)]
            minutes = {row[0] for row in await api.sql("select extract(epoch from now())::bigint / 60")}
            minutes |= {row[0] for row in await api.sql("select min(window_start) from rate_windows")}
            if len(minutes) > 1:
                await api.sql("delete from rate_windows")
    assert [answer.status_code for answer in answers].count(200) == 30
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(last.headers["retry-after"]) <= 60
    assert last.headers["ratelimit-policy"] == '"key";q=30;w=60'


async def test_a_propertys_keys_share_a_limit_of_its_own(api: Api) -> None:
    async with api.database.begin() as tx:
        await properties.limit(tx, api.scope, 30)
    minutes: set[int] = {0, 1}
    while len(minutes) > 1:  # Once more, should the minute turn over in the middle.
        some = [await api.mint("messaging:read", rate_limit=20) for _ in range(3)]
        answers = [await api.http.get("/v1/messaging", headers=some[number % 3]) for number in range(40)]
        minutes = {row[0] for row in await api.sql("select extract(epoch from now())::bigint / 60")}
        minutes |= {row[0] for row in await api.sql("select min(window_start) from rate_windows")}
        if len(minutes) > 1:
            await api.sql("delete from rate_windows")
    assert [answer.status_code for answer in answers].count(200) == 30
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "rate_limited")
    assert "This property may make 30 requests a minute" in last.json()["detail"]
    assert last.headers["ratelimit-policy"] == '"property";q=30;w=60'
    # What one property has used up is no other's, and a key that may more is not held back by the usual limit.
    neighbour = await api.neighbour()
    assert (await api.http.get("/v1/messaging", headers=neighbour)).status_code == 200


async def test_properties(api: Api) -> None:
    listed = (await api.http.get("/v1/properties")).json()
    assert listed["total"] == 1
    path = f"/v1/properties/{listed['data'][0]['id']}"
    changes = {"name": "Grand", "timezone": "Europe/Lisbon", "currency": "EUR", "country": "PT", "settings": {"a": 1}}
    changed = await api.http.patch(path, json=changes)
    assert changed.status_code == 200
    assert {name: changed.json()[name] for name in changes} == changes
    assert (await api.http.get(path)).json() == changed.json()
    for wrong in {"timezone": "Mars/Base"}, {"currency": "euro"}, {"country": "PRT"}, {"slug": "x"}, {"name": None}:
        assert (await api.http.patch(path, json=wrong)).status_code == 422, wrong
    assert (await api.http.get(path, headers=await api.neighbour())).status_code == 404


async def test_unknown_paths_and_methods_have_the_same_form(api: Api) -> None:
    for method, path, status in ("GET", "/nowhere", 404), ("GET", "/v1/guests/", 404), ("DELETE", "/v1/messaging", 405):
        answer = await api.http.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()) == {"detail", "status_code", "request_id", "code"}


async def test_health(api: Api) -> None:
    assert (await api.http.get("/healthz")).json() == {"status": "ok"}
    ready = (await api.http.get("/readyz")).json()
    assert ready["postgres"] is True
