"""What guests write in their app: stored once, told, shown on their other devices, obeyed, erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.guest_auth import SENDS_BURST
from bellhop.domain.content import MAX_CONTENT
from bellhop.settings import Settings

from .inbox_kit import Inboxes, guest_key, open_inboxes


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
