"""What guests write in their app: stored once, told, shown on their other devices, obeyed, erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.guest_auth import FILES_BURST, SENDS_BURST
from bellhop.domain.content import MAX_CONTENT
from bellhop.settings import Settings
from chaos.pictures import picture as png

from .inbox_kit import Inboxes, guest_key, open_inboxes

PNG = png(1)


@pytest.fixture
async def inboxes(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Inboxes]:
    async with open_inboxes(settings, engine) as opened:
        yield opened


async def write(
    inboxes: Inboxes, token: dict[str, str], content: Any, key: str = "key-0001", server: int = 0
) -> httpx2.Response:
    body = {"key": key, "content": content}
    return await inboxes.servers[server].post("/v1/inbox/messages", json=body, headers=token)


async def test_what_a_guest_writes_is_stored_once_and_shown_on_every_device(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    token = await inboxes.token(guest)
    await inboxes.sql("update guests set last_seen_at = now() - interval '1 day'")
    phone, laptop = inboxes.open(token), inboxes.open(await inboxes.token(guest), server=1)
    stranger = inboxes.open(await inboxes.token(await inboxes.guest("Alex")))
    await asyncio.gather(*(stream.wait(lambda stream=stream: stream.heartbeats) for stream in (phone, laptop)))
    # Its app heard no answer, and says it again, here at once and to another process.
    answers = await asyncio.gather(
        *(write(inboxes, token, "Is breakfast at 7? “ü” 🥐", server=number % 2) for number in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    shown = answers[0].json()
    assert all(answer.json() == shown for answer in answers)
    assert (shown["from"], shown["status"], shown["content"]) == ("guest", "delivered", "Is breakfast at 7? “ü” 🥐")
    assert shown["id"].startswith("imsg_") and shown["sent_at"]
    other = (await write(inboxes, token, "And for two?", "key-0002")).json()
    for stream in (phone, laptop):
        assert [{**each, "_position": ""} for each in await stream.until([shown["id"], other["id"]])] == [
            {**shown, "_position": ""}, {**other, "_position": ""},
        ]  # fmt: skip
    assert [each["id"] for each in await inboxes.inbox(token)] == [other["id"], shown["id"]]
    assert not stranger.events

    rows = await inboxes.sql("select * from messages where direction = 'inbound' order by id")
    (first, _) = rows
    assert (first.channel, first.provider, first.recipient, first.sender) == ("in_app", "in_app", "inbox", guest)
    assert first.guest_id == guest_key(guest) and first.conversation_id and first.wake_due_at is not None
    assert rows[1].conversation_id == first.conversation_id
    reported = await inboxes.sql("select subject_id, type from events where subject = 'inbound' order by id")
    assert [(row.subject_id, row.type) for row in reported] == [(row.id, "message.received") for row in rows]
    (seen,) = await inboxes.sql(
        "select last_seen_at > now() - interval '1 minute' as lately from guests where id = :id", id=guest_key(guest)
    )
    assert seen.lately
    # Their app reports what it shows: of what they wrote there is nothing to report.
    report = {"delivered": [], "read": [shown["id"].replace("imsg_", "omsg_")]}
    answer = await inboxes.http.post("/v1/inbox/reports", json=report, headers=token)
    assert (answer.status_code, answer.json()) == (200, {"data": []})


async def test_stop_is_obeyed_in_the_app_too(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    token = await inboxes.token(guest)
    assert (await write(inboxes, token, "STOP")).status_code == 201
    message = await inboxes.accept(guest)
    assert (await inboxes.claim(message)).status == "failed"
    assert (await inboxes.message(message))["metadata"]["error"]["code"] == "opted_out"
    assert (await write(inboxes, token, "start", "key-0002")).status_code == 201
    await inboxes.send(guest)
    answer, _ = await inboxes.sql("select sender, details, guest_id from messages where direction = 'outbound'"
                                  " and details ? 'answers' order by id")  # fmt: skip
    assert (answer.sender, answer.details["answers"]) == ("inbox", {"keyword": "stop"})
    assert answer.guest_id == guest_key(guest)


async def test_what_was_written_is_erased_with_the_guest(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    token = await inboxes.token(guest)
    assert (await write(inboxes, token, "My name is Jordan Secret")).status_code == 201
    gone = await inboxes.http.delete(f"/v1/guests/{guest}", headers=inboxes.key)
    assert gone.status_code == 204, gone.text
    assert (await write(inboxes, token, "Hello?", "key-0002")).status_code in (401, 404)
    (row,) = await inboxes.sql("select * from messages")
    assert (row.content, row.sender, row.guest_id, row.address_hash) == (None, None, None, None)
    for table in ("inbox", "contact_points", "conversations"):
        assert not await inboxes.sql(f"select 1 from {table}"), table
    (receipt,) = await inboxes.sql("select * from receipts")
    assert not receipt.payload


async def test_what_is_no_message_is_refused_and_a_guest_has_limits(inboxes: Inboxes) -> None:
    token = await inboxes.token(await inboxes.guest())
    for content, key in (
        ("", "key-0001"), (" \u2800 ", "key-0001"), ("x" * (MAX_CONTENT + 1), "key-0001"), ("a\0b", "key-0001"),
        (7, "key-0001"), ("Hello", "short"), ("Hello", "no spaces!"), ("Hello", "k" * 65),
    ):  # fmt: skip
        assert (await write(inboxes, token, content, key)).status_code == 422, (content, key)
    assert not await inboxes.sql("select 1 from messages")
    statuses = []
    while 429 not in statuses:
        answer = await write(inboxes, token, "Hello", f"again-{len(statuses):04}")
        statuses.append(answer.status_code)
    assert SENDS_BURST <= len(statuses) <= SENDS_BURST + 5
    assert set(statuses[:-1]) == {201} and int(answer.headers["retry-after"]) >= 1
    # What it may read and report is counted apart.
    assert len(await inboxes.inbox(token)) == len(statuses) - 1


async def send_file(
    inboxes: Inboxes, token: dict[str, str], data: bytes, key: str = "file-0001", **fields: str
) -> httpx2.Response:
    files = {"file": ("lamp.png", data, "image/png")}
    return await inboxes.http.post("/v1/inbox/files", data={"key": key, **fields}, files=files, headers=token)


async def test_a_picture_is_kept_with_what_the_guest_writes_and_erased_with_them(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    token = await inboxes.token(guest)
    first = await send_file(inboxes, token, PNG, content="The lamp is broken.")
    assert first.status_code == 201, first.text
    shown = first.json()
    (picture,) = shown["media"]
    assert (shown["from"], shown["content"], picture["content_type"]) == ("guest", "The lamp is broken.", "image/png")
    fetched = await inboxes.http.get(urlsplit(picture["url"]).path)
    assert fetched.status_code == 200 and fetched.content.startswith(b"\x89PNG")
    again = await send_file(inboxes, token, PNG, content="The lamp is broken.")
    assert (again.status_code, again.json()) == (200, shown)
    assert (await inboxes.inbox(token)) == [shown]
    assert len(await inboxes.sql("select 1 from assets")) == 1
    (row,) = await inboxes.sql("select details, wake_due_at from messages")
    assert row.details["media_count"] == 1 and row.details["media"][0]["state"] == "kept"
    wordless = await send_file(inboxes, token, PNG, "file-0002")
    assert (wordless.status_code, wordless.json()["content"]) == (201, "")
    for data, key, status in ((b"MZ no picture", "file-0003", 422), (PNG, "short", 422)):
        refused = await send_file(inboxes, token, data, key)
        assert refused.status_code == status, refused.text
    odd = await send_file(inboxes, token, PNG, "file-0004", guest_id=guest)
    assert odd.status_code == 422
    assert len(await inboxes.sql("select 1 from messages")) == 2
    statuses = [answer.status_code async for answer in _many(inboxes, token)]
    assert statuses[-1] == 429 and len(statuses) <= FILES_BURST
    gone = await inboxes.http.delete(f"/v1/guests/{guest}", headers=inboxes.key)
    assert gone.status_code == 204
    assert (await inboxes.http.get(urlsplit(picture["url"]).path)).status_code == 404
    assert not await inboxes.sql("select 1 from assets where state = 'stored'")


async def _many(inboxes: Inboxes, token: dict[str, str]) -> AsyncIterator[httpx2.Response]:
    """The same file again and again, until there were too many."""
    while True:
        answer = await send_file(inboxes, token, PNG, "file-0001")
        yield answer
        if answer.status_code == 429:
            return
