"""Batches: each message accepted or refused by itself, all in one transaction, once under one key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import EMAIL, SMS, Api, open_api

LATER = {"scheduled_at": "2030-01-01T09:00:00Z"}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def batch(api: Api, *messages: Any, headers: dict[str, str] | None = None) -> Any:
    return await api.http.post("/v1/messaging/batch", json={"messages": list(messages)}, headers=headers)


async def test_a_bad_one_costs_only_itself(api: Api) -> None:
    guest = await api.guest()
    made = await api.http.post("/v1/templates", json={"name": "hello", "locale": "en", "content": "Hello {{ name }}"})
    assert made.status_code == 201, made.text
    hello = {"name": "hello", "locale": "en", "parameters": {"name": "Jordan"}}
    good: list[dict[str, Any]] = [
        SMS,
        EMAIL | LATER,
        {"channel": "sms", "recipient": "+13055551234", "template": hello},
        {"channel": "in_app", "recipient": guest["id"], "content": "Your key"},
        EMAIL | {"guest_id": guest["id"], "fallback": [{"channel": "sms", "content": "Tomorrow"}]},
        {"channel": "auto", "recipient": guest["id"], "content": "Your suite", "subject": "Suite"},
        SMS | {"media": [{"url": "https://example.com/a.jpg"}], "validity": 600, "category": "marketing"},
    ]
    bad: list[Any] = [
        SMS | {"recipient": "nobody"},
        SMS | {"guest_id": "gst_01m7y9ww09fpfsjyxvxv8v45j6"},
        # Known only once it was written.
        SMS | {"valid_until": "2020-01-01T09:00:00Z"},
        {"channel": "sms", "recipient": "+13055551234", "template": hello | {"name": "none"}},
        EMAIL | {"fallback": [{"channel": "inbox", "recipient": "x"}]},
        {"channel": "whatsapp", "recipient": "+13055551234", "content": "Nobody carries it, or no template"},
        SMS | {"from": "+19995550000"},
        "no object",
        SMS | {"surprise": 1},
    ]
    mixed = [one for pair in zip(bad, good + good[:2], strict=True) for one in pair]
    answer = await batch(api, *mixed)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (len(good) + 2, len(bad))
    assert [one["index"] for one in body["data"]] == list(range(len(mixed)))
    for place, (given, outcome) in enumerate(zip(mixed, body["data"], strict=True)):
        if place % 2:
            assert outcome["error"] is None, outcome
            shown = await api.http.get(f"/v1/messaging/{outcome['message']['id']}")
            assert shown.json() == {name: one for name, one in outcome["message"].items() if name != "warnings"}
            assert outcome["message"]["status"] == "queued"
        else:
            single = await api.http.post("/v1/messaging/send", json=given)
            alone = single.json() | {"request_id": body["data"][0]["error"]["request_id"]}
            # Of what is no object a field has to be named.
            assert outcome["error"] == alone or given == "no object", (given, outcome["error"], alone)
            assert outcome["message"] is None
    assert await api.rows("messages") == body["accepted"]
    assert (await api.sql("select count(*) from events where type = 'message.queued'"))[0][0] == body["accepted"]
    assert await api.rows("message_batches") == 0, "there is no key to repeat it with"


async def test_a_repetition_makes_nothing_and_hears_the_same(api: Api) -> None:
    guest = await api.guest()
    messages = [
        SMS | {"guest_id": guest["id"]},
        SMS | {"recipient": "+1"},
        SMS | {"from": "+19995550000"},
        EMAIL | LATER | {"recipient": "somebody@example.com"},
    ]
    key = {"Idempotency-Key": "breakfast"}
    both = await asyncio.gather(batch(api, *messages, headers=key), batch(api, *messages, headers=key))
    assert [one.status_code for one in both] == [202, 202]
    first, second = (one.json() for one in both)
    for body in (first, second):
        for outcome in body["data"]:
            if outcome["error"]:
                outcome["error"].pop("request_id")
    assert first == second
    assert sorted(one.headers.get("idempotency-replayed", "") for one in both) == ["", "true"]
    assert await api.rows("messages") == 2
    assert (await batch(api, SMS, headers=key)).status_code == 409
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    again = (await batch(api, *messages, headers=key)).json()
    assert [one["error"] and one["error"]["code"] for one in again["data"]] == [
        "idempotency_subject_gone", "invalid", "invalid", None,
    ]  # fmt: skip


async def test_batches_are_bounded_and_counted(api: Api) -> None:
    assert (await batch(api)).status_code == 422
    assert (await batch(api, *[{}] * 1_001)).status_code == 422
    long = EMAIL | {"content": "x" * 9_000}
    assert (await batch(api, *[long] * 200, headers=await api.mint(rate_limit=199))).status_code == 429
    assert (await batch(api, *[long] * 500)).status_code == 413
    few = await api.mint(rate_limit=10)
    assert (await batch(api, *[SMS] * 8, headers=few)).headers["ratelimit"].startswith('"key";r=2;')
    refused = await batch(api, *[SMS] * 4, headers=few)
    assert refused.status_code == 429
    assert refused.json()["detail"].startswith("This API key may make 10 requests a minute. A batch of 4 messages")
    assert (await batch(api, SMS, headers=few)).status_code == 202
    assert await api.rows("messages") == 9


async def test_batches_that_cross_do_not_wait_for_each_other(api: Api) -> None:
    """They go to the same new addresses and conversations, in opposite orders, while single messages come between."""
    guests = [(await api.guest(email=f"guest{number}@example.com"))["id"] for number in range(12)]
    to_guests = [EMAIL | LATER | {"recipient": f"new{n}@example.com", "guest_id": one} for n, one in enumerate(guests)]
    texts = [
        SMS | LATER | {"recipient": f"+130555512{number:02}", "guest_id": one} for number, one in enumerate(guests)
    ]
    nobodys = [SMS | LATER | {"recipient": f"+130555513{number:02}"} for number in range(20)]
    messages = [*to_guests, *texts, *nobodys]
    headers = await api.mint(rate_limit=100_000)
    neighbours = await api.mint(rate_limit=100_000)
    answers = await asyncio.gather(
        batch(api, *messages, headers=headers),
        batch(api, *reversed(messages), headers=neighbours),
        *(api.http.post("/v1/messaging/send", json=one) for one in texts),
    )
    assert [one.json().get("accepted") for one in answers[:2]] == [len(messages)] * 2
    assert {one.status_code for one in answers[2:]} == {201}
    assert await api.rows("messages") == 2 * len(messages) + len(texts)
