"""A client that was generated from the API's description and changes one thing changes nothing else.

Generators send a field that nobody has set with its default, if the description has one: so it has none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from bellhop.domain.ids import Prefix, render
from bellhop.settings import Settings
from tests.integration import generated_kit
from tests.integration.conftest_api import Api, open_api
from tests.integration.generated_kit import Client, operations, served

GUEST: dict[str, Any] = {
    "first_name": "Jordan", "last_name": "Mitchell", "email": "jordan@example.com", "phone": "+13055551234",
    "language": "pt-BR", "preferences": {"room": "suite", "floor": 1e23}, "metadata": {"loyalty": "gold"},
    "external_id": "PMS-1",
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "updateGuest": {
        "first_name": "Jo", "last_name": "M", "email": None, "phone": None, "language": "fr", "preferences": {},
        "metadata": {"a": 1}, "is_active": True, "timezone": "Asia/Tokyo",
    },
    "updateWebhook": {
        "url": "http://127.0.0.1:9/other", "events": "message.failed", "description": None, "is_active": True,
    },
    "updateProperty": {
        "name": "Other", "type": "resort", "timezone": "Asia/Tokyo", "currency": None, "country": None,
        "settings": {"mine": 2},
    },
    "updateStay": {
        "status": "in_house", "arrival": "2027-03-16", "departure": None, "room": None, "guests": [],
        "details": {"a": 1},
    },
    "updateConversation": {"assigned_to": "ana", "tags": ["vip"], "snoozed_until": None, "status": "open"},
    "updateSender": {"name": None, "standby": False, "default": True, "rate": 2.5},
    "updateIntent": {"status": "done", "type": "dining"},
    "rescheduleMessage": {"scheduled_at": "2031-01-01T00:00:00.000000Z"},
}  # fmt: skip
"""Operation → each field it can change, and what to. A test sees to it that none is missing."""
FOLLOW = {"updated_at", "closed_at", "last_seen_at", "disabled_at", "disabled_reason", "participants"}


GENERATORS = {
    "python": (generated_kit.generate_python, generated_kit.python_client),
    "typescript": (generated_kit.generate_typescript, generated_kit.typescript_client),
}


@pytest.fixture(scope="module", params=GENERATORS)
def language(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A language, and the folder its client was generated into."""
    room = tmp_path_factory.mktemp(request.param)
    GENERATORS[request.param][0](create_app(Settings()).openapi(), room)
    return request.param, room


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


@pytest.fixture
async def client(api: Api, language: tuple[str, Path]) -> AsyncIterator[Client]:
    name, room = language
    async with served(api.app) as url, GENERATORS[name][1](room, url, api.key) as connected:
        yield connected


async def _made(api: Api) -> dict[str, dict[str, Any]]:
    """An object of each kind, none of whose fields is as a new one's."""
    guest = (await api.http.post("/v1/guests", json=GUEST)).json()
    endpoint = {"url": "http://127.0.0.1:9/hook", "events": "message.sent,message.read", "description": "mine"}
    webhook = (await api.http.post("/v1/webhooks", json=endpoint)).json()
    message = await api.later(metadata={"booking": 1}, guest_id=guest["id"])
    fields = {"timezone": "Europe/Lisbon", "type": "villa", "currency": "EUR", "country": "PT", "settings": {"mine": 1}}
    stay = {
        "source": "pms", "reservation": "R1", "status": "no_show", "arrival": "2027-03-15", "departure": "2027-03-19",
        "room": "412", "guests": [guest["id"]], "details": {"mine": 1},
    }  # fmt: skip
    sender = {"channel": "sms", "address": "+13055550166", "name": "Front desk", "standby": True}
    talk, closed = message["conversation_id"], {"status": "closed", "assigned_to": "kim", "tags": ["a"]}
    place = f"/v1/properties/{guest['property_id']}"
    ((intent,),) = await api.sql(
        """
        with said as (insert into messages (scope_id, direction, channel, due_at)
          select scope_id, 'inbound', 'sms', now() from messages limit 1 returning id, scope_id)
        insert into intents (scope_id, message_id, type, detected_type, confidence, evidence, detector)
        select scope_id, id, 'parking', 'parking', 900, 'parking', 'built_in' from said returning id
        """
    )
    return {
        "updateGuest": (await api.http.patch(f"/v1/guests/{guest['id']}", json={"is_active": False})).json(),
        "updateWebhook": (await api.http.patch(f"/v1/webhooks/{webhook['id']}", json={"is_active": False})).json(),
        "updateProperty": (await api.http.patch(place, json=fields)).json(),
        "updateStay": (await api.http.post("/v1/stays", json=stay)).json(),
        "updateConversation": (await api.http.patch(f"/v1/conversations/{talk}", json=closed)).json(),
        "updateSender": (await api.http.post("/v1/senders", json=sender)).json(),
        "updateIntent": (await api.http.get(f"/v1/intents/{render(Prefix.INTENT, intent)}")).json(),
        "rescheduleMessage": message,
    }


async def test_a_client_that_changes_one_field_changes_no_other(api: Api, client: Client) -> None:
    objects = await _made(api)
    known = operations(api.app.openapi())
    assert {name for name, operation in known.items() if operation.method == "patch"} == set(CHANGES) == set(objects)
    for name, changes in CHANGES.items():
        assert set(known[name].fields) == set(changes), name
        before = objects[name]
        place = known[name].place(before["id"])
        for field, value in changes.items():
            await client.call(known[name], before["id"], {field: value})
            after = (await api.http.get(place)).json()
            assert after[field] == value, (name, field)
            assert {key for key in after if after[key] != before[key]} - FOLLOW <= {field}, (name, field)
            before = after


async def test_a_client_that_posts_a_known_guest_again_changes_what_it_sends(api: Api, client: Client) -> None:
    known = (await api.http.post("/v1/guests", json=GUEST)).json()
    again = {"first_name": "Jo", "last_name": "Mitchell", "email": GUEST["email"]}
    await client.call(operations(api.app.openapi())["createGuest"], None, again)
    after = (await api.http.get(f"/v1/guests/{known['id']}")).json()
    assert {key for key in after if after[key] != known[key]} - FOLLOW == {"first_name"}


async def test_every_call_is_in_the_client(api: Api, client: Client) -> None:
    """Generators name files after tags: of two with one name, one is lost."""
    ways = [operation for ways in api.app.openapi()["paths"].values() for operation in ways.values()]
    assert len(ways) > 40
    for operation in ways:
        assert await client.has(operation["tags"][0], operation["operationId"]), operation["operationId"]


def test_no_request_has_a_default_and_no_change_needs_a_field() -> None:
    for name, operation in operations(create_app(Settings()).openapi()).items():
        assert not [field for field, its in operation.fields.items() if "default" in its], name
        if operation.method == "patch" and name != "rescheduleMessage":  # whose one field says what is asked for
            assert not operation.required, name


def test_nulls_are_shown_and_where_it_is_and_whose_it_is(settings: Settings) -> None:
    described = create_app(settings).openapi()
    schemas = described["components"]["schemas"]
    assert {"email": None, "phone": None} in schemas["ChangeGuest"]["examples"]
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            assert set(schema.get("required", [])) <= set(example), name
            for field, value in example.items():
                kinds = schema["properties"][field].get("anyOf", [])
                assert value is not None or {"type": "null"} in kinds, (name, field)
    assert described["servers"][0]["url"].startswith("http")
    assert described["info"]["license"]["identifier"] == "Apache-2.0"
    assert described["info"]["contact"]
