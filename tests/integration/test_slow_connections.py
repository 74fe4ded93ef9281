"""What one may cost who only has a socket: slow or endless heads and bodies, answers nobody reads, and very many.

The real server and middleware, and a few routes that answer as these tests need it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api import admission, http_protocol
from bellhop.settings import ApiSettings, Settings

from .sockets_kit import GET, serving, until

LARGE = 6_000_000
UNREAD = 3 * LARGE


def with_large_answers(app: FastAPI) -> None:
    @app.get("/v1/large")
    async def large(request: Request) -> Response:
        await request.scope["bellhop.slot"].take()
        return Response(b"x" * LARGE)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(6):
                yield b"x" * 1_000
                await asyncio.sleep(0.5)

        return StreamingResponse(parts())

    @app.get("/flood")
    async def flood() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65_536
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    @app.post("/read")
    async def read(request: Request) -> Response:
        return Response(str(len(await request.body())))

    @app.get("/slow")
    async def slow() -> Response:
        await asyncio.sleep(1)
        return Response("done")


# --- heads ----------------------------------------------------------------------------------------------------------


async def test_a_head_that_never_ends_ends_the_connection(settings: Settings) -> None:
    async with serving(settings) as api:
        silent = await api.open()
        slow = await api.open(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        blank = await api.open()
        dripping = [asyncio.create_task(slow.drip(b"a")), asyncio.create_task(blank.drip(b"\r\n"))]
        assert (await slow.answer())[1]["code"] == "request_timeout"
        for client in (slow, silent, blank):
            assert await client.ended()
        # The next head of a connection that has served is held to the same.
        again = await api.open(GET)
        assert (await again.answer())[0] == 200
        again.writer.write(b"GET /")
        dripping.append(asyncio.create_task(again.drip(b"a")))
        assert (await again.answer())[0] == 408
        resting = await api.open(GET)
        assert (await resting.answer())[0] == 200
        dripping.append(asyncio.create_task(resting.drip(b"\r\n")))
        assert await resting.ended(), "blank lines keep no connection alive"
        for one in dripping:
            one.cancel()
        await until(lambda: len(api.connections) == 0)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 8_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /?" + b"a" * 60_000_000, 414),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 30_000 + b"\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 60_000_000, 431),
        (b"GET /healthz HTTP/1.1\r\n" + b"a" * 60_000_000, 431),
        (b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(100)) + b"\r\n", 200),
        (b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(101)) + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400),
        (b"HTTP/1.1 200 OK\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_heads_are_bounded(settings: Settings, sent: bytes, status: int) -> None:
    async with serving(settings) as api:
        client = await api.open(sent[:100_000])
        sending = asyncio.create_task(client.drip(sent[100_000:], 60)) if len(sent) > 100_000 else None
        assert (await client.answer())[0] == status
        if status in (400, 414, 431):
            assert await client.ended()
        if sending is not None:
            sending.cancel()


async def test_what_is_asked_before_is_answered_first(settings: Settings) -> None:
    async with serving(settings, with_large_answers, answer_timeout=5) as api:
        client = await api.open(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + b"\x00 nonsense\r\n\r\n")
        assert [(await client.answer())[0] for _ in range(2)] == [200, 400]
        assert await client.ended()
        broken = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
        client = await api.open(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + broken)
        assert [(await client.answer())[0] for _ in range(2)] == [200, 400]
        assert (await api.ask(broken))[0] == 400


async def test_an_upgrade_is_answered_as_any_other_request(settings: Settings) -> None:
    """As Java's client asks for HTTP/2, with its next request on the same connection."""
    asked = GET.replace(
        b"\r\n\r\n", b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n"
    )
    async with serving(settings) as api:
        client = await api.open(asked + GET + asked)
        assert [(await client.answer())[0] for _ in range(3)] == [200] * 3
        client.writer.write(asked.replace(b"h2c", b"websocket"))
        assert (await client.answer())[0] == 200


