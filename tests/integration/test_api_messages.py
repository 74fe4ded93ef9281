"""Messages through the API: accepted once, answered exactly, refused with a reason, walled off."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import EMAIL, SMS, Api, open_api


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def test_the_object_is_exact(api: Api) -> None:
    answer = await api.send(metadata={"booking": "GSR-1842"})
    assert answer.status_code == 201
    body = answer.json()
    assert list(body) == [
        "id", "property_id", "guest_id", "channel", "status", "recipient", "subject", "content", "scheduled_at",
        "sent_at", "created_at", "metadata", "priority", "category", "valid_until", "validity",
        "ignore_quiet_hours", "ignore_frequency_cap", "segments", "encoding", "template", "options",
        "short_links", "link_tracking", "media", "resend_of", "from", "fallback", "service", "was_downgraded", "chosen",
        "conversation_id", "stay_id", "recipients", "group_id",
    ]  # fmt: skip
    assert re.fullmatch(r"omsg_[0-9a-z]{26}", body["id"])
    assert re.fullmatch(r"pty_[0-9a-z]{26}", body["property_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", body["created_at"])
    assert body["status"] == "queued"
    assert body["guest_id"] is body["subject"] is body["scheduled_at"] is body["sent_at"] is None
    assert body["metadata"] == {"booking": "GSR-1842"}
    assert answer.headers["x-request-id"].startswith("req_")
    again = await api.http.get(f"/v1/messaging/{body['id']}")
    assert again.status_code == 200
    assert again.json() == body


async def test_scheduled_times_are_utc_and_past_ones_mean_now(api: Api) -> None:
    body = await api.later(scheduled_at="2030-01-01T09:00:00+02:00")
    assert body["scheduled_at"] == "2030-01-01T07:00:00.000000Z"
    past = await api.send(scheduled_at="2020-01-01T00:00:00Z")
    assert past.status_code == 201
    due = await api.sql("select due_at <= now() from messages where content is not null order by id desc limit 1")
    assert due[0][0] is True


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"recipient": "13055551234"}, "recipient"),
    ({"recipient": "+1305"}, "recipient"),
    ({"recipient": 13055551234}, "recipient"),
    ({"recipient": "not an address", "channel": "email", "subject": "x"}, "recipient"),
    ({**EMAIL, "subject": None}, "subject"),
    ({**EMAIL, "subject": "  "}, "subject"),
    ({**EMAIL, "subject": "a\r\nBcc: x@example.com"}, "subject"),
    ({"subject": "SMS has none"}, "subject"),
    ({"channel": "fax"}, "channel"),
    ({"channel": None}, "channel"),
    ({"content": ""}, "content"),
    ({"content": " \n"}, "content"),
    ({"content": "x" * 10_001}, "content"),
    ({"content": "nul \0 inside"}, "content"),
    ({"content": "lone \ud83d surrogate"}, "content"),
    ({"content": ["x"]}, "content"),
    ({"scheduled_at": "2030-01-01T09:00:00"}, "scheduled_at"),
    ({"scheduled_at": "2030-02-30T09:00:00Z"}, "scheduled_at"),
    ({"scheduled_at": "2030-01-01"}, "scheduled_at"),
    ({"scheduled_at": 1893456000}, "scheduled_at"),
    ({"scheduled_at": "9999-12-31T23:59:59-23:59"}, "scheduled_at"),
    ({"guest_id": "gst_01m7y9ww09fpfsjyxvxv8v45j6"}, "guest_id"),
    ({"guest_id": "nobody"}, "guest_id"),
    ({"metadata": {"error": "mine"}}, "metadata"),
    ({"metadata": {str(number): number for number in range(51)}}, "metadata"),
    ({"metadata": {"long": "x" * 17_000}}, "metadata"),
    ({"metadata": {"number": 10**30}}, "metadata"),
    ({"metadata": {"number": float("nan")}}, "metadata"),
    ({"metadata": {"number": float("inf")}}, "metadata"),
    ({"metadata": {"nul\0key": 1}}, "metadata"),
    ({"metadata": {"deep": {"lone": "\udc00"}}}, "metadata"),
    ({"metadata": []}, "metadata"),
    ({"surprise": 1}, "surprise"),
]


async def test_bad_fields_are_named_and_leave_nothing(api: Api) -> None:
    for fields, place in BAD_FIELDS:
        # json.dumps writes what httpx2 would refuse to: NaN and lone surrogates.
        raw = json.dumps(SMS | fields)
        answer = await api.http.post("/v1/messaging/send", content=raw, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (fields, answer.text)
        body = answer.json()
        assert body["detail"][0]["loc"][:2] == ["body", place], fields
        assert set(body["detail"][0]) == {"loc", "msg", "type"}
        assert body["detail"][0]["msg"].startswith("expected "), body["detail"]
        assert (body["status_code"], body["code"]) == (422, "invalid")
        assert body["request_id"] == answer.headers["x-request-id"]
    assert [await api.rows(table) for table in ("messages", "events", "idempotency")] == [0, 0, 0]


SAID: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "POST",
        "/v1/messaging/send",
        {**SMS, "channel": "fax"},
        "expected one of sms, email, in_app, whatsapp, push, imessage, inbox",
    ),
    ("POST", "/v1/messaging/send", {**SMS, "content": ""}, "expected at least 1 character"),
    ("POST", "/v1/messaging/send", {**SMS, "content": "x" * 10_001}, "expected at most 10000 characters"),
    ("POST", "/v1/messaging/send", {**SMS, "content": 7}, "expected text"),
    ("POST", "/v1/messaging/send", {**SMS, "guest_id": "x"}, "expected an id: gst_…"),
    ("POST", "/v1/messaging/send", {**SMS, "metadata": []}, "expected an object"),
    ("POST", "/v1/messaging/send", {**SMS, "surprise": 1}, "expected nothing of this name"),
    ("POST", "/v1/messaging/send", {**SMS, "subject": "x"}, "expected no subject: only e-mail has one"),
    ("POST", "/v1/messaging/send", {"channel": "sms", "recipient": "+13055551234"}, "expected some text"),
    ("POST", "/v1/messaging/send", {"channel": "sms", "content": "Hi"}, "expected a value"),
    ("POST", "/v1/messaging/send", {**SMS, "scheduled_at": "soon"}, "expected an RFC 3339 time"),
    ("PATCH", "/v1/guests/gst_01kaj3p0m5e6s7t8v9w0x1y2z3", {"is_active": "yes"}, "expected true or false"),
    ("POST", "/v1/auth/keys", {"name": "desk", "scopes": "*"}, "expected a list"),
    ("POST", "/v1/auth/keys", {"name": "desk", "scopes": []}, "expected at least 1 item"),
    ("GET", "/v1/messaging", {"limit": "x"}, "expected a whole number"),
    ("GET", "/v1/messaging", {"limit": "201"}, "expected 200 or less"),
    ("GET", "/v1/messaging", {"offset": "-1"}, "expected 0 or more"),
    ("GET", "/v1/messaging", {"status": "gone"}, "expected one of queued, sent, delivered, read, failed, cancelled"),
    ("GET", "/v1/webhooks/whe_01kaj3p6zve5jvqzkqdk1w4yb2/deliveries", {"state": "gone"}, "expected one of pending, "),
]


async def test_what_was_expected_is_said_in_words(api: Api) -> None:
    for method, path, fields, words in SAID:
        sent: dict[str, Any] = {"params" if method == "GET" else "json": fields}
        answer = await api.http.request(method, path, **sent)
        assert answer.status_code == 422, (path, answer.text)
        assert answer.json()["detail"][0]["msg"].startswith(words), (fields, answer.text)


UNREADABLE: list[tuple[bytes, str, int]] = [
    (b"{", "application/json", 400),
    (b'{"a": \xff}', "application/json", 400),
    (b"[" * 100_000, "application/json", 422),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json", 422),
    (b'{"channel": "sms", "metadata": ' + b'{"a":' * 40 + b"1" + b"}" * 41, "application/json", 422),
    (b"9" * 100_000, "application/json", 422),
    (b"[1, 2]", "application/json", 422),
    (b"null", "application/json", 422),
    (b"", "application/json", 422),
    (b"channel=sms", "application/x-www-form-urlencoded", 422),
    (b"{}", "text/plain", 422),
]


async def test_unreadable_bodies(api: Api) -> None:
    for raw, kind, status in UNREADABLE:
        answer = await api.http.post("/v1/messaging/send", content=raw, headers={"Content-Type": kind})
        assert answer.status_code == status, (raw[:40], answer.text)
        assert answer.json()["status_code"] == status
    assert await api.rows("messages") == 0


async def test_ten_megabytes_are_refused(api: Api) -> None:
    answer = await api.send(content="x" * 10_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 65_536

    answer = await api.http.post(
        "/v1/messaging/send", content=unannounced(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


async def test_a_channel_without_a_sender(api: Api) -> None:
    await api.sql("delete from senders where channel = 'whatsapp'")
    answer = await api.send(channel="whatsapp")
    assert (answer.status_code, answer.json()["code"]) == (422, "channel_unavailable")
    assert answer.json()["detail"][0]["loc"] == ["body", "channel"]
    assert await api.rows("messages") == 0


async def test_an_idempotency_key_makes_one_message(api: Api) -> None:
    key = {"Idempotency-Key": "welcome-1"}
    first = await api.send(headers=key)
    second = await api.send(headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    other = await api.send(headers=key, content="Something else.")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert await api.rows("messages") == 1
    # Clients put names into their keys: only a keyed hash is kept.
    assert "welcome-1" not in (await api.sql("select i::text from idempotency i"))[0][0]
    assert (await api.send(headers=key | await api.neighbour())).status_code == 422, "another scope, another key"


async def test_twins_at_the_same_moment_make_one_message(api: Api) -> None:
    answers = await asyncio.gather(*(api.send(headers={"Idempotency-Key": '"twin"'}) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await api.rows("messages") == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 9


async def test_a_refused_request_does_not_use_its_key_up(api: Api) -> None:
    key = {"Idempotency-Key": "again"}
    await api.sql("delete from senders where channel = 'whatsapp'")
    assert (await api.send(headers=key, channel="whatsapp")).status_code == 422
    assert (await api.send(headers=key)).status_code == 201


async def test_keys_are_forgotten_after_48_hours(api: Api) -> None:
    key = {"Idempotency-Key": "old"}
    first = await api.send(headers=key)
    await api.sql("update idempotency set created_at = now() - interval '49 hours'")
    second = await api.send(headers=key, content="Another text.")
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside", "\x7f"])
async def test_bad_idempotency_keys(api: Api, key: str) -> None:
    answer = await api.send(headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "idempotency-key"]


async def test_lists_filter_and_page(api: Api) -> None:
    guest = await api.guest()
    mine = [await api.later(guest_id=guest["id"]) for _ in range(3)]
    await api.later()
    whole = (await api.http.get("/v1/messaging")).json()
    assert (whole["total"], whole["limit"], whole["offset"], whole["has_more"]) == (4, 50, 0, False)
    page = (await api.http.get("/v1/messaging", params={"guest_id": guest["id"], "limit": 2})).json()
    assert [row["id"] for row in page["data"]] == [mine[2]["id"], mine[1]["id"]]
    assert (page["total"], page["has_more"]) == (3, True)
    for query, count in ({"channel": "email"}, 0), ({"status": "queued"}, 4), ({"status": "failed"}, 0):
        assert (await api.http.get("/v1/messaging", params=query)).json()["total"] == count
    wrong: list[dict[str, Any]] = [
        *({"limit": 201}, {"limit": 0}, {"offset": -1}, {"channel": "fax"}, {"chanel": "sms"}, {"guest_id": "x"}),
    ]
    for query in wrong:
        assert (await api.http.get("/v1/messaging", params=query)).status_code == 422, query


async def test_cancel_and_reschedule(api: Api) -> None:
    body = await api.later()
    path = f"/v1/messaging/{body['id']}"
    moved = await api.http.patch(path, json={"scheduled_at": "2030-05-01T00:00:00Z"})
    assert (moved.status_code, moved.json()["scheduled_at"]) == (200, "2030-05-01T00:00:00.000000Z")
    assert (await api.http.patch(path, json={})).status_code == 422
    for _ in range(2):
        gone = await api.http.post(f"{path}/cancel")
        assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    late = await api.http.patch(path, json={"scheduled_at": "2030-06-01T00:00:00Z"})
    assert (late.status_code, late.json()["code"]) == (409, "message_not_pending")
    rule = "only a message that still waits can be cancelled or moved."
    assert late.json()["detail"] == f"It is already cancelled; {rule}"
    timeline = (await api.http.get(f"{path}/timeline")).json()
    assert [entry["what"] for entry in timeline["data"]][:1] == ["message.queued"]
    assert "message.cancelled" in [entry["what"] for entry in timeline["data"]]


async def test_what_no_longer_waits_says_where_it_stands(api: Api) -> None:
    body = await api.later()
    for stage, words in ("delivered", "delivered"), ("undelivered", "failed"), ("gave_up", "failed"):
        await api.sql("update messages set stage = :stage", stage=stage)
        late = await api.http.post(f"/v1/messaging/{body['id']}/cancel")
        assert (late.status_code, late.json()["code"]) == (409, "message_not_pending")
        assert late.json()["detail"].startswith(f"It is already {words}; "), late.text
    await api.sql("update messages set stage = 'queued'")
    await api.sql(
        "insert into attempts (id, scope_id, message_id, part, account_id, provider, lease_until, sender)"
        " select uuidv7(), m.scope_id, m.id, 0, a.id, a.provider, now(), 'x' from messages m"
        " join provider_accounts a on a.scope_id = m.scope_id and a.provider = m.provider"
    )
    late = await api.http.post(f"/v1/messaging/{body['id']}/cancel")
    assert late.json()["detail"].startswith("It is already on its way to a provider; "), late.text


async def test_the_wall_between_properties_and_environments(api: Api) -> None:
    guest, body = await api.guest(), await api.later()
    for headers in await api.neighbour(), await api.mint(scope=api.live):
        for method, path in [
            ("GET", f"/v1/messaging/{body['id']}"),
            ("GET", f"/v1/messaging/{body['id']}/timeline"),
            ("GET", f"/v1/messaging/{body['id']}/links"),
            ("POST", f"/v1/messaging/{body['id']}/cancel"),
            ("GET", f"/v1/guests/{guest['id']}"),
            ("DELETE", f"/v1/guests/{guest['id']}"),
        ]:
            answer = await api.http.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        patched = await api.http.patch(f"/v1/messaging/{body['id']}", headers=headers, json={"scheduled_at": None})
        assert patched.status_code == 404
        assert (await api.http.get("/v1/messaging", headers=headers)).json()["total"] == 0
        assert (await api.http.get("/v1/guests", headers=headers)).json()["total"] == 0
        assert (await api.send(headers=headers, guest_id=guest["id"])).status_code == 422
    assert (await api.http.get(f"/v1/messaging/{body['id']}")).json()["status"] == "queued"


async def test_an_immediate_send_waits_for_its_provider(settings: Settings, engine: AsyncEngine) -> None:
    async with open_api(settings, engine, accept_wait=5) as api:

        async def provider() -> None:
            done: list[Any] = []
            while not done:
                done = await api.sql("update messages set stage = 'sent', sent_at = now() returning id")

        answer, _ = await asyncio.gather(api.send(), provider())
        assert answer.json()["status"] == "sent"
        assert answer.json()["sent_at"] is not None
        asked = await api.send(headers={"Prefer": "respond-async"})
        assert (asked.json()["status"], asked.headers["preference-applied"]) == ("queued", "respond-async")


async def test_a_backlog_is_answered_queued_at_once(settings: Settings, engine: AsyncEngine) -> None:
    async with open_api(settings, engine, accept_wait=0.2) as api:
        for _ in range(3):
            await api.send()
        # From here on a wait would be seen, however slow the machine is.
        api.app.state.services.settings.bellhop.accept_wait = 30.0
        async with asyncio.timeout(10):
            assert (await api.send()).json()["status"] == "queued"
