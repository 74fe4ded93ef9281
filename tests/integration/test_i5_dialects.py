"""I5 through other vendors' APIs: every route of every dialect is walked with another property's key and our ids.

A route that is not in its dialect's walk fails the test, so that none can be left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncEngine

from api.dialects import DIALECTS
from api.dialects.dialect import Dialect
from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix, parse
from bellhop.settings import Settings
from bellhop.store.access import keys

from .conftest_api import Api, open_api
from .test_dialect_sendblue import pair

GUEST = "+13055550311"
WORDS = "Quetzal's room is ready."


@dataclass
class Call:
    """A call with what is ours, made with another's key."""

    path: str
    status: int
    """What it is answered."""
    body: Any = None
    echoes: set[str] = field(default_factory=set)
    """Of ours what the caller has named itself, and is therefore told."""


@dataclass
class Walk:
    """How a dialect's routes are called: `headers` of a key, and the call of each route."""

    headers: Callable[[str], Mapping[str, str]]
    calls: Callable[[dict[str, str]], dict[tuple[str, str], Call]]


def _sendblue(ours: dict[str, str]) -> dict[tuple[str, str], Call]:
    handle, number, line = ours["message"], ours["number"], ours["line"]
    return {
        ("POST", "/api/send-message"): Call(
            "", 400, {"number": number, "content": "Hi", "from_number": line}, {number, line}
        ),
        ("GET", "/api/status"): Call(f"?handle={handle}", 404),
        ("GET", "/api/v2/messages"): Call(f"?number={number.replace('+', '%2B')}", 200),
        ("GET", "/api/v2/messages/{message_id}"): Call(handle, 404),
        ("GET", "/api/evaluate-service"): Call(f"?number={number.replace('+', '%2B')}", 404),
        ("POST", "/api/v2/contacts/opt-out"): Call("", 200, {"number": number}, {number}),
        ("GET", "/api/account/webhooks"): Call("", 200),
        ("POST", "/api/account/webhooks"): Call("", 200, {"webhooks": [ours["hook"]]}, {ours["hook"]}),
        ("PUT", "/api/account/webhooks"): Call("", 200, {"webhooks": {"receive": [], "outbound": []}}),
        ("DELETE", "/api/account/webhooks"): Call("", 404, {"webhooks": [ours["hook"]]}),
        ("POST", "/api/send-typing-indicator"): Call("", 200, {"number": number}, {number}),
        ("POST", "/api/send-group-message"): Call("", 400),
    }


def _booking(ours: dict[str, str]) -> dict[tuple[str, str], Call]:
    talk = {"accommodation": ours["hotel"], "conversation": ours["talk"]}
    hotel, named = {ours["hotel"]}, {"accommodation": "other-house", "conversation": ours["talk"]}
    file = {"file_name": "a.png", "file_type": "image/png", "file_size": 8, "file_content": "iVBORw0KGgo="}
    return {
        ("POST", "/messages/send"): Call("", 404, {**named, "content": "Hi"}),
        ("POST", "/messages/latest"): Call("", 200),
        ("POST", "/messages/latest/confirm"): Call("", 200, {"messages": [ours["message"], ours["unread"]]}),
        ("POST", "/messages/conversations"): Call("", 403, talk, hotel),
        ("POST", "/messages/attachments/upload"): Call("", 404, {**named, **file}),
        ("POST", "/messages/attachments/metadata"): Call("", 404, {**named, "attachment": ours["message"]}),
        ("POST", "/messages/attachments/download"): Call("", 404, {**named, "attachment": ours["message"]}),
    }


def _bird(ours: dict[str, str]) -> dict[tuple[str, str], Call]:
    place, message = "/workspaces/{workspace_id}/channels/{channel_id}", "/messages/{message_id}"
    # Our channels in their workspace, and what is below our own.
    channel = f"{ours['their workspace']}/channels/{ours['channel']}"
    text = {"body": {"type": "text", "text": {"text": "Hi"}}}
    sent = text | {"receiver": {"contacts": [{"identifierValue": ours["number"]}]}}
    return _subscriptions("/workspaces", "", ours) | {
        ("GET", "/workspaces/{workspace_id}/available-webhooks"): Call(f"{ours['workspace']}/available-webhooks", 404),
        ("GET", "/workspaces/{workspace_id}/channels"): Call(f"{ours['workspace']}/channels", 404),
        ("GET", place): Call(channel, 404),
        ("GET", f"{place}/messages"): Call(f"{channel}/messages", 404),
        ("POST", f"{place}/messages"): Call(f"{channel}/messages", 404, sent),
        ("POST", f"{place}/batch/messages"): Call(f"{channel}/batch/messages", 404, {"messageRequests": [sent]}),
        ("GET", place + message): Call(f"{channel}/messages/{ours['message']}", 404),
        ("DELETE", place + message): Call(f"{channel}/messages/{ours['message']}", 404),
        ("GET", f"{place}{message}/interactions"): Call(f"{channel}/messages/{ours['message']}/interactions", 404),
    }


