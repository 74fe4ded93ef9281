"""Sendblue's dialect over the API alone: its keys, its errors, its fields, and rows like any other's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import Prefix, render
from bellhop.domain.webhook_ports import Visit
from bellhop.settings import Settings
from bellhop.store.webhooks.deliveries import claim

from .conftest_api import Api, open_api

GUEST = "+13055551234"
OF_RESPONSE = {
    "account_email", "content", "date_created", "date_updated", "error_code", "error_message", "from_number",
    "is_outbound", "media_url", "message_handle", "number", "send_style", "status",
}  # fmt: skip
"""Seed 003, MessageResponse."""
OF_ITEM = {
    "accountEmail", "content", "date_sent", "date_updated", "error_code", "error_detail", "error_message",
    "error_reason", "from_number", "group_display_name", "group_id", "is_outbound", "media_url", "message_handle",
    "message_type", "number", "opted_out", "participants", "plan", "send_style", "sendblue_number", "service",
    "status", "to_number", "was_downgraded",
}  # fmt: skip
"""Seed 003, MessageListResponse."""


def pair(raw: str) -> dict[str, str]:
    """A key of Bellhop's in Sendblue's headers."""
    return {"sb-api-key-id": f"key_{raw.split('_')[2]}", "sb-api-secret-key": raw}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as api:
        api.http.headers |= pair(api.key)
        yield api


async def say(api: Api, headers: dict[str, str] | None = None, **fields: Any) -> httpx2.Response:
    return await api.http.post("/api/send-message", json={"number": GUEST, "content": "Hi"} | fields, headers=headers)


async def listed(api: Api, **query: Any) -> dict[str, Any]:
    answer = await api.http.get("/api/v2/messages", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(answer: httpx2.Response, status: int, number: int) -> str:
    """The sentence of an error in Sendblue's form."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["status"], body["error_code"]) == ("ERROR", number)
    assert body["message"] == body["error_message"]
    return str(body["message"])


async def test_what_it_sends_is_a_message_like_any_other(api: Api) -> None:
    answer = await say(api, send_style="fireworks")
    assert answer.status_code == 200, answer.text
    assert "ratelimit" in answer.headers
    sent = answer.json()
    assert set(sent) == OF_RESPONSE
    line = (await api.http.get("/v1/senders")).json()["data"]
    (own,) = [one["address"] for one in line if one["channel"] == "imessage"]
    assert (sent["status"], sent["number"], sent["from_number"], sent["is_outbound"]) == ("QUEUED", GUEST, own, True)
    assert (sent["send_style"], sent["error_code"], sent["media_url"]) == ("fireworks", None, None)
    native = (await api.http.get(f"/v1/messaging/{render(Prefix.MESSAGE, UUID(sent['message_handle']))}")).json()
    assert (native["channel"], native["recipient"], native["content"]) == ("imessage", GUEST, "Hi")
    assert (native["from"], native["options"], native["chosen"]) == (own, {"send_style": "fireworks"}, None)


async def test_what_others_send_is_seen_through_it(api: Api) -> None:
    native = await api.later(channel="imessage")
    await api.send(channel="email", recipient="jordan@example.com", subject="S")
    page = await listed(api)
    assert page["status"] == "OK"
    assert page["pagination"] == {"hasMore": False, "limit": 1, "offset": 0, "total": 1}
    (item,) = page["data"]
    assert set(item) == OF_ITEM
    assert (item["content"], item["to_number"], item["number"]) == (native["content"], GUEST, GUEST)
    assert (item["status"], item["service"], item["was_downgraded"]) == ("QUEUED", "iMessage", False)
    assert (item["opted_out"], item["message_type"], item["participants"]) == (False, "message", [])
    alone = await api.http.get(f"/api/v2/messages/{item['message_handle'].upper()}")
    assert alone.json() == {"status": "OK", "data": item}
    short = (await api.http.get("/api/status", params={"handle": item["message_handle"]})).json()
    assert set(short) == OF_RESPONSE
    assert {name: short[name] for name in OF_RESPONSE & OF_ITEM} == {name: item[name] for name in OF_RESPONSE & OF_ITEM}


