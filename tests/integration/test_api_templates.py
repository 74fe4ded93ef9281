"""Templates through the API: written, used, archived, and what a message says that names one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import Api, open_api

READY = {"name": "suite-ready", "locale": "en", "content": "Hi {{ first_name }}, your {{ room }} is ready."}
SMS = {"channel": "sms", "recipient": "+13055551234"}
JORDAN = {"first_name": "Jordan", "room": "suite"}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def written(api: Api, **fields: Any) -> dict[str, Any]:
    answer = await api.http.post("/v1/templates", json=READY | fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def send(api: Api, expected: int = 201, **fields: Any) -> Any:
    answer = await api.http.post("/v1/messaging/send", json=SMS | fields, headers={"Prefer": "respond-async"})
    assert answer.status_code == expected, answer.text
    return answer.json() if expected == 201 else answer.json()["detail"]


def use(**parameters: Any) -> dict[str, Any]:
    return {"name": "suite-ready", "parameters": parameters}


async def test_a_template_has_versions_and_the_newest_is_used(api: Api) -> None:
    first = await written(api)
    assert (first["version"], first["parameters"], first["archived_at"]) == (1, ["first_name", "room"], None)
    second = await written(api, content="{{ first_name }}: your {{ room }} awaits.")
    assert second["version"] == 2
    assert (await api.http.get("/v1/templates")).json()["data"] == [second]
    every = (await api.http.get("/v1/templates?versions=all&name=suite-ready&locale=en")).json()
    assert every["data"] == [second, first] and every["total"] == 2
    assert (await api.http.get(f"/v1/templates/{first['id']}")).json() == first
    sent = await send(api, template=use(**JORDAN))
    assert sent["content"] == "Jordan: your suite awaits."
    assert sent["template"] == {name: second[name] for name in ("id", "name", "locale", "version")}
    gone = await api.http.post(f"/v1/templates/{second['id']}/archive")
    assert gone.json()["archived_at"] is not None
    assert (await api.http.post(f"/v1/templates/{second['id']}/archive")).json() == gone.json()
    assert (await send(api, template=use(**JORDAN)))["content"] == "Hi Jordan, your suite is ready."
    # What was accepted keeps the text it had.
    assert (await api.http.get(f"/v1/messaging/{sent['id']}")).json()["content"] == "Jordan: your suite awaits."
    assert (await send(api, content="By hand"))["template"] is None


async def test_a_preview_says_what_a_message_would(api: Api) -> None:
    path = f"/v1/templates/{(await written(api))['id']}/preview"
    made = (await api.http.post(path, json={"parameters": JORDAN})).json()
    assert made == {"content": "Hi Jordan, your suite is ready.", "content_type": "text/plain", "subject": None}
    refused = await api.http.post(path, json={"parameters": {"first_name": "Jordan"}})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "parameters", "room"]
    assert await api.rows("messages") == 0


@pytest.mark.parametrize(("fields", "loc"), [
    ({"template": use(first_name="Jordan")}, ["body", "template", "parameters", "room"]),
    ({"template": use(**JORDAN, code="4471")}, ["body", "template", "parameters", "code"]),
    ({"template": use(first_name="", room="suite")}, ["body", "template", "parameters", "first_name"]),
    ({"template": {**use(**JORDAN), "name": "another"}}, ["body", "template", "name"]),
    ({"template": {**use(**JORDAN), "locale": "ja"}}, ["body", "template", "locale"]),
    ({"template": use(**JORDAN), "content": "text"}, ["body", "content"]),
    ({}, ["body", "content"]),
    ({"content": None}, ["body", "content"]),
    ({"template": use(**JORDAN), "content_type": "text/plain"}, ["body", "content_type"]),
    ({"template": use(**JORDAN), "channel": "email", "recipient": "j@example.com"}, ["body", "subject"]),
])  # fmt: skip
async def test_what_a_message_cannot_say_is_refused_and_nothing_is_kept(
    api: Api, fields: dict[str, Any], loc: list[str]
) -> None:
    await written(api)
    assert (await send(api, 422, **fields))[0]["loc"] == loc
    assert await api.rows("messages") == 0


async def test_the_locale_is_the_guests_else_the_propertys(api: Api) -> None:
    for locale in ("en", "fr", "pt-BR"):
        await written(api, locale=locale, content=f"[{locale}] {{{{ first_name }}}} {{{{ room }}}}")
    guests = {}
    for tag in ("fr-CA", "pt", "ja"):
        made = await api.http.post("/v1/guests", json={"first_name": "J", "last_name": tag, "language": tag})
        guests[tag] = made.json()["id"]

    async def locale_of(**fields: Any) -> str:
        return str((await send(api, template=use(**JORDAN), **fields))["template"]["locale"])

    assert await locale_of(guest_id=guests["fr-CA"]) == "fr"
    assert await locale_of(guest_id=guests["pt"]) == "pt-BR"
    assert (await send(api, 422, guest_id=guests["ja"], template=use(**JORDAN)))[0]["loc"][-1] == "locale"
    property_id = (await api.http.get("/v1/properties")).json()["data"][0]["id"]
    changed = await api.http.patch(f"/v1/properties/{property_id}", json={"settings": {"language": "EN-us"}})
    assert changed.json()["settings"]["language"] == "en-US"
    assert await locale_of(guest_id=guests["ja"]) == "en"
    assert await locale_of() == "en"
    assert (await send(api, template={**use(**JORDAN), "locale": "fr"}))["template"]["locale"] == "fr"
    wrong = await api.http.patch(f"/v1/properties/{property_id}", json={"settings": {"language": 7}})
    assert wrong.status_code == 422


async def test_mails_take_the_templates_subject_unless_they_bring_one(api: Api) -> None:
    html = {"content": "<p>Hi {{ name }}</p>", "content_type": "text/html", "subject": "For {{ name }}"}
    await written(api, name="welcome", **html)
    template = {"name": "welcome", "parameters": {"name": "<J>"}}
    mail = {"channel": "email", "recipient": "j@example.com", "template": template}
    sent = await send(api, **mail)
    assert (sent["subject"], sent["content"]) == ("For <J>", "<p>Hi &lt;J&gt;</p>")
    assert (await send(api, **mail, subject="Mine"))["subject"] == "Mine"
    refused = await send(api, 422, template=template)
    assert "shows no HTML" in refused[0]["msg"]


@pytest.mark.parametrize(("fields", "loc"), [
    ({"content": "Hi {{ name"}, "content"),
    ({"content": "Hi {% include 'x' %}"}, "content"),
    ({"subject": "{{"}, "subject"),
    ({"name": "Suite Ready"}, "name"),
    ({"locale": "english"}, "locale"),
    ({"content": " \u200b"}, "content"),
    ({"colour": "red"}, "colour"),
])  # fmt: skip
async def test_what_is_no_template_is_refused(api: Api, fields: dict[str, Any], loc: str) -> None:
    answer = await api.http.post("/v1/templates", json=READY | fields)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", loc]


async def test_one_scope_sees_nothing_of_anothers(api: Api) -> None:
    made = await written(api)
    await api.sql("update templates set scope_id = (select id from scopes where environment = 'live' limit 1)")
    for answer in (
        await api.http.get(f"/v1/templates/{made['id']}"),
        await api.http.post(f"/v1/templates/{made['id']}/archive"),
        await api.http.post(f"/v1/templates/{made['id']}/preview", json={"parameters": {}}),
    ):
        assert answer.status_code == 404
    assert (await api.http.get("/v1/templates")).json()["data"] == []
    assert (await send(api, 422, template=use(**JORDAN)))[0]["loc"] == ["body", "template", "name"]


async def test_the_repeat_of_a_send_is_the_first_one_whatever_has_been_written_since(api: Api) -> None:
    await written(api)
    body, key = SMS | {"template": use(**JORDAN)}, {"Idempotency-Key": "one", "Prefer": "respond-async"}
    first = (await api.http.post("/v1/messaging/send", json=body, headers=key)).json()
    await written(api, content="{{ first_name }} {{ room }}")
    again = await api.http.post("/v1/messaging/send", json=body, headers=key)
    assert (again.status_code, again.json()["content"]) == (201, first["content"])
