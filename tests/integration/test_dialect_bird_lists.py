"""Bird's dialect over the API alone: channels, lists, keys and errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.dialects.bird.errors import answer
from api.problems import OF_ENGINE, Problem
from bellhop.domain.formats import bird
from bellhop.domain.ids import Prefix, render
from bellhop.settings import Settings

from .bird_examples import GUEST, SEED_TEMPLATE, TEXT
from .bird_kit import Workspace, refused, workspace
from .conftest_api import Api, open_api


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as api:
        yield api


@pytest.fixture
async def bird_at(api: Api) -> Workspace:
    return await workspace(api)


async def test_channels_are_the_propertys_lines(bird_at: Workspace) -> None:
    http, path = bird_at.api.http, f"/workspaces/{bird_at.id}/channels"
    every = (await http.get(path)).json()
    assert [one["platformId"] for one in every["results"]] == ["imessage", "sms-messagebird"]
    assert "nextPageToken" not in every
    first = (await http.get(path, params={"limit": 1})).json()
    second = (await http.get(path, params={"limit": 1, "pageToken": first["nextPageToken"]})).json()
    assert first["results"] + second["results"] == every["results"]
    assert "nextPageToken" not in second
    backwards = (await http.get(path, params={"reverse": "true"})).json()["results"]
    assert backwards == every["results"][::-1]
    (native,) = [one for one in (await http.get("/v1/senders")).json()["data"] if one["channel"] == "sms"]
    channel = await bird_at.get()
    assert channel == every["results"][1]
    assert (channel["identifier"], render(Prefix.SENDER, UUID(channel["id"]))) == (native["address"], native["id"])
    assert channel["capabilities"]["messaging"]["outgoing"]["mms"]["status"] == "active"
    await bird_at.api.sql("update senders set capabilities = '{\"media\": false}' where channel = 'sms'")
    assert (await bird_at.get())["capabilities"]["messaging"]["outgoing"]["mms"]["status"] == "inactive"
    assert (await http.get(path, params={"status": "inactive"})).json() == {"results": []}
    mail = (await bird_at.api.sql("select id::text from senders where channel = 'email'"))[0].id
    refused(await http.get(f"{path}/{mail}"), 404, "NotFound")
    refused(await http.get(path, params={"pageToken": "x"}), 422, "InvalidFormat", "pageToken")
    refused(await http.get(path, params={"color": "red"}), 400, "BadRequest", "color")


async def _at_every_status(bird_at: Workspace) -> dict[str, str]:
    """A message of each status, by its id."""
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    made = {status: (await bird_at.sent())["id"] for status in bird.STATUSES if status != bird.SCHEDULED}
    made[bird.SCHEDULED] = (await bird_at.sent(scheduledFor=later))["id"]
    for status, stood in {
        bird.PROCESSING: "tries = 1",
        bird.SENT: "stage = 'sent', sent_at = now()",
        bird.DELIVERED: "stage = 'delivered', sent_at = now(), delivered_at = now()",
        bird.DELIVERY_FAILED: "stage = 'undelivered', sent_at = now(), failure_code = 'unreachable'",
        bird.SENDING_FAILED: "stage = 'gave_up', failure_code = 'expired'",
        bird.REJECTED: "stage = 'gave_up', failure_code = 'opted_out'",
        bird.DELETED: "stage = 'cancelled'",
    }.items():
        await bird_at.api.sql(f"update messages set {stood} where id = :id", id=made[status])
    return {status: made[status] for status in bird.STATUSES}


async def test_lists_are_filtered_and_paged(bird_at: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await _at_every_status(bird_at)
    asks = uuid4()
    await bird_at.api.sql(
        "insert into messages (id, scope_id, direction, channel, recipient, sender, content, stage)"
        " select uuidv7(), scope_id, 'inbound', channel, sender, recipient, 'Thanks', 'delivered'"
        " from messages where id = :id",
        id=made[bird.SENT],
    )
    every = (await bird_at.get("/messages", limit=100))["results"]
    assert [one["id"] for one in every[1:]] == sorted(made.values(), reverse=True)
    assert (every[0]["status"], every[0]["direction"], every[0]["body"]["text"]["text"]) == (
        "delivered", "incoming", "Thanks",
    )  # fmt: skip
    assert every[0]["sender"]["contact"]["identifierValue"] == GUEST
    by_status = {one["id"]: one["status"] for one in every[1:]}
    for status, message_id in made.items():
        assert by_status[message_id] == status
        listed = [one["id"] for one in (await bird_at.get("/messages", status=status))["results"]]
        assert listed == ([every[0]["id"], message_id] if status == bird.DELIVERED else [message_id]), status
    assert [one["id"] for one in (await bird_at.get("/messages", direction="incoming"))["results"]] == [every[0]["id"]]
    assert len((await bird_at.get("/messages", direction="outgoing"))["results"]) == 9
    for limit in (4, 10):
        walked: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": limit, "reverse": True}
        while True:
            page = await bird_at.get("/messages", **query)
            walked += page["results"]
            if "nextPageToken" not in page:
                break
            query["pageToken"] = page["nextPageToken"]
        assert walked == every[::-1]
    span = {"startAt": every[5]["createdAt"], "endAt": every[3]["createdAt"]}
    assert (await bird_at.get("/messages", **span))["results"] == every[3:6]
    assert (await bird_at.get("/messages", batchId=str(asks)))["results"] == []
    # However few of those that it looks at are asked for, none is left out.
    monkeypatch.setattr("bellhop.store.messages.line_texts.COUNTED", 3)
    found, token = [], {}
    for _ in range(4):
        page = await bird_at.get("/messages", status="accepted", **token)
        found += [one["id"] for one in page["results"]]
        token = {"pageToken": page["nextPageToken"]} if "nextPageToken" in page else {}
    assert found == [made[bird.ACCEPTED]]
    assert not token


async def test_what_a_guest_did_is_an_interaction(bird_at: Workspace) -> None:
    message = await bird_at.sent()
    assert await bird_at.get(f"/messages/{message['id']}/interactions") == {"results": []}
    await bird_at.api.sql(
        "insert into events (scope_id, subject, subject_id, type) values (:scope, 'message', :id, 'message.read')",
        scope=bird_at.api.scope.id,
        id=message["id"],
    )
    (opened,) = (await bird_at.get(f"/messages/{message['id']}/interactions"))["results"]
    assert (opened["type"], opened["messageId"], opened["channelId"]) == ("opened", message["id"], bird_at.channel)
    unknown = await bird_at.api.http.get(f"{bird_at.path}/messages/{uuid4()}/interactions")
    refused(unknown, 404, "NotFound")


async def test_links_are_short_where_it_asks_for_it(bird_at: Workspace) -> None:
    target = "https://hotel.example/spa?day=1"
    body: dict[str, Any] = {"type": "text", "text": {"text": f"Book: {target}"}}
    host = bird_at.api.app.state.services.settings.bellhop.public_url.split("/")[2]
    message = await bird_at.sent(body=body, shortLinks={"enabled": True, "domain": host})
    assert message["shortLinks"] == {"enabled": True, "domain": host}
    native = await bird_at.native(message)
    assert f"Book: http://{host}/s/" in native["content"]
    assert message["body"] == {"type": "text", "text": {"text": native["content"]}}
    tracked = await bird_at.native(await bird_at.sent(body=body, enableLinkTracking=True))
    assert (tracked["link_tracking"], tracked["short_links"]) == (True, None)
    assert "utm_source=bellhop" in tracked["content"]
    for left in ({"enabled": False}, {"domain": "h.example"}, None):
        plain = await bird_at.sent(body=body, shortLinks=left)
        assert (await bird_at.native(plain))["content"] == f"Book: {target}"
    # A template has its own.
    given = {"name": "spa", "locale": "en", "content": f"Book: {target}"}
    made = await bird_at.api.http.post("/v1/templates", json=given)
    assert made.status_code == 201, made.text
    (row,) = await bird_at.api.sql("select id::text from templates")
    template = {"projectId": row.id, "version": "latest", "shortLinks": {"enabled": True}}
    asked = {name: value for name, value in TEXT.items() if name != "body"} | {"template": template}
    answer = await bird_at.post(asked)
    assert answer.status_code == 202, answer.text
    assert answer.json()["shortLinks"] == {"enabled": True, "domain": host}
    wrong = TEXT | {"shortLinks": {"enabled": True, "domain": "h.example"}}
    refused(await bird_at.post(wrong), 422, "InvalidFormat", "shortLinks.domain")
    # Who follows one has done something with the message; a machine has not.
    path = native["content"].removeprefix(f"Book: http://{host}")
    phone = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"}
    for agent in (phone, {"user-agent": "WhatsApp/2.23"}):
        assert (await bird_at.api.http.get(path, headers=agent)).headers["location"] == target
    await bird_at.api.app.state.services.link_clicks.count()
    (clicked,) = (await bird_at.get(f"/messages/{message['id']}/interactions"))["results"]
    assert (clicked["type"], clicked["messageId"]) == ("clicked", message["id"])


async def test_a_key_of_several_properties_opens_the_workspace_of_each(bird_at: Workspace) -> None:
    api = bird_at.api
    for scheme in ("AccessKey", "accesskey", "Bearer"):
        headers = {"Authorization": f"{scheme} {api.key}"}
        assert (await api.http.get(bird_at.path, headers=headers)).status_code == 200
    for wrong in ({"Authorization": f"Basic {api.key}"}, {"Authorization": "AccessKey sk_test_x"}):
        answer = await api.http.get(bird_at.path, headers=wrong)
        refused(answer, 401, "Unauthorized")
        assert "WWW-Authenticate" in answer.headers
    reader = await api.mint("messaging:read")
    refused(await bird_at.post(TEXT, **reader), 403, "Forbidden")
    refused(await api.http.get(bird_at.path.replace(bird_at.id, str(uuid4()))), 404, "NotFound")


async def test_a_repeated_key_makes_one_message(bird_at: Workspace) -> None:
    key = {"Idempotency-Key": "one"}
    first, second = [await bird_at.post(TEXT, **key) for _ in range(2)]
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    refused(await bird_at.post(TEXT | {"reference": "x"}, **key), 409, "Conflict")


async def test_what_is_wrong_is_said_in_its_form(bird_at: Workspace) -> None:
    contact = {"identifierValue": GUEST}
    for wrong, field in (
        ({"receiver": {"contacts": []}}, "receiver.contacts"),
        ({"receiver": {"contacts": [contact, contact]}}, "receiver.contacts"),
        (
            {"receiver": {"contacts": [{"identifierKey": "emailaddress", **contact}]}},
            "receiver.contacts.0.identifierKey",
        ),
        ({"receiver": {"contacts": [{"identifierValue": "5678"}]}}, "receiver.contacts.0"),
        ({"receiver": {"contacts": [{}]}}, "receiver.contacts.0"),
        ({"sender": {"connector": {"identifierValue": "+15005550001"}}}, "sender.connector"),
        ({"sender": {"connector": {"id": str(uuid4())}}}, "sender.connector"),
        ({"body": None}, ""),
        ({"template": SEED_TEMPLATE}, ""),
        ({"body": {"type": "carousel"}}, "body.type"),
        ({"body": {"type": "image", "text": {"text": "x"}}}, "body"),
        (
            {"body": {"type": "image", "image": {"images": [{"mediaUrl": "https://h.example"}] * 11}}},
            "body.image.images",
        ),
        ({"body": {"type": "image", "image": {"images": [{"mediaUrl": "file:///x"}]}}}, "body.image.images.0.mediaUrl"),
        ({"tags": ["x"] * 11}, "tags"),
    ):
        refused(await bird_at.post(TEXT | wrong), 422, "InvalidFormat", field)
    for unknown in ({"colour": "red"}, {"meta": {"colour": "red"}}, {"receiver": {"contacts": [contact | {"x": 1}]}}):
        refused(await bird_at.post(TEXT | unknown), 400, "BadRequest")
    http = bird_at.api.http
    torn = await http.post(f"{bird_at.path}/messages", content=b"{", headers={"Content-Type": "application/json"})
    refused(torn, 400, "BadRequest")
    refused(await http.get(f"/workspaces/{bird_at.id}/nothing"), 404, "NotFound")
    refused(await http.get("/organizations/x/workspaces"), 404, "NotFound")
    refused(await http.put(bird_at.path), 405, "MethodNotAllowed")
    for status, code in {*OF_ENGINE.values(), *((kind.status_code, kind.code) for kind in Problem.__subclasses__())}:
        shown = answer(Problem("No.", status_code=status, code=code), "req_1")
        body = json.loads(bytes(shown.body))
        assert (set(body), body["message"]) == ({"code", "message", "details"}, "No.")
        assert shown.status_code in (400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503), code
