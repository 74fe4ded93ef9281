"""Live streams as such: one connection that listens, limits, other origins' pages, and a server that stops."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings

from .inbox_kit import Inboxes, guest_key, open_inboxes

MANY = 400

LISTENING = "select pid from pg_stat_activity where datname = current_database() and application_name = 'bellhop-live'"


@pytest.fixture
async def inboxes(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Inboxes]:
    async with open_inboxes(settings, engine, streams_per_guest=3, streams_per_property=6) as opened:
        yield opened


async def test_one_connection_listens_and_what_is_said_without_it_is_caught_up(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    streams = [inboxes.open(await inboxes.token(guest), server=number % 2) for number in range(4)]
    first = await inboxes.send(guest)
    for stream in streams:
        await stream.until([first])
    listening = await inboxes.sql(LISTENING)
    assert len(listening) == 2, "one for each process, however many streams it has"
    await inboxes.sql(f"select pg_terminate_backend(pid) from ({LISTENING}) as heard")
    lost = [await inboxes.send(guest, f"Nobody heard {number}") for number in range(2)]
    for stream in streams:
        await stream.until([first, *lost])
    last = await inboxes.send(guest, "Heard again")
    for stream in streams:
        await stream.until([first, *lost, last])
    assert {row.pid for row in await inboxes.sql(LISTENING)}.isdisjoint(row.pid for row in listening)


async def test_messages_that_are_sent_at_once_come_in_one_order(inboxes: Inboxes) -> None:
    """Whoever has seen a position has seen everything before it, whichever transaction began first."""
    guest = await inboxes.guest()
    token = await inboxes.token(guest)
    messages = [await inboxes.accept(guest, f"Number {number}") for number in range(16)]
    stream = inboxes.open(token)
    await asyncio.gather(*(inboxes.claim(message) for message in messages))
    await stream.wait(lambda: len(stream.events) >= len(messages))
    positions = [int(each["_position"]) for each in stream.events]
    assert positions == sorted(positions)
    assert sorted(each["id"] for each in stream.events) == sorted(messages)


async def test_a_guest_and_a_property_have_so_many_streams(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    message = await inboxes.send(guest)
    streams = []
    for _ in range(4):
        streams.append(inboxes.open(await inboxes.token(guest)))
        await streams[-1].until([message])
    assert await streams[0].over() == "replaced"
    for name in ("Alex", "Robin", "Kim"):
        stream = inboxes.open(await inboxes.token(await inboxes.guest(name)))
        await stream.wait(lambda stream=stream: stream.status)
        assert stream.status == 200
    refused = inboxes.open(await inboxes.token(await inboxes.guest("Sam")))
    await refused.wait(lambda: refused.status)
    assert refused.status == 503
    await streams[1].wait(lambda: streams[1].heartbeats >= 1)
    elsewhere = inboxes.open(await inboxes.token(guest), server=1)
    await elsewhere.until([message])


async def test_pages_of_origins_the_property_names_may_read(inboxes: Inboxes) -> None:
    http, app = inboxes.http, "https://app.hotel.example"
    guest = await inboxes.guest()
    token = await inboxes.token(guest)
    asked = await http.options("/v1/inbox/stream", headers={"Origin": app, "Access-Control-Request-Method": "GET"})
    assert asked.status_code == 204
    assert "Last-Event-ID" in asked.headers["access-control-allow-headers"]
    assert asked.headers["access-control-allow-origin"] == app
    page = {**token, "Origin": app}
    refused = await http.get("/v1/inbox/messages", headers=page)
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in refused.headers
    for wrong in ({"allowed_origins": "*"}, {"allowed_origins": ["https://app.hotel.example/inbox"]}, ["*"]):
        answer = await http.patch(await _property(inboxes), json={"settings": {"in_app": wrong}}, headers=inboxes.key)
        assert answer.status_code == 422, answer.text
    settings = {"in_app": {"allowed_origins": [app]}}
    answer = await http.patch(await _property(inboxes), json={"settings": settings}, headers=inboxes.key)
    assert answer.status_code == 200, answer.text
    fresh = {**await inboxes.token(guest), "Origin": app}
    allowed = await http.get("/v1/inbox/messages", headers=fresh)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, app)
    assert "Origin" in allowed.headers["vary"]
    over = await http.get("/v1/inbox/messages", headers={"Origin": app})
    assert (over.status_code, over.headers["access-control-allow-origin"]) == (401, app)
    # Everything else is for property's own programs.
    assert (await http.options("/v1/guests", headers={"Origin": app, "Access-Control-Request-Method": "GET"})).is_error
    assert "access-control-allow-origin" not in (await http.get("/v1/guests", headers={"Origin": app})).headers


async def _property(inboxes: Inboxes) -> str:
    listed = await inboxes.http.get("/v1/properties", headers=inboxes.key)
    return f"/v1/properties/{listed.json()['data'][0]['id']}"


async def test_a_head_is_answered_and_a_server_that_stops_ends_its_streams(
    settings: Settings, engine: AsyncEngine
) -> None:
    async with open_inboxes(settings, engine) as inboxes:
        guest = await inboxes.guest()
        token, message = await inboxes.token(guest), await inboxes.send(guest)
        head = await inboxes.http.head("/v1/inbox/stream", headers=token)
        assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        streams = [inboxes.open(token, server=number % 2) for number in range(4)]
        for stream in streams:
            await stream.until([message])
        began = time.monotonic()
        await inboxes.stop()
        assert [await stream.over() for stream in streams] == ["restart"] * 4
        assert time.monotonic() - began < 8


async def test_who_does_not_read_is_cut_off(settings: Settings, engine: AsyncEngine) -> None:
    async with open_inboxes(settings, engine, streams_per_property=1, answer_timeout=0.5) as inboxes:
        guest = await inboxes.guest()
        token = await inboxes.token(guest)
        # More than the buffers of both ends hold.
        await inboxes.sql(
            "with made as (insert into messages (scope_id, channel, guest_id, content, stage, sent_at)"
            " select :scope, 'in_app', :guest, repeat('€', 10000), 'sent', now() from generate_series(1, :many)"
            " returning id) insert into inbox (scope_id, guest_id, message_id, expires_at)"
            " select :scope, :guest, id, now() + interval '1 hour' from made",
            scope=inboxes.scope.id, guest=guest_key(guest), many=MANY,
        )  # fmt: skip
        url = inboxes.http.base_url
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.connect((url.host, url.port))
            head = f"GET /v1/inbox/stream HTTP/1.1\r\nHost: api\r\nAuthorization: {token['Authorization']}\r\n\r\n"
            deaf.sendall(head.encode())
            assert await asyncio.to_thread(deaf.recv, 17) == b"HTTP/1.1 200 OK\r\n"
            # While it holds the only place there is, nobody else gets one.
            async with asyncio.timeout(20):
                while True:
                    stream = inboxes.open(token)
                    await stream.wait(lambda stream=stream: stream.status)
                    if stream.status == 200:
                        break
                    await asyncio.sleep(0.2)
            deaf.settimeout(10)
            assert (await asyncio.to_thread(_rest, deaf)).count(b"event: message") < MANY


def _rest(peer: socket.socket) -> bytes:
    """What has been written to it before it was closed."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := peer.recv(1_000_000):
            received += piece
    return received
