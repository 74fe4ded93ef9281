"""A receipt that never comes: the provider is asked, at growing ages, until its word is final or it cannot tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.providers import providers
from bellhop.providers.twilio.adapter import Twilio
from bellhop.settings import Settings
from bellhop.store.settings import DeliverySettings

from .engine import EMAIL, SMS, Engine, key, running_engine

OFTEN = [0.6, 1.5, 3.0, 6.0, 12.0, 24.0]


@pytest.fixture
async def stack(settings: Settings, engine: AsyncEngine, temporal: Client, sandbox_url: str) -> AsyncIterator[Engine]:
    settings.delivery.follow_at = OFTEN
    async with running_engine(settings, engine, temporal, sandbox_url) as made:
        yield made


async def said(stack: Engine, message: str) -> list[str]:
    """The questions on the timeline of a message, and what was answered."""
    timeline = (await stack.http.get(f"/v1/messaging/{message}/timeline")).json()["data"]
    return [entry["detail"] for entry in timeline if entry["what"] == "attempt.asked"]


async def asked(stack: Engine, message: str, times: int) -> list[str]:
    async with asyncio.timeout(20):
        while len(found := await said(stack, message)) < times:
            await asyncio.sleep(0.05)
    return found


async def lookups(stack: Engine) -> int:
    calls = (await stack.sandbox.get("/_sandbox/requests")).json()["data"]
    return len([call for call in calls if call["method"] == "GET"])


def test_the_ages_grow() -> None:
    follow_at = DeliverySettings.model_fields["follow_at"].default
    pauses = [after - before for before, after in pairwise(follow_at)]
    assert pauses == sorted(pauses)
    for horizon in (provider.horizon.total_seconds() for provider in providers().values()):
        if not horizon:
            continue  # It takes a message and says nothing more of it.
        assert 0.9 * horizon < follow_at[-1] < horizon, "the last question is asked just before the last word"


async def test_without_its_callbacks_a_text_ends_delivered_all_the_same(stack: Engine) -> None:
    await stack.fault("callback_drop", provider="twilio")
    sent = await stack.send(SMS)
    await stack.until(sent["id"], "delivered")
    assert await stack.workflow_closed(sent["id"]) == "delivered"
    assert await stack.events(sent["id"]) == ["message.sent", "message.delivered"]
    assert (await said(stack, sent["id"]))[-1] == "the provider was asked, and it has the message: 'delivered'"
    (receipt,) = await stack.rows("select * from receipts where message_id = :id", id=key(sent["id"]))
    assert receipt["word"] == "delivered"
    assert "+1305" not in str(receipt["payload"])


async def test_it_is_asked_again_while_its_word_is_not_final(stack: Engine) -> None:
    """The number stays `sent` at the provider."""
    sent = await stack.send({**SMS, "recipient": "+13055559032"})
    await stack.until(sent["id"], "sent")
    assert await asked(stack, sent["id"], 3) == ["the provider was asked, and it has the message: 'sent'"] * 3
    assert (await stack.get(sent["id"]))["status"] == "sent"


async def test_a_failure_nobody_reported_is_found_out(stack: Engine) -> None:
    await stack.fault("callback_drop", provider="twilio")
    sent = await stack.send({**SMS, "recipient": "+13055553003"})
    failed = await stack.until(sent["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "unreachable"
    assert failed["metadata"]["error"]["provider_code"] == "30003"


async def test_a_receipt_after_the_answer_is_a_duplicate(stack: Engine) -> None:
    await stack.fault("callback_delay", provider="twilio", delay=2.5)
    sent = await stack.send(SMS)
    await stack.until(sent["id"], "delivered")
    async with asyncio.timeout(20):
        while len(await stack.rows("select from receipts where message_id = :id", id=key(sent["id"]))) < 2:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    words = await stack.rows("select word from receipts where message_id = :id order by word", id=key(sent["id"]))
    assert [row["word"] for row in words] == ["delivered", "sent"]
    assert await stack.events(sent["id"]) == ["message.sent", "message.delivered"]


async def test_a_provider_that_is_away_is_asked_until_it_is_back(stack: Engine) -> None:
    await stack.fault("callback_drop", provider="twilio")
    await stack.fault("unavailable", provider="twilio", calls="lookup", count=4)
    sent = await stack.send(SMS)
    await stack.until(sent["id"], "delivered", seconds=30)
    words = await said(stack, sent["id"])
    assert words[0] == "the provider was asked and did not answer; it is asked again"
    assert len(words) == 2, "noted once, however often"


async def test_a_mail_provider_that_cannot_tell_is_asked_once(stack: Engine) -> None:
    await stack.fault("callback_drop", provider="sendgrid")
    sent = await stack.send(EMAIL)
    (words,) = await asked(stack, sent["id"], 1)
    assert words == "the provider cannot tell when it is asked; it may still send a receipt by itself"
    before = await lookups(stack)
    await asyncio.sleep(OFTEN[2])
    assert await lookups(stack) == before
    assert (await stack.get(sent["id"]))["status"] == "sent"


async def test_a_mail_provider_that_can_tell_says_delivered(stack: Engine) -> None:
    """An account with the Email Activity API."""
    await stack.sandbox.put("/_sandbox/settings", json={"sendgrid_email_activity": True})
    try:
        await stack.fault("callback_drop", provider="sendgrid")
        sent = await stack.send({**EMAIL, "recipient": "noopen@example.com"})
        await stack.until(sent["id"], "delivered")
    finally:
        await stack.sandbox.put("/_sandbox/settings", json={"sendgrid_email_activity": False})


async def test_beyond_the_providers_horizon_nobody_is_asked(stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twilio, "horizon", timedelta(seconds=0.5))
    await stack.fault("callback_drop", provider="twilio")
    sent = await stack.send(SMS)
    before = await lookups(stack)
    await asked(stack, sent["id"], 1)
    assert await lookups(stack) == before
    assert (await stack.get(sent["id"]))["status"] == "sent"


async def test_every_part_of_a_long_text_is_asked_about(stack: Engine) -> None:
    await stack.fault("callback_drop", provider="twilio", count=3)
    sent: dict[str, Any] = await stack.send({**SMS, "content": "Welcome to the house. " * 200})
    await stack.until(sent["id"], "delivered")
    assert len(await stack.attempts(sent["id"])) == 3
    assert await stack.workflow_closed(sent["id"]) == "delivered"
