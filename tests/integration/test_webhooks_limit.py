"""How many endpoints a property may have."""

from __future__ import annotations

import asyncio
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import open_api

HOOK = {"url": "http://127.0.0.1:9/hook", "events": "*"}


async def test_endpoints_of_a_property_are_limited(settings: Settings, engine: AsyncEngine) -> None:
    settings.webhook.max_endpoints = 3
    async with open_api(settings, engine) as api:
        answers = await asyncio.gather(*(api.http.post("/v1/webhooks", json=HOOK) for _ in range(8)))
        assert Counter(each.status_code for each in answers) == {201: 3, 409: 5}
        refused = next(each.json() for each in answers if each.status_code == 409)
        assert (refused["code"], "at most 3 webhook endpoints" in refused["detail"]) == ("too_many_endpoints", True)
        neighbour = await api.neighbour()
        assert (await api.http.post("/v1/webhooks", json=HOOK, headers=neighbour)).status_code == 201
        kept = (await api.http.get("/v1/webhooks")).json()["data"]
        assert len(kept) == 3
        assert (await api.http.delete(f"/v1/webhooks/{kept[0]['id']}")).status_code == 204
        assert (await api.http.post("/v1/webhooks", json=HOOK)).status_code == 201
