"""Booking.com's dialect: both sides poll what the other one wrote."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.dialects.booking.errors import answer
from api.problems import OF_ENGINE, Problem
from bellhop.domain import short_links
from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix, render
from bellhop.settings import Settings
from bellhop.store.access import keys

from .conftest_api import Api, open_api
from .engine import Engine

WELCOME = json.loads("""
{
  "reservation": "4380765874",
  "accommodation": 2098153,
  "content": "Thank you for booking with us! We look forward to welcoming you. Let us know if you have any special requests."
}
""")  # noqa: E501
ASKS = json.loads("""
{
  "reservation": "4380765874",
  "accommodation": 2098153,
  "content": "Hi! What time is check-in? Is there parking available on-site?"
}
""")
CONFIRMS = json.loads("""
{
  "messages": ["123e4567-e89b-12d3-a456-426614174000", "987f6543-e21d-65c4-b789-426614174999"]
}
""")
TALK = json.loads("""
{
  "conversation": "cc872746-77f2-5886-ba7c-17e0497241b5",
  "accommodation": 2098153,
  "reservation": 4380765874
}
""")
"""Seed 002, literally."""
HOTEL = {"accommodation": 2098153}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    + _chunk(b"IEND", b"")
)


class Sides:
    """The two platforms, over HTTP."""

    def __init__(self, http: Any, ours: dict[str, str], theirs: dict[str, str], sql: Any) -> None:
        self.http, self.ours, self.theirs, self.sql = http, ours, theirs, sql
        self.guest = ""
        self.database: Any = None
        self.scope: Any = None

    async def call(self, headers: dict[str, str], path: str, body: Any = None) -> httpx2.Response:
        found: httpx2.Response = await self.http.post(f"/messages/{path}", json=body, headers=headers)
        return found

    async def done(self, headers: dict[str, str], path: str, body: Any = None) -> dict[str, Any]:
        found = await self.call(headers, path, body)
        assert found.status_code == 200, found.text
        assert found.json()["request_id"] == found.headers["x-request-id"]
        return dict(found.json())

    async def latest(self, headers: dict[str, str]) -> list[dict[str, Any]]:
        return list((await self.done(headers, "latest"))["data"]["messages"])


async def _book(sides: Sides, **stay: Any) -> None:
    """The property calls itself so, and has a stay of that number."""
    (hotel,) = (await sides.http.get("/v1/properties", headers=sides.ours)).json()["data"]
    settings = {**hotel["settings"], "accommodation": 2098153}
    changed = await sides.http.patch(f"/v1/properties/{hotel['id']}", json={"settings": settings}, headers=sides.ours)
    assert changed.status_code == 200, changed.text
    jordan = {"first_name": "Jordan", "last_name": "Mitchell", "email": "jordan.mitchell@example.com"}
    guest = await sides.http.post("/v1/guests", json=jordan, headers=sides.ours)
    sides.guest = guest.json()["id"]
    body = {"source": "pms", "reservation": "4380765874", "guests": [sides.guest], **stay}
    made = await sides.http.post("/v1/stays", json=body, headers=sides.ours)
    assert made.status_code in (200, 201), made.text


async def _key(database: AsyncEngine, scope: Any, side: Side) -> dict[str, str]:
    async with database.begin() as tx:
        _, raw = await keys.create(tx, scope, side.value, ["*"], rate_limit=100_000, side=side)
    return {"Authorization": f"Bearer {raw}", "X-Affiliate-Id": "1"}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as api:
        yield api


@pytest.fixture
async def sides(api: Api) -> Sides:
    """Over the API alone: nothing of the property's goes out by itself."""
    both = [await _key(api.database, api.scope, side) for side in (Side.PROPERTY, Side.GUEST)]
    made = Sides(api.http, both[0], both[1], api.sql)
    made.database, made.scope = api.database, api.scope
    await _book(made)
    return made


