"""Pages of every list: by cursor as deep as it goes, counted and skipped up to a bound."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import EMAIL, Api, open_api

BOUND = 10_000


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def page(api: Api, path: str, **query: Any) -> dict[str, Any]:
    answer = await api.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def walk(api: Api, path: str, **query: Any) -> list[str]:
    """The ids of a list, two at a time."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        one = await page(api, path, limit=2, **query, **cursor)
        assert one["has_more"] is (one["next_cursor"] is not None)
        found += [each["id"] for each in one["data"]]
        if one["next_cursor"] is None:
            return found
        cursor = {"cursor": one["next_cursor"]}


async def filled(api: Api) -> dict[str, dict[str, Any]]:
    """Five of everything that is listed: path → query."""
    hook = (await api.http.post("/v1/webhooks", json={"url": "https://127.0.0.1/h"})).json()["id"]
    for number in range(5):
        await api.guest(email=f"guest{number}@example.com")
        await api.later()
        await api.later(**EMAIL)
        await api.mint("messaging:read")
        said = {"channel": "sms", "address": "+13055551234", "action": "opt_in", "reason": "asked"}
        assert (await api.http.post("/v1/consents", json=said)).status_code == 201
        if number:
            assert (await api.http.post("/v1/webhooks", json={"url": "https://127.0.0.1/h"})).status_code == 201
    return {
        "/v1/messaging": {},
        "/v1/guests": {},
        "/v1/webhooks": {},
        f"/v1/webhooks/{hook}/deliveries": {},
        "/v1/auth/keys": {},
        "/v1/properties": {},
        "/v1/consents": {"channel": "sms", "address": "+13055551234"},
    }


async def test_every_list_goes_on_by_cursor(api: Api) -> None:
    for path, query in (await filled(api)).items():
        whole = await page(api, path, limit=200, **query)
        assert (whole["has_more"], whole["next_cursor"], whole["total_exact"]) == (False, None, True), path
        assert whole["total"] == len(whole["data"]) > (4 if path != "/v1/properties" else 0), path
        assert await walk(api, path, **query) == [each["id"] for each in whole["data"]], path
        first = await page(api, path, limit=2, offset=1, **query)
        assert [each["id"] for each in first["data"]] == [each["id"] for each in whole["data"][1:3]], path
        assert first["total"] == whole["total"], path


async def test_filters_hold_from_page_to_page(api: Api) -> None:
    await filled(api)
    guest = await api.guest()
    mine = [(await api.later(guest_id=guest["id"]))["id"] for _ in range(5)]
    for query in ({"channel": "email"}, {"status": "queued", "channel": "sms"}, {"guest_id": guest["id"]}):
        whole = await page(api, "/v1/messaging", limit=200, **query)
        assert await walk(api, "/v1/messaging", **query) == [each["id"] for each in whole["data"]]
        assert whole["total"] == len(whole["data"]) >= 5
    assert await walk(api, "/v1/messaging", guest_id=guest["id"]) == mine[::-1]
    hook = (await page(api, "/v1/webhooks"))["data"][-1]["id"]
    deliveries = f"/v1/webhooks/{hook}/deliveries"
    await api.sql("update deliveries set state = 'failed' where id in (select id from deliveries limit 7)")
    for state in ("failed", "pending"):
        whole = await page(api, deliveries, limit=200, state=state)
        assert await walk(api, deliveries, state=state) == [each["id"] for each in whole["data"]]
        assert {each["state"] for each in whole["data"]} == {state}


async def test_what_is_added_meanwhile_moves_nothing_to_another_page(api: Api) -> None:
    mine = [(await api.later())["id"] for _ in range(4)]
    first = await page(api, "/v1/messaging", limit=2)
    await api.later()
    second = await page(api, "/v1/messaging", limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in first["data"] + second["data"]] == mine[::-1]


async def test_cursors_that_are_none(api: Api) -> None:
    lists = await filled(api)
    cursor = (await page(api, "/v1/messaging", limit=1))["next_cursor"]
    of_consents = (await page(api, "/v1/consents", limit=1, **lists["/v1/consents"]))["next_cursor"]
    changed = ("A" if cursor[5] != "A" else "B").join((cursor[:5], cursor[6:]))
    for path, query in lists.items():
        for bad in ("", "x", "omsg_01", "é", "AAAA", cursor[:-2], cursor + "AAAA", changed, cursor, of_consents):
            if (path, bad) in (("/v1/messaging", cursor), ("/v1/consents", of_consents)):
                continue
            answer = await api.http.get(path, params={**query, "cursor": bad})
            assert answer.status_code == 422, (path, bad)
            assert answer.json()["detail"][0]["loc"] == ["query", "cursor"], (path, bad)
    both = await api.http.get("/v1/messaging", params={"cursor": cursor, "offset": 1})
    assert both.json()["detail"][0]["loc"] == ["query", "offset"]
    # Another property's place is a place, and what is shown there is one's own.
    other = await api.http.get("/v1/messaging", params={"cursor": cursor}, headers=await api.neighbour())
    assert (other.status_code, other.json()["data"]) == (200, [])


async def test_counting_and_skipping_have_a_bound(api: Api) -> None:
    await api.sql(
        "insert into messages (scope_id, channel, recipient, content, stage, decision)"
        " select :scope, 'sms', '+13055551234', 'x', 'cancelled', 'cancelled' from generate_series(1, :many)",
        scope=api.scope.id,
        many=BOUND + 60,
    )
    exact = await page(api, "/v1/messaging", status="queued")
    assert (exact["total"], exact["total_exact"]) == (0, True)
    first = await page(api, "/v1/messaging", status="cancelled", limit=200)
    assert (first["total"], first["total_exact"], first["has_more"]) == (BOUND, False, True)
    deep = await page(api, "/v1/messaging", limit=50, offset=BOUND)
    assert (len(deep["data"]), deep["has_more"]) == (50, True)
    last = await page(api, "/v1/messaging", limit=50, cursor=deep["next_cursor"])
    assert (len(last["data"]), last["has_more"], last["total_exact"]) == (10, False, False)
    for path in await filled(api):
        answer = await api.http.get(path, params={"offset": BOUND + 1})
        (problem, *_) = answer.json()["detail"]
        assert (answer.status_code, problem["loc"]) == (422, ["query", "offset"]), path
        assert "cursor" in problem["msg"]