async def test_the_key_is_a_pair(api: Api) -> None:
    other = (await api.neighbour())["Authorization"].removeprefix("Bearer ")
    for headers in (
        {"sb-api-secret-key": ""},
        {"sb-api-key-id": ""},
        {"sb-api-secret-key": other},
        {"sb-api-key-id": "key_1"},
        {"sb-api-secret-key": api.key[:-1] + "x"},
    ):
        refused(await say(api, headers), 401, 401)
    reader = (await api.mint("messaging:read"))["Authorization"].removeprefix("Bearer ")
    assert "messaging:write" in refused(await say(api, pair(reader)), 403, 403)
    slow = (await api.mint(rate_limit=1))["Authorization"].removeprefix("Bearer ")
    assert (await say(api, pair(slow))).status_code == 200
    limited = await say(api, pair(slow))
    refused(limited, 429, 4001)
    assert limited.headers["retry-after"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"number": "5551234"}, "number: expected a phone number in E.164 form"),
    ({"content": None}, "expected content or media_url"),
    ({"content": "", "media_url": ""}, "expected content or media_url"),
    ({"content": "x" * 18_997}, "content: expected at most 18996 characters"),
    ({"send_style": "sparkles"}, "send_style: expected one of celebration"),
    ({"from_number": "+13055550000"}, "from_number: expected one of the property's lines"),
    ({"media_url": "ftp://example.com/a.png"}, "media_url: expected a URL"),
    ({"app_card": {}}, "app_card: expected nothing of this name"),
    ({"content": "a\0b"}, "content: expected text without NUL"),
]


async def test_what_is_wrong_with_a_send_is_said_of_its_field(api: Api) -> None:
    for fields, said in WRONG:
        assert said in refused(await say(api, **fields), 400, 4000)
    assert await api.rows("messages") == 0


async def test_what_is_empty_counts_as_left_out(api: Api) -> None:
    sent = await say(api, media_url="", send_style="", from_number="", seat_id="", status_callback="")
    assert sent.status_code == 200, sent.text
    more = {"seat_id": "s-1", "reply_to": {"message_handle": sent.json()["message_handle"], "part_index": 0}}
    assert (await say(api, **more)).status_code == 200
    kept = [one["metadata"] for one in (await api.http.get("/v1/messaging")).json()["data"]]
    assert kept == [{"sendblue": more}, {}]


async def test_a_file_is_behind_its_url(api: Api) -> None:
    url = "https://www.grandsunset.example/lobby.jpg"
    sent = (await say(api, content=None, media_url=url)).json()
    assert (sent["content"], sent["media_url"]) == ("", url)
    item = (await api.http.get(f"/api/v2/messages/{sent['message_handle']}")).json()["data"]
    assert (item["content"], item["media_url"]) == ("", url)
    again = (await say(api, RETRY, content=None, media_url=url)).json()
    assert again["message_handle"] == sent["message_handle"]


async def test_errors_have_its_form_and_numbers(api: Api) -> None:
    unknown = "01a6c5a0-0000-7000-8000-000000000000"
    for path in (f"/api/v2/messages/{unknown}", "/api/v2/messages/nothing", f"/api/status?handle={unknown}", "/api/no"):
        refused(await api.http.get(path), 404, 404)
    refused(await api.http.get("/api/send-message"), 405, 4000)
    patched = await api.http.patch("/api/account/webhooks")
    refused(patched, 405, 4000)
    assert patched.headers["allow"] == "DELETE, GET, HEAD, POST, PUT"
    refused(await api.http.get("/api/v2/messages?limit=101"), 400, 4000)
    refused(await api.http.get("/api/v2/messages?offset=10001"), 400, 4000)
    refused(await api.http.get("/api/v2/messages?worker_id=1"), 400, 4000)
    mail = await api.send(channel="email", recipient="jordan@example.com", subject="S")
    (row,) = await api.sql("select id from messages")
    assert mail.status_code == 201
    refused(await api.http.get(f"/api/v2/messages/{row.id}"), 404, 404)


