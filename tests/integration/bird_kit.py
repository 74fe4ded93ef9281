"""A property as Bird's clients call it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2

from bellhop.domain.ids import Prefix, render

from .bird_examples import TEXT
from .conftest_api import Api


class Workspace:
    """A property and its SMS channel as Bird's clients call them."""

    def __init__(self, api: Api, channel: str) -> None:
        self.api, self.id, self.channel = api, str(api.scope.property_id), channel
        self.path = f"/workspaces/{self.id}/channels/{channel}"

    async def post(self, body: Any, path: str = "/messages", **headers: str) -> httpx2.Response:
        found: httpx2.Response = await self.api.http.post(self.path + path, json=body, headers=headers)
        return found

    async def sent(self, **fields: Any) -> dict[str, Any]:
        found = await self.post(TEXT | fields)
        assert found.status_code == 202, found.text
        return dict(found.json())

    async def get(self, path: str = "", **query: Any) -> dict[str, Any]:
        found = await self.api.http.get(self.path + path, params=query)
        assert found.status_code == 200, found.text
        return dict(found.json())

    async def native(self, message: dict[str, Any]) -> dict[str, Any]:
        found = await self.api.http.get(f"/v1/messaging/{render(Prefix.MESSAGE, UUID(message['id']))}")
        assert found.status_code == 200, found.text
        return dict(found.json())


async def workspace(api: Api) -> Workspace:
    """The property, and its channel for SMS."""
    listed = await api.http.get(f"/workspaces/{api.scope.property_id}/channels", params={"platform": "sms"})
    assert listed.status_code == 200, listed.text
    return Workspace(api, listed.json()["results"][0]["id"])


def refused(answer: httpx2.Response, status: int, word: str, *fields: str) -> str:
    """The sentence of an error in Bird's form."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"code", "message", "details"}
    assert body["code"] == word, body
    assert set(fields) <= set(body["details"]), body
    return str(body["message"])
