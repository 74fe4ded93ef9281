"""What a drain does when the customer's server fails: schedule, rest, refusal, disabling. Everything real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import Prefix, render
from bellhop.domain.statuses import Stage
from bellhop.domain.webhook_ports import Visit
from bellhop.store.webhooks import deliveries
from bellhop.webhooks.poster import WebhookPoster, make_client
from bellhop.webhooks.settings import WebhookSettings
from tests.integration.engine import free_port
from tests.integration.webhooks_kit import (
    LOCAL,
    QUICK,
    Answer,
    Call,
    Receiver,
    WebhookStack,
    build_stack,
    says,
    serving,
)


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


# --- failing --------------------------------------------------------------------------------------------------------


async def test_i4_retries_keep_the_id_follow_the_schedule_and_end(stack: WebhookStack, receiver: Receiver) -> None:
    receiver.answer = says(500, 301, 404)
    endpoint = await stack.endpoint(receiver.url)
    message = await stack.message()
    await stack.tell(message, Stage.SENT)
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.tell(message, Stage.DELIVERED)
    await stack.set_endpoint(endpoint, is_active=True)
    for attempt, pause in ((1, 60), (2, 600)):
        after = (await stack.drain(endpoint)).after
        assert after is not None and pause - 5 < after <= pause * 1.1
        first = (await stack.deliveries(endpoint))[0]
        assert (first.state, first.attempts) == ("pending", attempt)
        await stack.due_now(endpoint)
    await stack.drain(endpoint)
    first = (await stack.deliveries(endpoint))[0]
    assert (first.state, first.attempts, first.last_status, first.last_error) == ("failed", 3, 404, "http 404")
    ids = [c.json["id"] for c in receiver.calls if c.json["data"]["id"] == render(Prefix.MESSAGE, message)]
    assert ids.count(ids[0]) == 3, "one id for all attempts"
    types = [c.json["type"] for c in receiver.calls if c.json["data"]["id"] == render(Prefix.MESSAGE, message)]
    assert types[-1] == "message.delivered", "the last word on one event lets the next one go"


async def test_a_redirect_is_a_failure_and_is_not_followed(stack: WebhookStack, receiver: Receiver) -> None:
    receiver.answer = says(307, location=receiver.url + "/elsewhere")
    endpoint = await stack.endpoint(receiver.url + "/hook")
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    assert [call.path for call in receiver.calls] == ["/hook"]
    assert (await stack.deliveries(endpoint))[0].last_error == "http 307"


async def test_retry_after_is_kept_and_holds_back_what_else_is_due(stack: WebhookStack, receiver: Receiver) -> None:
    receiver.answer = says(429, retry_after="120")
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(40):
        await stack.tell(await stack.message(), Stage.SENT)
    after = (await stack.drain(endpoint)).after
    assert after is not None and 110 < after <= 120
    assert len(receiver.calls) <= 16, "those under way when the first answer came, and no more"
    rows = await stack.deliveries(endpoint)
    tried = [row for row in rows if row.attempts]
    assert all(row.next_at > datetime.now(UTC) + timedelta(seconds=110) for row in tried)
    assert (await stack.endpoint_row(endpoint)).rests_until > datetime.now(UTC) + timedelta(seconds=110)
    assert len(tried) == len(receiver.calls)
    assert {row.state for row in rows} == {"pending"}


async def test_a_retry_after_that_is_a_date_is_read_by_the_databases_clock(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine
) -> None:
    """`at` is that clock: here it is ten minutes behind this process's. Seen to fail with the process's own."""
    named = datetime.now(UTC) + timedelta(seconds=120)
    receiver.answer = says(503, retry_after=format_datetime(named, usegmt=True))
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    async with engine.begin() as tx:
        ((delivery,),) = (await deliveries.claim(tx, [Visit(endpoint, room=5)], 30.0)).values()
    settings = WebhookSettings(_env_file=None, allow=LOCAL)
    async with make_client(settings) as client:
        posted = await WebhookPoster(settings, client).post(delivery, datetime.now(UTC) - timedelta(seconds=600))
    assert posted.retry_after is not None and 700 < posted.retry_after <= 720


async def test_words_for_what_went_wrong(stack: WebhookStack, receiver: Receiver) -> None:
    async def never(_: Call) -> Answer:
        await asyncio.sleep(1)
        return 200, {}

    receiver.answer = never
    expected = {
        receiver.url: "timeout",
        "http://127.0.0.1:9/": "refused",
        "http://nowhere.invalid/": "unknown host",
        "https" + receiver.url[4:]: "tls",
        "http://10.0.0.1/": "forbidden address",
    }
    endpoints = {url: await stack.endpoint(url) for url in expected}
    await stack.tell(await stack.message(), Stage.SENT)
    await asyncio.gather(
        *(stack.drain(to, timeout=0.5 if url == receiver.url else 20.0) for url, to in endpoints.items())
    )
    words = {url: (await stack.deliveries(endpoint))[0].last_error for url, endpoint in endpoints.items()}
    assert words == expected


async def test_private_addresses_are_refused_when_nothing_allows_them(stack: WebhookStack, receiver: Receiver) -> None:
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint, allow=[])
    assert receiver.calls == []
    (row,) = await stack.deliveries(endpoint)
    assert (row.state, row.last_error, row.last_status) == ("pending", "forbidden address", None)


async def test_i4_a_server_that_was_down_for_a_day_gets_everything_when_it_is_back(stack: WebhookStack) -> None:
    """The real schedule, played: what time it takes is moved, nothing else. Every six hours bring a message."""
    day, six_hours = 86_400.0, 21_600.0
    schedule = WebhookSettings(_env_file=None)
    pace = replace(QUICK, linger=0.0, poll=0.005)
    asked: dict[str, Any] = {"pauses": schedule.retry_pauses, "disable_after": schedule.disable_after, "pace": pace}
    port = free_port()
    endpoint = await stack.endpoint(f"http://127.0.0.1:{port}")
    elapsed, news, tries = 0.0, 0, 0
    while elapsed < day:
        if elapsed >= news * six_hours:
            await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
            news += 1
        after = (await stack.drain(endpoint, **asked)).after
        assert after is not None
        tries += 1
        after = max(0.0, min(after, news * six_hours - elapsed))
        await stack.pass_time(endpoint, after)
        elapsed += after
    row = await stack.endpoint_row(endpoint)
    assert row.is_active and row.failing_since < datetime.now(UTC) - timedelta(seconds=day * 0.99)
    assert tries < 60, "a server that is down is left in peace"
    async with serving(port) as receiver:
        while (after := (await stack.drain(endpoint, **asked)).after) is not None:
            await stack.pass_time(endpoint, after)
            elapsed += after
        reported: dict[str, list[str]] = {}
        for call in receiver.calls:
            reported.setdefault(call.json["data"]["id"], []).append(call.json["type"])
        assert len(reported) == news == 4
        assert set(map(tuple, reported.values())) == {("message.sent", "message.delivered")}
        assert len({call.json["id"] for call in receiver.calls}) == 8
    assert elapsed < 2 * day, "the pauses grow to less than a day"
    assert (await stack.endpoint_row(endpoint)).failing_since is None
    assert {row.state for row in await stack.deliveries(endpoint)} == {"delivered"}


# --- disabling ------------------------------------------------------------------------------------------------------


async def test_410_disables_at_once_and_the_others_are_notified(stack: WebhookStack, receiver: Receiver) -> None:
    async def gone(call: Call) -> Answer:
        return (410 if call.path == "/gone" else 200), {}

    receiver.answer = gone
    left = await stack.endpoint(receiver.url + "/gone")
    other = await stack.endpoint(receiver.url + "/other")
    picky = await stack.endpoint(receiver.url + "/picky", ["message.read"])
    await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
    assert (await stack.drain(left)).after is None
    assert stack.woken.endpoints == {other}
    row = await stack.endpoint_row(left)
    assert (row.is_active, row.disabled_reason) == (False, "gone") and row.disabled_at is not None
    assert row.draining_until is None
    assert {row.state for row in await stack.deliveries(left)} == {"pending"}, "they wait for its return"

    await stack.drain(other)
    await stack.drain(picky)
    (notice,) = (call.json for call in receiver.at("/other") if call.json["type"] == "endpoint.disabled")
    assert notice["data"]["id"] == render(Prefix.ENDPOINT, left)
    assert notice["data"]["disabled_reason"] == "gone"
    assert not receiver.at("/picky")
    assert len(receiver.at("/gone")) == 1, "a disabled endpoint is not called"

    receiver.answer = None
    await stack.set_endpoint(left, is_active=True, disabled_at=None, failing_since=None)
    await stack.due_now(left)
    await stack.drain(left)
    assert [call.json["type"] for call in receiver.at("/gone")[1:]] == ["message.sent", "message.delivered"]


async def test_an_endpoint_that_only_fails_for_long_is_disabled_and_a_success_starts_afresh(
    stack: WebhookStack, receiver: Receiver
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    receiver.answer = says(500, 200, 500)
    for expected in (True, False):
        await stack.tell(await stack.message(), Stage.SENT)
        await stack.drain(endpoint)
        assert ((await stack.endpoint_row(endpoint)).failing_since is not None) is expected
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    assert (await stack.endpoint_row(endpoint)).is_active, "not failing for long enough"
    await stack.set_endpoint(endpoint, failing_since=datetime.now(UTC) - timedelta(seconds=1001))
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    row = await stack.endpoint_row(endpoint)
    assert (row.is_active, row.disabled_reason) == (False, "failing")


async def test_what_is_pending_for_a_deleted_endpoint_is_abandoned(stack: WebhookStack, receiver: Receiver) -> None:
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.set_endpoint(endpoint, is_active=False, deleted_at=datetime.now(UTC))
    assert (await stack.drain(endpoint)).after is None
    assert [row.state for row in await stack.deliveries(endpoint)] == ["abandoned"]
    assert receiver.calls == []