async def test_several_lines_have_to_be_named(api: Api) -> None:
    second = "+13055550009"
    made = await api.http.post("/v1/senders", json={"channel": "imessage", "address": second})
    assert made.status_code == 201, made.text
    assert "from_number: expected one of the property's 2 lines" in refused(await say(api), 400, 4000)
    assert (await say(api, from_number=second)).json()["from_number"] == second
    texts = [one for one in (await api.http.get("/v1/senders")).json()["data"] if one["channel"] == "sms"]
    by_sms = (await say(api, from_number=texts[0]["address"])).json()["message_handle"]
    item = (await api.http.get(f"/api/v2/messages/{by_sms}")).json()["data"]
    assert (item["service"], item["was_downgraded"]) == ("SMS", False)


async def test_without_a_line_of_its_own_it_goes_as_sms(api: Api) -> None:
    await api.sql("delete from senders where channel = 'imessage'")
    sent = (await say(api, send_style="slam")).json()
    item = (await api.http.get(f"/api/v2/messages/{sent['message_handle']}")).json()["data"]
    assert (item["service"], item["was_downgraded"], item["send_style"]) == ("SMS", True, None)
    (native,) = (await api.http.get("/v1/messaging")).json()["data"]
    assert (native["channel"], native["chosen"]["because"]["code"]) == ("sms", "best_sender")
    assert native["chosen"]["not"] == [
        {
            "channel": "imessage",
            "code": "no_sender",
            "reason": "The property has no sender there that can carry the message.",
        }
    ]
    await api.sql("delete from senders where channel = 'sms'")
    assert "it has none for imessage" in refused(await say(api), 400, 4000)


RETRY = {"x-stainless-retry-count": "1"}


async def test_a_blind_repetition_makes_no_second_message(api: Api) -> None:
    first = (await say(api)).json()["message_handle"]
    for count in ("1", "2"):
        again = await say(api, {"x-stainless-retry-count": count})
        assert (again.status_code, again.json()["message_handle"]) == (200, first)
    others = [await say(api, RETRY, content="Ho"), await say(api, RETRY, number="+13055551235")]
    another = pair((await api.mint())["Authorization"].removeprefix("Bearer "))
    others += [await say(api, RETRY | another), await say(api, {"x-stainless-retry-count": "0"})]
    handles = {first, *(answer.json()["message_handle"] for answer in others)}
    assert len(handles) == 5 == await api.rows("messages")


async def test_what_is_not_marked_is_meant(api: Api) -> None:
    handles = {(await say(api)).json()["message_handle"] for _ in range(3)}
    assert len(handles) == 3
    assert (await say(api, RETRY)).json()["message_handle"] in handles


async def test_after_a_minute_it_is_another_message(api: Api) -> None:
    first = (await say(api)).json()["message_handle"]
    await api.sql("update idempotency set created_at = created_at - interval '61 seconds'")
    assert (await say(api, RETRY)).json()["message_handle"] != first


async def test_racing_repetitions_make_one(api: Api) -> None:
    answers = await asyncio.gather(say(api), say(api, RETRY), say(api, RETRY | {"x-stainless-retry-count": "2"}))
    assert len({answer.json()["message_handle"] for answer in answers}) == 1 == await api.rows("messages")


async def test_a_first_request_that_its_repetition_overtook_makes_none(api: Api) -> None:
    made = (await say(api, RETRY)).json()["message_handle"]
    assert (await say(api)).json()["message_handle"] == made, "the first, late"
    assert (await say(api)).json()["message_handle"] != made, "another one, meant"


