"""Bird's dialect over the API alone: what it sends, and messages like any other's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.formats import bird
from bellhop.domain.ids import Prefix, render
from bellhop.settings import Settings

from .bird_examples import ALWAYS, GUEST, SEED_BODIES, SEED_FETCH, SEED_RECEIVERS, SEED_SHOWN, SEED_TEMPLATE, TEXT
from .bird_kit import Workspace, refused, workspace
from .conftest_api import Api, open_api


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as api:
        yield api


@pytest.fixture
async def bird_at(api: Api) -> Workspace:
    return await workspace(api)


async def test_the_seeds_examples_both_ways(bird_at: Workspace) -> None:
    refused(await bird_at.post(SEED_FETCH), 422, "InvalidFormat", "receiver.contacts")
    for receiver in SEED_RECEIVERS:
        for body in SEED_BODIES:
            message = await bird_at.sent(**receiver, body=body)
            assert set(message) >= ALWAYS
            assert (message["status"], message["body"], message["direction"]) == ("accepted", body, "outgoing")
            said = body[body["type"]]
            native = await bird_at.native(message)
            title = said.get("metadata", {}).get("subject")
            assert native["content"] == "\n".join(line for line in (title, said.get("text")) if line)
            assert len(native["media"]) == len(said.get("images", said.get("files", [])))
    assert [one["content_type"] for one in native["media"]] == ["video/mp4", "audio/mpeg"]
    message = await bird_at.sent(body=SEED_SHOWN["body"])
    assert message["body"] == SEED_SHOWN["body"]
    native = await bird_at.native(message)
    assert native["content"] == "text\ntext\ntext: text"
    assert [one["filename"] for one in native["media"]] == ["text"]


async def test_what_it_sends_is_a_message_like_any_other(bird_at: Workspace) -> None:
    message = await bird_at.sent()
    native = await bird_at.native(message)
    (channel,) = [
        one
        for one in (await bird_at.api.http.get(f"/workspaces/{bird_at.id}/channels")).json()["results"]
        if one["id"] == bird_at.channel
    ]
    assert message["channelId"] == bird_at.channel
    assert message["sender"]["connector"] == {"id": bird_at.channel, "identifierValue": channel["identifier"]}
    assert (native["channel"], native["recipient"], native["content"]) == ("sms", GUEST, "Single text message")
    assert (native["status"], native["from"], native["metadata"]) == ("queued", channel["identifier"], {})
    assert message["createdAt"] == message["lastStatusAt"] == native["created_at"]
    # Through another vendor's, too.
    handle = {"sb-api-key-id": f"key_{bird_at.api.key.split('_')[2]}", "sb-api-secret-key": bird_at.api.key}
    seen = await bird_at.api.http.get(f"/api/v2/messages/{message['id']}", headers=handle)
    assert seen.json()["data"]["content"] == "Single text message"


async def test_what_others_send_is_seen_through_it(bird_at: Workspace) -> None:
    sent = await bird_at.api.later(content="Your suite is ready.")
    (message,) = (await bird_at.get("/messages"))["results"]
    assert render(Prefix.MESSAGE, UUID(message["id"])) == sent["id"]
    assert (message["status"], message["scheduledFor"]) == ("scheduled", "2030-01-01T09:00:00.000000Z")
    assert message["body"] == {"type": "text", "text": {"text": "Your suite is ready."}}
    assert await bird_at.get(f"/messages/{message['id'].upper()}") == message
    # What went by another channel, or from another sender, is not this channel's.
    mail = await bird_at.api.later(channel="email", recipient="jordan@example.com", subject="Tomorrow")
    key = (await bird_at.api.sql("select id::text from messages where channel = 'email'"))[0].id
    assert render(Prefix.MESSAGE, UUID(key)) == mail["id"]
    for unknown in (key, str(uuid4()), "none", message["id"].replace("-", "")):
        answer = await bird_at.api.http.get(f"{bird_at.path}/messages/{unknown}")
        refused(answer, 404, "NotFound")
    assert len((await bird_at.get("/messages"))["results"]) == 1


async def test_a_contact_is_found_or_made(bird_at: Workspace) -> None:
    api = bird_at.api
    jordan = await api.guest(phone="+13055551234")
    message = await bird_at.sent(receiver={"contacts": [{"identifierValue": "+13055551234"}]})
    (contact,) = message["receiver"]["contacts"]
    assert contact["identifierKey"] == "phonenumber"
    assert render(Prefix.GUEST, UUID(contact["id"])) == jordan["id"]
    assert (await bird_at.native(message))["guest_id"] == jordan["id"]
    by_id = await bird_at.sent(receiver={"contacts": [{"id": contact["id"]}]})
    assert by_id["receiver"] == message["receiver"]
    # One whom nobody knows is made, once.
    made = [(await bird_at.sent())["receiver"]["contacts"][0]["id"] for _ in range(2)]
    assert made[0] == made[1]
    guest = (await api.http.get(f"/v1/guests/{render(Prefix.GUEST, UUID(made[0]))}")).json()
    assert (guest["first_name"], guest["last_name"], guest["phone"]) == ("Guest", "…5678", GUEST)
    unknown = await bird_at.post(TEXT | {"receiver": {"contacts": [{"id": str(uuid4())}]}})
    assert "expected the id of a guest" in refused(unknown, 422, "InvalidFormat", "receiver.contacts.0")
    await api.sql("update guests set phone = null where id = :id", id=contact["id"])
    numberless = await bird_at.post(TEXT | {"receiver": {"contacts": [{"id": contact["id"]}]}})
    assert "a guest with a number" in refused(numberless, 422, "InvalidFormat", "receiver.contacts.0")


async def _template(api: Api, content: str, locale: str = "en") -> dict[str, Any]:
    body = {"name": "welcome", "locale": locale, "content": content}
    made = await api.http.post("/v1/templates", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def test_a_template_is_named_by_its_project(bird_at: Workspace) -> None:
    api = bird_at.api
    asked: dict[str, Any] = SEED_RECEIVERS[1] | {"template": SEED_TEMPLATE}
    assert "template_projects" in refused(await bird_at.post(asked), 422, "InvalidFormat", "template.projectId")
    await _template(api, "Hello {{ name }}")
    (hotel,) = (await api.http.get("/v1/properties")).json()["data"]
    settings = {**hotel["settings"], "template_projects": {SEED_TEMPLATE["projectId"]: "welcome"}}
    assert (await api.http.patch(f"/v1/properties/{hotel['id']}", json={"settings": settings})).status_code == 200
    answer = await bird_at.post(asked)
    assert answer.status_code == 202, answer.text
    message = answer.json()
    assert message["template"] == SEED_TEMPLATE
    assert "body" not in message
    native = await bird_at.native(message)
    assert native["content"] == "Hello Robert"
    # By the id of one of its versions, and at a version.
    await _template(api, "Welcome, {{ name }}")
    versions = [str(row.id) for row in await api.sql("select id from templates order by version")]
    said = []
    for version in ("latest", *versions):
        answer = await bird_at.post(asked | {"template": {"projectId": versions[1], "version": version,
                                                          "variables": {"name": "Robert"}}})  # fmt: skip
        assert answer.status_code == 202, answer.text
        said.append((await bird_at.native(answer.json()))["content"])
    assert said == ["Welcome, Robert", "Hello Robert", "Welcome, Robert"]
    for wrong, field in (
        ({"version": str(uuid4())}, "template.version"),
        ({"locale": "de", "version": versions[0]}, "template.locale"),
        ({"parameters": []}, "template.parameters.name"),
        ({"projectId": "welcome"}, "template.projectId"),
    ):
        refused(await bird_at.post(asked | {"template": SEED_TEMPLATE | wrong}), 422, "InvalidFormat", field)


async def test_files_on_a_channel_without_mms_are_rejected(bird_at: Workspace) -> None:
    await bird_at.api.sql("update senders set capabilities = '{\"media\": false}' where channel = 'sms'")
    message = await bird_at.sent(body=SEED_BODIES[2])
    assert (message["status"], message["body"]) == ("rejected", SEED_BODIES[2])
    assert message["failure"] == {
        "code": bird.TYPE,
        "description": "Unsupported media type",
        "source": {"code": "media_refused", "name": "bellhop"},
    }
    assert (message["reason"], bool(message["details"])) == ("media_refused", True)
    native = await bird_at.native(message)
    assert (native["status"], native["metadata"]["error"]["code"]) == ("failed", "media_refused")
    timeline = (await bird_at.api.http.get(f"/v1/messaging/{native['id']}/timeline")).json()
    assert [one["what"] for one in timeline["data"]] == ["message.queued", "message.failed"]
    # Nobody sends it after all, without its picture.
    again = await bird_at.api.http.post(f"/v1/messaging/{native['id']}/resend", json={"reason": "try"})
    assert (again.status_code, again.json()["code"]) == (422, "channel_unavailable")
    assert (await bird_at.sent())["status"] == "accepted"


async def test_the_rules_that_it_names_are_the_engines(bird_at: Workspace) -> None:
    def use(case: str) -> dict[str, Any]:
        return {"meta": {"extraInformation": {"useCase": case}}}

    usual = await bird_at.native(await bird_at.sent())
    assert (usual["category"], usual["validity"]) == ("transactional", 129_600)
    assert (usual["ignore_quiet_hours"], usual["ignore_frequency_cap"]) == (False, True)
    code = await bird_at.native(await bird_at.sent(**use("2fa")))
    assert (code["category"], code["validity"]) == ("two_factor", 600)
    said = {"capFrequency": True, "ignoreQuietHours": True, "validity": 3_600}
    offer = await bird_at.native(await bird_at.sent(**use("marketing"), **said))
    assert (offer["category"], offer["validity"]) == ("marketing", 3_600)
    assert (offer["ignore_quiet_hours"], offer["ignore_frequency_cap"]) == (True, False)
    refused(await bird_at.post(TEXT | {"capFrequency": True}), 422, "InvalidFormat", "capFrequency")
    refused(await bird_at.post(TEXT | {"validity": 0}), 422, "InvalidFormat", "validity")


async def test_what_no_field_of_ours_has_is_kept_and_shown(bird_at: Workspace) -> None:
    given = {name: value for name, value in SEED_SHOWN.items() if name != "body"}
    more = {"notification": {"url": "https://h.example/x"}, "enableLinkTracking": True}
    message = await bird_at.sent(**given | more | {"tags": ["Text", "text"]})
    assert {name: message[name] for name in given} == given
    kept = (await bird_at.native(message))["metadata"]["bird"]
    assert kept == given | more
    (row,) = await bird_at.api.sql("select reference, tags from messages where id = :id", id=message["id"])
    assert (row.reference, row.tags) == ("text", ["text"])
    assert await bird_at.get(f"/messages/{message['id']}") == message


async def test_a_scheduled_message_waits_and_is_withdrawn(bird_at: Workspace) -> None:
    at = datetime.now(UTC) + timedelta(days=34)
    message = await bird_at.sent(scheduledFor=at.isoformat())
    assert message["status"] == "scheduled"
    assert datetime.fromisoformat(message["scheduledFor"]) == at
    past = await bird_at.sent(scheduledFor="2024-11-21T09:14:49.469Z")
    assert past["status"] == "accepted"
    far = (datetime.now(UTC) + timedelta(days=36)).isoformat()
    refused(await bird_at.post(TEXT | {"scheduledFor": far}), 422, "InvalidFormat", "scheduledFor")
    refused(await bird_at.post(TEXT | {"scheduledFor": "tomorrow"}), 422, "InvalidFormat", "scheduledFor")
    for _ in range(2):
        gone = await bird_at.api.http.delete(f"{bird_at.path}/messages/{message['id']}")
        assert (gone.status_code, gone.json()["status"]) == (200, "deleted")
    assert (await bird_at.native(message))["status"] == "cancelled"
    await bird_at.api.sql("update messages set stage = 'sent', sent_at = now() where id = :id", id=past["id"])
    late = await bird_at.api.http.delete(f"{bird_at.path}/messages/{past['id']}")
    assert "already sent" in refused(late, 409, "Conflict")


async def test_a_batch_is_looked_at_after_it_was_taken_in(bird_at: Workspace) -> None:
    await _template(bird_at.api, "Hello {{ name }}")
    far = (datetime.now(UTC) + timedelta(days=36)).isoformat()
    jordan = {"receiver": {"contacts": [{"identifierValue": "+13055551234"}]}}
    template = {"receiver": TEXT["receiver"], "template": SEED_TEMPLATE}
    asked = [
        TEXT,
        TEXT | {"scheduledFor": far},
        TEXT | jordan | {"reference": "third"},
        TEXT | {"receiver": {"contacts": [{"identifierValue": "5678"}]}},
        template,
        TEXT | {"receiver": {"contacts": [{"id": str(uuid4())}]}},
        TEXT | {"capFrequency": True},
    ]
    answer = await bird_at.post({"messageRequests": asked}, "/batch/messages")
    assert answer.status_code == 202, answer.text
    assert set(answer.json()) == {"batchId"}
    page = await bird_at.get("/messages", batchId=answer.json()["batchId"], limit=100)
    by_status: dict[str, list[dict[str, Any]]] = {}
    for one in page["results"]:
        by_status.setdefault(one["status"], []).append(one)
    assert {status: len(some) for status, some in by_status.items()} == {"accepted": 2, "rejected": 5}
    assert {one.get("reference") for one in by_status["accepted"]} == {None, "third"}
    assert {one["failure"]["code"] for one in by_status["rejected"]} == {bird.INPUT}
    said = {one["details"].partition(":")[0] for one in by_status["rejected"]}
    assert said == {"scheduledFor", "receiver.contacts.0", "template.projectId", "capFrequency"}
    assert await bird_at.api.rows("guests") == 2
    # Nobody is a contact who is named in one that was refused.
    assert {row.address for row in await bird_at.api.sql("select address from contact_points")} == {
        GUEST, "+13055551234",
    }  # fmt: skip
    many = {"messageRequests": [TEXT] * 101}
    refused(await bird_at.post(many, "/batch/messages"), 422, "InvalidFormat", "messageRequests")
    wrong = {"messageRequests": [TEXT, TEXT | {"colour": "red"}]}
    refused(await bird_at.post(wrong, "/batch/messages"), 400, "BadRequest", "messageRequests.1.colour")
    assert (await bird_at.get("/messages", limit=100))["results"] == page["results"]
