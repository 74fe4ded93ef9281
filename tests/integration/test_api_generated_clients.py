"""A client that was generated from the API's description and changes one thing changes nothing else.

Generators differ in one point that matters here: what they do with a field that nobody has set. Those for Python and
TypeScript send its default, if the description has one; the careful ones send nothing. `Generated` does the former.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import Api, open_api

GUEST: dict[str, Any] = {
    "first_name": "Jordan", "last_name": "Mitchell", "email": "jordan@example.com", "phone": "+13055551234",
    "language": "pt-BR", "preferences": {"room": "suite", "floor": 1e23}, "metadata": {"loyalty": "gold"},
    "external_id": "PMS-1",
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "updateGuest": {
        "first_name": "Jo", "last_name": "M", "email": None, "phone": None, "language": "fr", "preferences": {},
        "metadata": {"a": 1}, "is_active": True,
    },
    "updateWebhook": {
        "url": "http://127.0.0.1:9/other", "events": "message.failed", "description": None, "is_active": True,
    },
    "updateProperty": {
        "name": "Other", "type": "resort", "timezone": "Asia/Tokyo", "currency": None, "country": None,
        "settings": {"mine": 2},
    },
    "rescheduleMessage": {"scheduled_at": "2031-01-01T00:00:00.000000Z"},
}  # fmt: skip
"""Operation → each field it can change, and what to. A test sees to it that none is missing."""
FOLLOW = {"updated_at", "last_seen_at", "disabled_at", "disabled_reason"}


class Generated:
    """A client as generators make it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.described: dict[str, Any] = api.app.openapi()
        self.operations: dict[str, tuple[str, str, dict[str, Any]]] = {
            operation["operationId"]: (method, path, operation)
            for path, ways in self.described["paths"].items()
            for method, operation in ways.items()
        }

    def body(self, name: str) -> dict[str, Any]:
        """The schema of an operation's body."""
        schema = self.operations[name][2]["requestBody"]["content"]["application/json"]["schema"]
        found: dict[str, Any] = self.described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return found

    async def call(self, name: str, place: str, /, **fields: Any) -> dict[str, Any]:
        method, path, _ = self.operations[name]
        defaults = {each: its["default"] for each, its in self.body(name)["properties"].items() if "default" in its}
        path = path.split("{")[0] + place
        answer = await self._api.http.request(method, path, json=defaults | fields)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


@pytest.fixture
def client(api: Api) -> Generated:
    return Generated(api)


async def _made(api: Api, client: Generated) -> dict[str, dict[str, Any]]:
    """An object of each kind, none of whose fields is as a new one's."""
    guest = (await api.http.post("/v1/guests", json=GUEST)).json()
    endpoint = {"url": "http://127.0.0.1:9/hook", "events": "message.sent,message.read", "description": "mine"}
    webhook = (await api.http.post("/v1/webhooks", json=endpoint)).json()
    message = await api.later(metadata={"booking": 1}, guest_id=guest["id"])
    fields = {"timezone": "Europe/Lisbon", "type": "villa", "currency": "EUR", "country": "PT", "settings": {"mine": 1}}
    place = f"/v1/properties/{guest['property_id']}"
    return {
        "updateGuest": (await api.http.patch(f"/v1/guests/{guest['id']}", json={"is_active": False})).json(),
        "updateWebhook": (await api.http.patch(f"/v1/webhooks/{webhook['id']}", json={"is_active": False})).json(),
        "updateProperty": (await api.http.patch(place, json=fields)).json(),
        "rescheduleMessage": message,
    }


async def test_a_client_that_changes_one_field_changes_no_other(api: Api, client: Generated) -> None:
    objects = await _made(api, client)
    patches = {name for name, (method, _, _) in client.operations.items() if method == "patch"}
    assert patches == set(CHANGES) == set(objects)
    for name, changes in CHANGES.items():
        assert set(client.body(name)["properties"]) == set(changes), name
        before = objects[name]
        for field, value in changes.items():
            after = await client.call(name, before["id"], **{field: value})
            assert after[field] == value, (name, field)
            assert {key for key in after if after[key] != before[key]} - FOLLOW <= {field}, (name, field)
            before = after


async def test_a_client_that_posts_a_known_guest_again_changes_what_it_sends(api: Api, client: Generated) -> None:
    known = (await api.http.post("/v1/guests", json=GUEST)).json()
    again = await client.call("createGuest", "", first_name="Jo", last_name="Mitchell", email=GUEST["email"])
    assert again["id"] == known["id"]
    assert {key for key in again if again[key] != known[key]} - FOLLOW == {"first_name"}


def test_no_request_has_a_default_and_no_change_needs_a_field(client: Generated) -> None:
    for name, (method, _, operation) in client.operations.items():
        if "requestBody" not in operation:
            continue
        assert not [field for field, its in client.body(name)["properties"].items() if "default" in its], name
        if method == "patch" and name != "rescheduleMessage":  # whose one field says what is asked for
            assert "required" not in client.body(name), name


def test_nulls_are_shown_and_where_it_is_and_whose_it_is(client: Generated) -> None:
    schemas = client.described["components"]["schemas"]
    assert {"email": None, "phone": None} in schemas["ChangeGuest"]["examples"]
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            assert set(schema.get("required", [])) <= set(example), name
            for field, value in example.items():
                kinds = schema["properties"][field].get("anyOf", [])
                assert value is not None or {"type": "null"} in kinds, (name, field)
    assert client.described["servers"][0]["url"].startswith("http")
    assert client.described["info"]["license"]["identifier"] == "Apache-2.0"
    assert client.described["info"]["contact"]