async def test_lists_are_filtered_ordered_and_paged(api: Api) -> None:
    handles = [(await say(api, content=f"{place}")).json()["message_handle"] for place in range(4)]
    other = (await say(api, number="+13055551235")).json()["message_handle"]
    one = (await api.http.get(f"/api/v2/messages/{handles[0]}")).json()["data"]
    line = one["sendblue_number"]
    await api.sql("update messages set stage = 'sent', sent_at = now(), updated_at = now() where content = '0'")
    await api.sql("update messages set stage = 'read', sent_at = now() where content = '1'")
    await api.sql("update messages set stage = 'gave_up', failure_code = 'opted_out' where content = '2'")
    await api.sql("update messages set stage = 'cancelled', service = 'sms' where content = '3'")
    (when,) = await api.sql("select created_at from messages where content = '2'")
    at = when.created_at.isoformat()

    async def found(**query: Any) -> list[str]:
        page = await listed(api, **query)
        assert page["pagination"]["total"] == len(page["data"])
        return [item["message_handle"] for item in page["data"]]

    assert await found() == [other, *reversed(handles)]
    assert await found(order_direction="asc") == [*handles, other]
    assert (await found(order_by="updatedAt"))[0] == handles[0]
    assert set((await found(order_by="sentAt"))[:2]) == set(handles[:2])
    for word, place in (("SENT", 0), ("DELIVERED", 1), ("ERROR", 2), ("DECLINED", 3)):
        assert await found(status=word) == [handles[place]], word
    assert await found(status="QUEUED") == [other]
    for word in ("REGISTERED", "PENDING", "ACCEPTED", "SUCCESS", "RECEIVED"):
        assert await found(status=word) == []
    assert await found(number="+13055551235") == [other] == await found(to_number="+13055551235")
    assert await found(from_number="+13055551235") == []
    assert len(await found(from_number=line)) == 5 == len(await found(sendblue_number=line, number=line))
    assert await found(to_number=line) == []
    assert await found(service="SMS") == [handles[3]]
    assert await found(service="RCS") == []
    assert await found(is_outbound="false") == [] == await found(message_type="group")
    assert await found(group_id="g") == [] == await found(account_email="a@example.com")
    assert len(await found(account_email=(await listed(api))["data"][0]["accountEmail"])) == 5
    assert len(await found(is_outbound="true", message_type="message", service="iMessage")) == 4
    assert await found(created_at_gte=at) == [other, handles[3], handles[2]]
    assert await found(created_at_lte=at, order_direction="asc") == handles[:3]
    assert len(await found(sent_at_gte=at, sent_at_lte="2100-01-01")) == 2
    assert await found(updated_at_gte="2100-01-01T00:00:00Z") == []
    page = await listed(api, limit=2, offset=1)
    assert page["pagination"] == {"hasMore": True, "limit": 2, "offset": 1, "total": 5}
    assert [item["message_handle"] for item in page["data"]] == [handles[3], handles[2]]
    beyond = await listed(api, offset=9)
    assert beyond["pagination"] == {"hasMore": False, "limit": 0, "offset": 9, "total": 5}
    wrong = [item for item in (await listed(api))["data"] if item["status"] == "ERROR"]
    assert (wrong[0]["error_code"], wrong[0]["error_reason"]) == (4002, "OPTED_OUT")
    cancelled = (await api.http.get("/api/status", params={"handle": handles[3]})).json()
    assert cancelled["status"] == "ERROR", "the short form has four words"


async def test_an_opt_out_is_a_consent_like_any_other(api: Api) -> None:
    sent = (await say(api)).json()["message_handle"]

    async def opted_out() -> bool:
        return bool((await api.http.get(f"/api/v2/messages/{sent}")).json()["data"]["opted_out"])

    async def allowed() -> bool:
        asked = {"channel": "sms", "address": GUEST}
        return bool((await api.http.get("/v1/consents", params=asked)).json()["allowed"])

    assert (await opted_out(), await allowed()) == (False, True)
    for body, out in (({}, True), ({"opted_out": False}, False), ({"opted_out": True}, True)):
        answer = await api.http.post("/api/v2/contacts/opt-out", json={"number": GUEST} | body)
        assert answer.json() == {"status": "OK", "number": GUEST, "opted_out": out}
        assert (await opted_out(), await allowed()) == (out, not out)


async def test_a_service_is_what_is_known_of_it(api: Api) -> None:
    async def asked(number: str = GUEST) -> httpx2.Response:
        return await api.http.get(f"/api/evaluate-service?number={number}")

    refused(await asked(), 404, 10002)
    refused(await asked("5551234"), 400, 4000)
    await say(api)
    for known, shown in (("imessage", "iMessage"), ("rcs", "SMS"), ("sms", "SMS")):
        await api.sql("update messages set service = :known", known=known)
        assert (await asked()).json() == {"number": GUEST, "service": shown}
    await api.sql("delete from senders where channel = 'imessage'")
    assert (await asked("+13055551299")).json()["service"] == "SMS"


async def test_what_cannot_be_done_is_not_passed_over(api: Api) -> None:
    typing = {"number": GUEST, "from_number": "+13055550001"}
    said = (await api.http.post("/api/send-typing-indicator", json=typing)).json()
    assert (said["number"], said["status"]) == (GUEST, "ERROR")
    assert said["error_message"]