def _subscriptions(route: str, place: str, ours: dict[str, str]) -> dict[tuple[str, str], Call]:
    """Ours in their workspace, and what is below our own. `place`: what stands for the organization."""
    every = f"{route}/{{workspace_id}}/webhook-subscriptions"
    one, asked = every + "/{subscription_id}", {"service": "channels", "event": "sms.outbound", "url": ours["hook"]}
    listed = f"{place}{ours['workspace']}/webhook-subscriptions"
    ours_in_theirs = f"{place}{ours['their workspace']}/webhook-subscriptions/{ours['subscription']}"
    return {
        ("GET", every): Call(listed, 404),
        ("POST", every): Call(listed, 404, asked),
        ("GET", one): Call(ours_in_theirs, 404),
        ("PATCH", one): Call(ours_in_theirs, 404, {"status": "inactive"}),
        ("DELETE", one): Call(ours_in_theirs, 404),
    }


def _organizations(ours: dict[str, str]) -> dict[tuple[str, str], Call]:
    listed, workspaces = "/organizations/{organization_id}/workspaces", f"{ours['talk']}/workspaces"
    return _subscriptions(listed, f"{workspaces}/", ours) | {
        ("GET", listed): Call(workspaces, 200, None, {ours["their workspace"]}),
        ("GET", listed + "/{workspace_id}"): Call(f"{workspaces}/{ours['workspace']}", 404),
    }


WALKS = {
    "bird": Walk(lambda raw: {"Authorization": f"AccessKey {raw}"}, _bird),
    "bird-organizations": Walk(lambda raw: {"Authorization": f"AccessKey {raw}"}, _organizations),
    "sendblue": Walk(pair, _sendblue),
    "booking": Walk(lambda raw: {"Authorization": f"Bearer {raw}"}, _booking),
}
"""By a dialect's name."""


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as api:
        yield api


async def _record(api: Api) -> list[str]:
    """Every row of the first property."""
    found: list[str] = []
    for table in ("messages", "guests", "consents", "endpoints", "senders", "contact_points"):
        query = f"select to_jsonb(t)::text as row from {table} t where scope_id = :scope order by 1"
        found += [row.row for row in await api.sql(query, scope=api.scope.id)]
    return found


async def _ours(api: Api) -> dict[str, str]:
    lines = (await api.http.get("/v1/senders")).json()["data"]
    sent = await api.later(channel="imessage", recipient=GUEST, content=WORDS)
    await api.sql("update messages set service = 'imessage'")
    line = "+13055550399"
    await api.sql("update senders set address = :line where channel = 'imessage'", line=line)
    assert lines
    key = parse(Prefix.MESSAGE, sent["id"])
    assert isinstance(key, UUID)
    hook = "https://127.0.0.1:9/ours"
    await api.sql(
        "insert into endpoints (scope_id, url, secret, events, format) values"
        " (:scope, :hook, to_jsonb('quetzal'::text), array['message.received'], 'sendblue')",
        scope=api.scope.id,
        hook=hook,
    )
    (subscription,) = await api.sql(
        "insert into endpoints (scope_id, url, secret, events, format, asked) values (:scope, :hook,"
        " to_jsonb('quetzal'::text), array['message.sent'], 'bird', '{\"event\": \"sms.outbound\"}') returning id",
        scope=api.scope.id,
        hook=hook,
    )
    guest = (await api.guest())["id"]
    stay = {"source": "pms", "reservation": "4380765874", "guests": [guest]}
    assert (await api.http.post("/v1/stays", json=stay)).status_code in (200, 201)
    asks = {"accommodation": "grand-sunset", "reservation": "4380765874", "content": WORDS}
    async with api.database.begin() as tx:
        _, raw = await keys.create(tx, api.scope, "guests", ["*"], side=Side.GUEST)
    said = await api.http.post("/messages/send", json=asks, headers={"Authorization": f"Bearer {raw}"})
    unread = said.json()["data"]["message"]
    (talk,) = await api.sql("select conversation_id as id from messages where id = :id", id=unread)
    booked = {"hotel": "grand-sunset", "talk": str(talk.id), "unread": unread}
    (sender,) = await api.sql(
        "select id from senders where channel = 'imessage' and scope_id = :scope", scope=api.scope.id
    )
    await api.neighbour()
    (other,) = await api.sql("select id from properties where slug = 'other-house'")
    booked |= {"subscription": str(subscription.id)}
    booked |= {"workspace": str(api.scope.property_id), "channel": str(sender.id), "their workspace": str(other.id)}
    return booked | {
        "message": str(key),
        "number": GUEST,
        "words": WORDS,
        "line": line,
        "hook": hook,
        "secret": "quetzal",
    }


def _path(route: str, call: Call) -> str:
    return route if not call.path else (route + call.path if call.path[0] == "?" else route.split("{")[0] + call.path)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_every_route_of_a_dialect_shows_nothing_of_another_property(api: Api, dialect: Dialect) -> None:
    walk, ours = WALKS[dialect.name], await _ours(api)
    theirs = (await api.neighbour())["Authorization"].removeprefix("Bearer ")
    calls, before = walk.calls(ours), await _record(api)
    routes = {
        (method, route.path)
        for route in dialect.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert routes == set(calls), "a route without its call here"
    for (method, route), call in calls.items():
        answer = await api.http.request(method, _path(route, call), json=call.body, headers=walk.headers(theirs))
        assert answer.status_code == call.status, (method, route, answer.text)
        shown = [one for one in ours.values() if one in answer.text and one not in call.echoes]
        assert not shown, (method, route, answer.text)
    assert await _record(api) == before
