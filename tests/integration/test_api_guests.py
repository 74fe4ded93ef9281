"""Guests through the API: matched, searched, changed, and erased so that nothing of them is left."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from bellhop.store.tables import metadata
from tests.integration.conftest_api import EMAIL, JORDAN, Api, open_api


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def test_the_object_is_exact(api: Api) -> None:
    body = await api.guest(preferences={"room_type": "suite"})
    assert list(body) == [
        "id", "property_id", "first_name", "last_name", "email", "phone", "language", "timezone", "preferences",
        "metadata", "external_id", "is_active", "is_provisional", "first_seen_at", "last_seen_at", "created_at",
            "updated_at",
    ]  # fmt: skip
    assert re.fullmatch(r"gst_[0-9a-z]{26}", body["id"])
    assert (body["language"], body["metadata"], body["external_id"], body["is_active"]) == ("en", {}, None, True)
    assert (await api.http.get(f"/v1/guests/{body['id']}")).json() == body


async def test_a_known_email_updates_keeps_and_reactivates(api: Api) -> None:
    first = await api.guest(language="pt-br", preferences={"floor": 3})
    assert first["language"] == "pt-BR"
    await api.http.patch(f"/v1/guests/{first['id']}", json={"is_active": False})
    again = await api.http.post(
        "/v1/guests", json={"first_name": "Jo", "last_name": "Mitchell", "email": "JORDAN.Mitchell@EXAMPLE.com"}
    )
    assert again.status_code == 200
    body = again.json()
    assert (body["id"], body["first_name"], body["is_active"]) == (first["id"], "Jo", True)
    assert (body["phone"], body["language"], body["preferences"]) == ("+13055551234", "pt-BR", {"floor": 3})
    assert body["last_seen_at"] > first["last_seen_at"]


async def test_external_ids_match_too_and_must_agree(api: Api) -> None:
    first = await api.guest(external_id="PMS-1")
    moved = await api.http.post("/v1/guests", json={**JORDAN, "email": "new@example.com", "external_id": "PMS-1"})
    assert (moved.status_code, moved.json()["id"], moved.json()["email"]) == (200, first["id"], "new@example.com")
    second = await api.guest(email="other@example.com")
    assert second["id"] != first["id"]
    clash = await api.http.post("/v1/guests", json={**JORDAN, "email": "other@example.com", "external_id": "PMS-1"})
    assert (clash.status_code, clash.json()["code"]) == (409, "guest_conflict")


async def test_without_an_email_every_create_is_a_new_guest(api: Api) -> None:
    nameless = {"first_name": "Ana", "last_name": "Silva"}
    answers = [await api.http.post("/v1/guests", json=nameless) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert await api.rows("guests") == 2
    key = {"Idempotency-Key": "ana"}
    answers = [await api.http.post("/v1/guests", json=nameless, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert await api.rows("guests") == 3


async def test_creates_of_one_email_at_the_same_moment_make_one_guest(api: Api) -> None:
    answers = await asyncio.gather(*(api.http.post("/v1/guests", json=JORDAN) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert await api.rows("guests") == 1
    assert await api.sql("select type from events") == [("guest.created",)]


SEARCHES = ["jose", "JOSÉ", "mull", "Müller", "jose  mul", "lsen jose", "é m", "jm@exam", "Example.com", "lsen"]


async def test_search_finds_any_part(api: Api) -> None:
    await api.guest(first_name="José", last_name="Müller-Ølsen", email="jm@example.com")
    await api.guest(first_name="100%", last_name="A_B\\C", email="percent@elsewhere.org")
    for search in SEARCHES:
        found = (await api.http.get("/v1/guests", params={"search": search})).json()
        assert [row["email"] for row in found["data"]] == ["jm@example.com"], search


async def test_search_takes_signs_literally(api: Api) -> None:
    await api.guest(first_name="100%", last_name="A_B\\C", email="percent@elsewhere.org")
    await api.guest(first_name="Plain", last_name="Name", email="plain@elsewhere.org")
    for search, count in ("%", 1), ("_", 1), ("\\", 1), ("a_b\\c", 1), ("axb", 0), ("elsewhere", 2), (" ", 2):
        assert (await api.http.get("/v1/guests", params={"search": search})).json()["total"] == count, search
    assert (await api.http.get("/v1/guests", params={"search": "\0"})).status_code == 422


async def test_patch_tells_absent_null_and_empty_apart(api: Api) -> None:
    guest = await api.guest(preferences={"a": 1, "b": 2}, metadata={"m": 1})
    path = f"/v1/guests/{guest['id']}"
    assert (await api.http.patch(path, json={})).json() == guest
    cleared = (await api.http.patch(path, json={"email": None, "preferences": {"c": 3}})).json()
    assert (cleared["email"], cleared["phone"], cleared["preferences"]) == (None, guest["phone"], {"c": 3})
    assert (await api.http.patch(path, json={"preferences": {}})).json()["preferences"] == {}
    for wrong in (
        {"email": ""}, {"first_name": ""}, {"first_name": None}, {"preferences": None}, {"language": None},
        {"is_active": "yes"}, {"is_active": None}, {"external_id": "x"}, {"language": "english please"},
    ):  # fmt: skip
        answer = await api.http.patch(path, json=wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["detail"][0]["loc"] == ["body", next(iter(wrong))]
    other = await api.guest(email="other@example.com")
    clash = await api.http.patch(f"/v1/guests/{other['id']}", json={"email": "other@example.com"})
    assert clash.status_code == 200
    await api.guest(email="third@example.com")
    clash = await api.http.patch(f"/v1/guests/{other['id']}", json={"email": "THIRD@example.com"})
    assert (clash.status_code, clash.json()["code"]) == (409, "guest_conflict")


async def test_updates_are_reported_and_being_seen_is_not(api: Api) -> None:
    guest = await api.guest()
    again = await api.guest()
    assert again["last_seen_at"] > guest["last_seen_at"]
    assert again["updated_at"] == guest["updated_at"]
    await api.later(guest_id=guest["id"])
    assert (await api.http.get(f"/v1/guests/{guest['id']}")).json() == again, "nothing has gone out yet"
    await api.http.patch(f"/v1/guests/{guest['id']}", json={"first_name": "Jo"})
    reported = await api.sql("select type, facts from events where subject = 'guest' order by id")
    assert reported == [("guest.created", {}), ("guest.updated", {"changed": ["first_name"]})]


async def _everything(api: Api) -> str:
    """Every row of every table, as text."""
    # Not str(rows): a row's repr shortens long values.
    found = [await api.sql(f"select t::text from {table} t") for table in metadata.tables]
    return "\n".join(row[0] for rows in found for row in rows)


async def test_erased_is_erased(api: Api) -> None:
    """I7: linked messages, those to an address no other guest has, texts, payloads and contact points go."""
    await api.http.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/hook"})
    guest = await api.guest(external_id="PMS-88213", preferences={"diet": "rare-diet"})
    partner = await api.guest(first_name="Alex", email="alex@example.com", phone="+13055550000")
    await api.http.patch(f"/v1/guests/{partner['id']}", json={"phone": "+13055551234"})
    waiting = await api.later(guest_id=guest["id"], content="rare-text", metadata={"k": "rare-meta"})
    stray = (await api.http.post("/v1/messaging/send", json={**EMAIL, "content": "rare-stray"})).json()
    family = await api.later(content="to the family phone")
    done = (await api.http.post("/v1/messaging/send", json={**EMAIL, "guest_id": guest["id"]})).json()
    account = "(select id from provider_accounts where provider = 'twilio')"
    await api.sql(
        "update messages set stage = 'sent', sent_at = now(), reference = 'rare-reference' where subject is not null"
    )
    await api.sql(
        f"""insert into attempts (scope_id, message_id, part, account_id, provider, state, stage, lease_until, sender,
            body, error_text) select scope_id, id, 0, {account}, 'twilio', 'accepted', 'sent', now(), 'x', content,
            'rare-error' from messages where stage = 'sent'"""
    )
    await api.sql(
        f"""insert into receipts (account_id, provider, dedupe_key, message_id, word, payload)
            select {account}, 'twilio', id::text, id, 'sent', '{{"To": "rare-payload"}}' from messages"""
    )
    await api.sql(
        f"""insert into receipts (account_id, provider, dedupe_key, word, payload) values
            ({account}, 'twilio', 'stray', 'sent', '{{"to": "Jordan.Mitchell@example.com"}}')"""
    )
    assert "rare-" in await _everything(api)

    answer = await api.http.delete(f"/v1/guests/{guest['id']}")
    assert (answer.status_code, answer.content) == (204, b"")

    left = await _everything(api)
    for trace in "Jordan", "jordan.mitchell", "rare-text", "rare-meta", "rare-stray", "rare-reference", "rare-error":
        assert trace not in left, trace
    assert "PMS-88213" not in left
    assert "rare-diet" not in left
    assert left.count("rare-payload") == 1, "of the family's message"
    # The phone is the partner's too: what went there without naming the guest is not the guest's to erase.
    assert "to the family phone" in left
    for body in waiting, stray, done:
        assert (await api.http.get(f"/v1/messaging/{body['id']}")).status_code == 404
    assert (await api.http.get(f"/v1/messaging/{family['id']}")).status_code == 200
    assert (await api.http.get(f"/v1/guests/{guest['id']}")).status_code == 404
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 404
    tombs = await api.sql(
        "select stage, decision, guest_id, guest_ref, wake_due_at is not null from messages"
        " where erased_at is not null order by id"
    )
    assert tombs == [("cancelled", "cancelled", None, None, True)] + [("sent", "queued", None, None, True)] * 2
    assert {row[0] for row in await api.sql("select workflow_id from history_erasures")} == {
        waiting["id"], stray["id"], done["id"],
    }  # fmt: skip
    written = await api.sql("select type from events e join deliveries d on d.event_id = e.id order by e.id")
    assert [row[0] for row in written][-2:] == ["message.cancelled", "guest.deleted"]


async def test_a_message_that_was_erased_is_not_made_again_by_its_key(api: Api) -> None:
    guest = await api.guest()
    fields: dict[str, Any] = {"guest_id": guest["id"], "scheduled_at": "2030-01-01T00:00:00Z"}
    key = {"Idempotency-Key": "jordan.mitchell welcome"}
    assert (await api.send(headers=key, **fields)).status_code == 201
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    again = await api.send(headers=key, **fields)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_subject_gone")
    assert "jordan" not in await _everything(api)


async def test_a_send_to_a_guest_being_erased_is_refused_or_erased(api: Api) -> None:
    for _ in range(5):
        guest = await api.guest()
        sends = [api.send(guest_id=guest["id"]) for _ in range(4)]
        gone, *answers = await asyncio.gather(api.http.delete(f"/v1/guests/{guest['id']}"), *sends)
        assert gone.status_code == 204
        assert {answer.status_code for answer in answers} <= {201, 422}
        assert await api.sql("select 1 from messages where erased_at is null") == []