async def test_a_group_is_written_to_and_seen(api: Api) -> None:
    both, alone = [GUEST, "+13055551235"], (await say(api)).json()["message_handle"]

    async def together(**fields: Any) -> httpx2.Response:
        return await api.http.post("/api/send-group-message", json={"content": "Hi"} | fields)

    answer = await together(numbers=both, send_style="fireworks")
    assert answer.status_code == 200, answer.text
    sent = answer.json()
    assert (set(sent), sent["status"], sent["number"]) == (OF_RESPONSE, "QUEUED", None)
    native = (await api.http.get(f"/v1/messaging/{render(Prefix.MESSAGE, UUID(sent['message_handle']))}")).json()
    assert (native["recipient"], native["recipients"], native["group_id"]) == (None, both, None)
    # What the provider calls it, its callback says.
    assert "group_id: " in refused(await together(group_id="g-1"), 400, 4000)
    details = """jsonb_set(details, '{group,id}', '"g-1"')"""
    await api.sql(f"update messages set details = {details} where details ? 'group'")
    await api.sql("update message_groups set group_id = 'g-1'")
    again = (await together(group_id="g-1")).json()
    (item,) = (await listed(api, group_id="g-1", limit=1))["data"]
    assert (item["message_handle"], set(item)) == (again["message_handle"], OF_ITEM)
    assert (item["message_type"], item["group_id"], item["participants"]) == ("group", "g-1", both)
    assert (item["number"], item["to_number"]) == (None, None)
    grouped = [one["message_handle"] for one in (await listed(api, message_type="group"))["data"]]
    assert grouped == [again["message_handle"], sent["message_handle"]]
    assert [one["message_handle"] for one in (await listed(api, message_type="message"))["data"]] == [alone]
    assert (await listed(api, group_id="g-2"))["data"] == []
    for wrong in ({"numbers": both[:1]}, {"numbers": [GUEST, GUEST]}, {}, {"numbers": both, "group_id": "g-1"},
                  {"numbers": both, "content": ""}):  # fmt: skip
        refused(await together(**wrong), 400, 4000)
    retry = {"x-stainless-retry-count": "1"}
    body = {"numbers": both, "content": "Once"}
    first = await api.http.post("/api/send-group-message", json=body)
    second = await api.http.post("/api/send-group-message", json={**body, "numbers": both[::-1]}, headers=retry)
    assert second.json()["message_handle"] == first.json()["message_handle"]


async def test_each_host_that_messages_name_is_one_endpoint(api: Api) -> None:
    for url in ("https://127.0.0.1:9/a?id=1", "https://127.0.0.1:9/b", "https://127.0.0.1:8/a"):
        sent = await say(api, status_callback=url)
        assert sent.status_code == 200, sent.text
    rows = await api.sql("select url, format, events, channels from endpoints order by url desc")
    assert [row.url for row in rows] == ["https://127.0.0.1:9", "https://127.0.0.1:8"]
    assert {row.format for row in rows} == {"sendblue_callback"}
    assert (await api.http.get("/v1/webhooks")).json()["data"] == []
    for url in ("https://user@127.0.0.1:9/a", "ftp://127.0.0.1/a", "https://10.0.0.1/", "nothing"):
        assert "status_callback: " in refused(await say(api, status_callback=url), 400, 4000)


async def test_an_erased_guest_leaves_no_callback(api: Api) -> None:
    guest = await api.guest(phone=GUEST)
    sent = (await say(api, status_callback="https://127.0.0.1:9/quetzal")).json()["message_handle"]
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    refused(await api.http.get(f"/api/v2/messages/{sent}"), 404, 404)
    (row,) = await api.sql("select id, details, callback_id from messages")
    assert (str(row.id), row.details) == (sent, None)
    async with api.database.begin() as tx:
        assert await claim(tx, [Visit(row.callback_id, room=10)], 60.0) == {}
    states = await api.sql("select state from deliveries where endpoint_id = :id", id=row.callback_id)
    assert {one.state for one in states} == {"abandoned"}, "its cancellation was owed to an address that is forgotten"