def refused(answer: httpx2.Response, status: int, word: str) -> str:
    """The sentence of an error in Booking.com's form."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"request_id", "errors"}
    assert body["request_id"] == answer.headers["x-request-id"]
    assert word in [one["id"] for one in body["errors"]], body
    return "; ".join(one["message"] for one in body["errors"])


async def test_the_seeds_examples_both_ways(stack: Engine) -> None:
    both = [await _key(stack.database, stack.scope, side) for side in (Side.PROPERTY, Side.GUEST)]
    sides = Sides(stack.http, both[0], both[1], None)
    await _book(sides)
    sent = (await sides.done(sides.ours, "send", WELCOME))["data"]["message"]
    native = render(Prefix.MESSAGE, UUID(sent))
    lies = await stack.until(native, "sent")
    assert (lies["channel"], lies["recipient"], lies["content"]) == ("inbox", sides.guest, WELCOME["content"])
    # The guests' platform has it, and says so.
    (given,) = await sides.latest(sides.theirs)
    assert (given["message_id"], given["content"]) == (sent, WELCOME["content"])
    assert given["sender"]["metadata"]["type"] == "property"
    assert (await sides.done(sides.ours, "latest/confirm", {"messages": [sent]}))["confirmedMessages"] == []
    assert (await stack.get(native))["status"] == "sent"
    for newly in ([sent], []):
        said = await sides.done(sides.theirs, "latest/confirm", CONFIRMS | {"messages": [sent]})
        assert said["confirmedMessages"] == newly
    assert await sides.latest(sides.theirs) == []
    assert (await stack.get(native))["status"] == "delivered"
    # The guest asks; the property polls, confirms, and looks at all of it.
    await sides.done(sides.theirs, "send", ASKS)
    (asked,) = await sides.latest(sides.ours)
    assert (asked["content"], asked["sender"]["metadata"]["type"]) == (ASKS["content"], "guest")
    assert (await sides.done(sides.ours, "latest/confirm", CONFIRMS))["confirmedMessages"] == []
    both_ids = CONFIRMS | {"messages": [asked["message_id"], CONFIRMS["messages"][0]]}
    assert (await sides.done(sides.ours, "latest/confirm", both_ids))["confirmedMessages"] == [asked["message_id"]]
    talk = TALK | {"conversation": asked["conversation"]["id"]}
    for headers in (sides.ours, sides.theirs):
        found = (await sides.done(headers, "conversations", talk))["data"]["conversation"]
        assert [one["content"] for one in found["messages"]] == [WELCOME["content"], ASKS["content"]]


async def test_where_the_property_set_it_so_the_guest_has_it_on_their_own_channel_too(sides: Sides) -> None:
    (hotel,) = (await sides.http.get("/v1/properties", headers=sides.ours)).json()["data"]

    async def set_to(value: Any) -> httpx2.Response:
        settings = {**hotel["settings"], "inbox_copies": value}
        place = f"/v1/properties/{hotel['id']}"
        return httpx2.Response(
            (await sides.http.patch(place, json={"settings": settings}, headers=sides.ours)).status_code
        )

    async def sent() -> dict[str, dict[str, Any]]:
        rows = (await sides.http.get("/v1/messaging", headers=sides.ours)).json()["data"]
        return {row["channel"]: row for row in reversed(rows)}

    assert (await set_to("yes")).status_code == 422
    await sides.done(sides.ours, "send", WELCOME)
    assert set(await sent()) == {"inbox"}
    assert (await set_to(True)).status_code == 200
    given = (await sides.done(sides.ours, "send", WELCOME | {"content": "The pool is open."}))["data"]["message"]
    rows = await sent()
    copy, original = rows["email"], rows["inbox"]
    assert original["id"] == render(Prefix.MESSAGE, UUID(given))
    assert (copy["recipient"], copy["content"]) == ("jordan.mitchell@example.com", "The pool is open.")
    assert (copy["subject"], copy["metadata"]) == (hotel["name"], {"booking": {"copy_of": original["id"]}})
    assert copy["conversation_id"] == original["conversation_id"]
    talk = await sides.done(sides.ours, "conversations", HOTEL | {"reservation": "4380765874"})
    assert len(talk["data"]["conversation"]["messages"]) == 2, "the copy is said once"
    await sides.http.patch(f"/v1/guests/{sides.guest}", json={"email": None}, headers=sides.ours)
    assert (await sides.done(sides.ours, "send", WELCOME))["data"]["message"], "nobody else reaches them: no copy"
    assert len((await sides.http.get("/v1/messaging", headers=sides.ours)).json()["data"]) == 4


async def test_a_copy_whose_link_draws_a_code_that_is_taken_draws_another(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hotel,) = (await sides.http.get("/v1/properties", headers=sides.ours)).json()["data"]
    settings = {**hotel["settings"], "inbox_copies": True, "short_links": {"enabled": True}}
    place = f"/v1/properties/{hotel['id']}"
    assert (await sides.http.patch(place, json={"settings": settings}, headers=sides.ours)).status_code == 200
    headers = await _key(sides.database, sides.scope, Side.PROPERTY)
    # That of the message, of its copy, which is taken by then, and of both once more.
    drawn = iter(["8hGfK3mWqZ", "8hGfK3mWqZ", "2hGfK3mWqZ", "3hGfK3mWqZ"])
    monkeypatch.setattr(short_links, "new_code", lambda: next(drawn))
    await sides.done(headers, "send", WELCOME | {"content": "See https://hotel.example/spa"})
    assert {code for (code,) in await sides.sql("select code from short_links")} == {"2hGfK3mWqZ", "3hGfK3mWqZ"}
    assert len((await sides.http.get("/v1/messaging", headers=sides.ours)).json()["data"]) == 2


async def test_what_waits_comes_again_until_it_is_confirmed(sides: Sides) -> None:
    sent = [(await sides.done(sides.theirs, "send", ASKS | {"content": str(n)}))["data"]["message"] for n in range(3)]
    assert await sides.latest(sides.theirs) == [], "what a side wrote itself is not new to it"
    waiting = await sides.latest(sides.ours)
    assert [one["message_id"] for one in waiting] == sent[::-1]
    newest = waiting[0]
    assert newest["reply_to"] is None
    assert newest["conversation"] == newest["conversation"] | {"accommodation": "2098153", "reservation": "4380765874"}
    assert newest["sender"]["metadata"] == {"type": "guest", "name": "Jordan Mitchell"}
    assert (newest["content"], newest["attachments"]) == ("2", [])
    assert await sides.latest(sides.ours) == waiting, "unconfirmed ones come back"
    none = await sides.done(sides.ours, "latest/confirm", CONFIRMS)
    assert none["confirmedMessages"] == []
    other = await sides.done(sides.theirs, "latest/confirm", {"messages": sent})
    assert other["confirmedMessages"] == [], "nobody confirms for the other side"
    some = {"messages": [sent[0], str(uuid4()), "nothing", sent[0]]}
    assert (await sides.done(sides.ours, "latest/confirm", some))["confirmedMessages"] == [sent[0]]
    assert (await sides.done(sides.ours, "latest/confirm", some))["confirmedMessages"] == []
    assert [one["message_id"] for one in await sides.latest(sides.ours)] == sent[:0:-1]
    native = await sides.http.get(f"/v1/inbound/{render(Prefix.INBOUND, UUID(sent[0]))}", headers=sides.ours)
    assert (native.json()["channel"], native.json()["guest_id"]) == ("inbox", sides.guest)


async def test_a_full_page_hides_nothing_older(sides: Sides) -> None:
    first = (await sides.done(sides.theirs, "send", ASKS))["data"]["message"]
    # As many more as a page has, as the same row over again.
    await sides.sql(
        "insert into messages (scope_id, direction, channel, stage, content, guest_id, conversation_id, stay_id)"
        " select scope_id, direction, channel, stage, content, guest_id, conversation_id, stay_id"
        " from messages, generate_series(1, 100) where id = :first",
        first=first,
    )
    page = await sides.latest(sides.ours)
    assert (len(page), page[-1]["message_id"]) == (100, first)
    ids = [one["message_id"] for one in page]
    assert (await sides.done(sides.ours, "latest/confirm", {"messages": ids}))["confirmedMessages"] == ids
    assert len(await sides.latest(sides.ours)) == 1


async def test_a_conversation_is_named_by_any_of_its_ids(sides: Sides) -> None:
    refused(await sides.call(sides.ours, "conversations", HOTEL | {"reservation": 4380765874}), 404, "not_found")
    asked = (await sides.done(sides.theirs, "send", ASKS))["data"]["message"]
    given = (await sides.done(sides.ours, "send", WELCOME))["data"]["message"]
    (waiting,) = await sides.latest(sides.ours)
    talk = waiting["conversation"]["id"]
    for which in (TALK | {"conversation": talk}, HOTEL | {"conversation": talk}, HOTEL | {"reservation": "4380765874"}):
        found = (await sides.done(sides.ours, "conversations", which))["data"]["conversation"]
        assert (found["id"], found["reservation"]) == (talk, "4380765874")
        assert [(one["id"], one["reply_to"]) for one in found["messages"]] == [(asked, talk), (given, talk)]
        by_id = {one["id"]: one["metadata"] for one in found["participants"]}
        assert [by_id[one["sender"]]["type"] for one in found["messages"]] == ["guest", "property"]
        assert {one["accommodation_id"] for one in by_id.values()} == {"2098153"}
    theirs = (await sides.done(sides.theirs, "conversations", HOTEL | {"conversation": talk}))["data"]["conversation"]
    assert [one["id"] for one in theirs["messages"]] == [asked], "what has not gone out is nothing to the guest"
    refused(await sides.call(sides.ours, "conversations", TALK), 404, "not_found")
    other = {"source": "pms", "reservation": "77", "guests": [sides.guest]}
    assert (await sides.http.post("/v1/stays", json=other, headers=sides.ours)).status_code in (200, 201)
    wrong = HOTEL | {"conversation": talk, "reservation": 77}
    refused(await sides.call(sides.ours, "conversations", wrong), 400, "conversation_mismatch")
    by_talk = await sides.done(sides.ours, "send", HOTEL | {"conversation": talk, "content": "Yes, there is."})
    assert by_talk["data"]["message"]


async def test_a_key_names_its_own_accommodation_only(sides: Sides) -> None:
    for headers in (sides.ours, sides.theirs):
        refused(await sides.call(headers, "send", ASKS | {"accommodation": 2098154}), 403, "forbidden")
        refused(await sides.call(headers, "send", ASKS | {"reservation": "1"}), 404, "not_found")
        for name in ("2098153", "grand-sunset"):
            await sides.done(headers, "send", ASKS | {"accommodation": name})
    refused(await sides.call({"Authorization": "Bearer x"}, "latest"), 401, "unauthorized")
    for method, path in (("GET", "/v1/guests"), ("POST", "/v1/messaging/send"), ("GET", "/api/v2/messages")):
        other = await sides.http.request(method, path, headers=sides.theirs, json={} if method == "POST" else None)
        assert other.status_code in (401, 403), (path, other.text)


async def test_each_side_reads_and_writes_for_its_time(sides: Sides) -> None:
    async def left(days: int) -> None:
        await sides.sql(
            "update stays set arrival = null, departure = (now() at time zone 'utc')::date - cast(:days as int)",
            days=days,
        )

    async def words(path: str, body: Any) -> list[int]:
        return [(await sides.call(headers, path, body)).status_code for headers in (sides.ours, sides.theirs)]

    named = HOTEL | {"reservation": "4380765874"}
    await left(6)
    assert await words("send", ASKS) == [200, 200]
    await sides.sql("update messages set created_at = now() - interval '16 days' where direction = 'inbound'")
    await left(9)
    late = await sides.call(sides.ours, "send", WELCOME)
    assert "7 days" in refused(late, 403, "outside_window")
    await sides.sql("update messages set created_at = now() - interval '13 days' where direction = 'inbound'")
    assert await words("send", WELCOME) == [200, 200]
    await left(60)
    await sides.sql("update messages set created_at = now() - interval '60 days' where direction = 'inbound'")
    assert await words("conversations", named) == [200, 200]
    assert await words("send", ASKS) == [403, 200]
    await left(70)
    await sides.sql("update messages set created_at = now() - interval '60 days' where direction = 'inbound'")
    assert await words("send", ASKS) == [403, 403]
    assert await words("conversations", named) == [200, 403]
    assert "66 days" in refused(await sides.call(sides.theirs, "conversations", named), 403, "outside_window")
    assert await sides.latest(sides.ours)
    await left(370)
    assert await words("conversations", named) == [403, 403]
    assert await sides.latest(sides.ours) == []


async def test_a_picture_is_uploaded_sent_and_handed_out(sides: Sides) -> None:
    await sides.done(sides.theirs, "send", ASKS)
    (waiting,) = await sides.latest(sides.ours)
    talk = HOTEL | {"conversation": waiting["conversation"]["id"]}
    file = {"file_name": "lobby.png", "file_type": "image/png", "file_size": len(PNG)}
    body = talk | file | {"file_content": base64.b64encode(PNG).decode()}
    for headers, other in ((sides.theirs, sides.ours), (sides.ours, sides.theirs)):
        kept = (await sides.done(headers, "attachments/upload", body))["data"]["attachment"]
        one = talk | {"attachment": kept}
        refused(await sides.call(other, "attachments/metadata", one), 404, "not_found")
        said = talk | {"content": "Look", "attachments": [kept]}
        refused(await sides.call(other, "send", said), 400, "unknown_attachment")
        sent = (await sides.done(headers, "send", said))["data"]["message"]
        refused(await sides.call(headers, "send", said), 400, "unknown_attachment")
        # As when it has gone out.
        await sides.sql("update messages set stage = 'sent' where id = :sent and direction = 'outbound'", sent=sent)
        (shown,) = [found for found in await sides.latest(other) if found["message_id"] == sent]
        assert shown["attachments"] == [kept]
        for reader in (headers, other):
            known = (await sides.done(reader, "attachments/metadata", one))["data"]["metadata"]
            assert (known["file_name"], known["file_type"]) == ("lobby.png", "image/png")
            got = (await sides.done(reader, "attachments/download", one))["data"]
            assert len(base64.b64decode(got["file_content"])) == known["file_size"]
            assert (got["conversation"], got["attachment"]) == (talk["conversation"], kept)
    elsewhere = talk | {"conversation": str(uuid4()), "attachment": kept}
    refused(await sides.call(sides.ours, "attachments/download", elsewhere), 404, "not_found")


async def test_what_is_no_fit_picture_is_refused(sides: Sides) -> None:
    await sides.done(sides.theirs, "send", ASKS)
    (waiting,) = await sides.latest(sides.ours)
    talk = HOTEL | {"conversation": waiting["conversation"]["id"]}

    async def put(status: int, word: str, **fields: Any) -> str:
        body = {"file_name": "a.png", "file_type": "image/png", "file_size": len(PNG)}
        body["file_content"] = base64.b64encode(PNG).decode()
        return refused(await sides.call(sides.ours, "attachments/upload", talk | body | fields), status, word)

    await put(415, "unsupported_media_type", file_type="application/pdf")
    await put(415, "unsupported_media_type", file_type="image/jpeg")
    assert "1,048,576" in await put(400, "invalid_parameter", file_size=1_048_577)
    assert str(len(PNG)) in await put(400, "invalid_parameter", file_size=len(PNG) + 1)
    assert "base64" in await put(400, "invalid_parameter", file_content="!")
    large = b"\x89PNG\r\n\x1a\n" + b"\0" * 1_048_568
    # A whole body of that size is read, and what is in it is no picture.
    await put(400, "invalid_parameter", file_size=1_048_576, file_content=base64.b64encode(large).decode())
    await put(400, "file_too_large", file_content="A" * 1_600_000)


async def test_what_is_wrong_is_said_in_its_form(sides: Sides) -> None:
    for path, body, said in (
        ("send", HOTEL | {"reservation": "1"}, "content"),
        ("send", HOTEL | {"content": "Hi"}, "conversation or reservation"),
        ("conversations", {"reservation": "1"}, "accommodation"),
        ("latest/confirm", {}, "messages"),
    ):
        assert said in refused(await sides.call(sides.ours, path, body), 400, "missing_parameter")
    refused(
        await sides.call(sides.ours, "latest/confirm", {"messages": [str(uuid4())] * 101}), 400, "invalid_parameter"
    )
    refused(await sides.call(sides.ours, "nothing", {}), 404, "not_found")
    refused(await sides.http.get("/messages/latest", headers=sides.ours), 404, "not_found")


def _situations(kind: type[Problem]) -> list[type[Problem]]:
    return [kind, *(below for each in kind.__subclasses__() for below in _situations(each))]


def test_every_situation_has_a_status_of_its_description() -> None:
    statuses = {status for status, _ in OF_ENGINE.values()} | {one.status_code for one in _situations(Problem)}
    for status in statuses:
        said = answer(Problem("x", status_code=status), "req_1")
        assert said.status_code in (400, 401, 403, 404, 415, 429, 500)