# --- bodies ---------------------------------------------------------------------------------------------------------


async def test_a_body_that_never_ends_is_answered_in_time(settings: Settings) -> None:
    head = b"POST /read HTTP/1.1\r\nHost: x\r\n"
    async with serving(settings, with_large_answers) as api:
        for started, more in (
            (head + b"Content-Length: 1000\r\n\r\n", b"a"),
            (head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
            (head + b"Transfer-Encoding: chunked\r\n\r\n", b"5;" + b"x" * 100),
            (head + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: ", b"a"),
        ):
            client = await api.open(started)
            dripping = asyncio.create_task(client.drip(more))
            status, content = await client.answer()
            assert (status, content["code"]) == (408, "request_timeout"), started
            assert await client.ended()
            dripping.cancel()
        await until(lambda: len(api.connections) == 0)


async def test_of_an_unread_body_little_is_taken(settings: Settings) -> None:
    """Who is refused at once may go on sending for a moment."""
    head = b"POST /v1/messaging/send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    async with serving(settings, body_timeout=30, keep_alive=30) as api:
        client = await api.open(head + b"a" * 1_000)
        assert (await client.answer())[0] == 401
        began = time.monotonic()
        dripping = asyncio.create_task(client.drip(b"a"))
        assert await client.ended()
        assert time.monotonic() - began < http_protocol.LINGER + 3
        dripping.cancel()
        whole = await api.open(head + b"a" * 1_000_000 + GET)
        assert [(await whole.answer())[0] for _ in range(2)] == [401, 200]
        expecting = await api.open(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert (await expecting.answer())[0] == 401
        assert await expecting.ended(), "nobody knows whether the body follows"


async def test_framing_and_trailers_are_bounded_and_reach_nobody(settings: Settings) -> None:
    chunked = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    seen: list[list[bytes]] = []

    def prepare(app: FastAPI) -> None:
        with_large_answers(app)

        @app.post("/seen")
        async def see(request: Request) -> Response:
            await request.body()
            seen.append([name for name, _ in request.scope["headers"]])
            return Response("")

    async with serving(settings, prepare, body_timeout=30) as api:
        for endless in (
            b"1\r\na\r\n0\r\nTrailer: " + b"a" * 60_000_000,
            b"1\r\na\r\n0\r\n" + b"T: 1\r\n" * 10_000,
            b"1;" + b"x" * 60_000_000,
        ):
            client = await api.open(chunked)
            sending = asyncio.create_task(client.drip(endless, 60))
            assert (await client.answer())[0] in (400, 431), endless[:20]
            sending.cancel()
        assert (await api.ask(chunked + b"1\r\na\r\n" * 50_000 + b"0\r\n\r\n"))[0] == 200
        trailed = chunked.replace(b"read", b"seen") + b"1\r\na\r\n0\r\nX-Forwarded-For: y\r\n\r\n"
        assert (await api.ask(trailed))[0] == 200
        assert seen == [[b"host", b"transfer-encoding"]]


async def test_bodies_are_held_within_one_budget_and_given_back(settings: Settings) -> None:
    """A quarter of it for one caller."""
    head = b"POST /v1/receipts/sendgrid/x/events HTTP/1.1\r\nHost: x\r\n"
    head += b"X-Forwarded-For: %s\r\nContent-Length: 8000000\r\n\r\n"
    async with serving(settings, max_bodies=32 * 1024 * 1024, body_timeout=60) as api:
        budget = api.bodies()
        slow = [await api.open(head % b"203.0.113.%d" % number + b"a" * 7_900_000) for number in range(4)]
        await until(lambda: budget._held == 4 * 7_900_000)
        for address in (b"203.0.113.0", b"203.0.113.99"):
            one_more = await api.open(head % address + b"a" * 7_999_999)
            assert (await one_more.answer())[1]["code"] == "overloaded"
        assert budget._held == 4 * 7_900_000
        for client in slow:
            client.writer.close()
        await until(lambda: budget._held == 0)
        assert not budget._of
        last = await api.open(head % b"203.0.113.0" + b"a" * 8_000_000)
        assert (await last.answer())[0] == 404, "held no more"


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_answers_nobody_reads_hold_no_place(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty connections ask for the largest there is, again and again, and read nothing."""
    monkeypatch.setattr(http_protocol, "SLOWEST_READER", LARGE)
    asked = b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serving(settings, with_large_answers, answer_timeout=3) as api:
        deaf = [await api.deaf(asked * 10) for _ in range(admission.SLOTS + 6)]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        reading = await api.open(asked)
        async with asyncio.timeout(2):
            head = await reading.reader.readuntil(b"\r\n\r\n")
            await reading.reader.readexactly(LARGE)
        assert b" 200 " in head
        assert time.monotonic() - began < 2
        reading.writer.close()
        await until(lambda: len(api.connections) == 0, 20)
        for client in deaf:
            client.close()


async def test_a_stream_lasts_as_long_as_it_is_read(settings: Settings) -> None:
    async with serving(settings, with_large_answers) as api:
        read = await api.open(b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        deaf = await api.deaf(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(15):
            assert (await read.reader.read()).endswith(b"0\r\n\r\n")
        await until(lambda: len(api.connections) == 0)
        deaf.close()


async def test_answers_in_all_are_bounded(settings: Settings) -> None:
    asked = b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serving(settings, with_large_answers, answer_timeout=60, max_unread=UNREAD) as api:
        deaf = [await api.deaf(asked) for _ in range(10)]
        await until(lambda: 0 < len(api.connections) < 10)
        await until(lambda: 0 < sum(each.unread for each in api.connections._open) <= UNREAD)
        for client in deaf:
            client.close()


async def test_many_requests_at_once_are_not_kept(settings: Settings) -> None:
    async with serving(settings, with_large_answers) as api:
        client = await api.open(GET.replace(b"healthz", b"slow") + GET * 5_000)
        statuses = [(await client.answer())[0] for _ in range(18)]
        assert statuses == [200] * 17 + [503]
        assert await client.ended()
        well = await api.open(GET * 10)
        assert [(await well.answer())[0] for _ in range(10)] == [200] * 10


# --- connections ------------------------------------------------------------------------------------------------------


async def test_connections_are_counted_by_address_and_in_all(settings: Settings) -> None:
    async with serving(settings, connections_per_address=3, max_connections=10, head_timeout=30) as api:
        theirs = [await api.open(source="127.0.0.9") for _ in range(3)]
        await until(lambda: len(api.connections) == 3)
        status, content = await api.ask(source="127.0.0.9")
        assert (status, content["code"]) == (503, "overloaded")
        assert (await api.ask(source="127.0.0.10"))[0] == 200, "another address"
        proxy = [await api.open(GET) for _ in range(6)]  # 127.0.0.1 is one, as uvicorn has it
        for client in proxy:
            assert (await client.answer())[0] == 200
        await until(lambda: len(api.connections) == 9)
        last = await api.open()
        await until(lambda: len(api.connections) == 10)
        assert (await api.ask())[0] == 503
        for client in (*theirs, *proxy, last):
            client.writer.close()
        await until(lambda: len(api.connections) == 0)
        assert (await api.ask(source="127.0.0.9"))[0] == 200
        await until(lambda: not api.connections._of_address)


def test_one_caller_may_send_the_largest_body_there_is() -> None:
    from api.large_callbacks import CALLBACK_PATHS
    from api.request_bodies import SHARE

    smallest = next(each.ge for each in ApiSettings.model_fields["max_bodies"].metadata)
    assert max(one.most_bytes for one in CALLBACK_PATHS.values() if not one.on_disk) <= smallest // SHARE
