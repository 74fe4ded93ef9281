"""Callbacks that came while no API process ran are asked for when one does again: many messages in one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.domain.delivery_ports import ProviderUnreachable
from bellhop.engine import missed_callbacks as engine_part
from bellhop.providers.twilio.adapter import Twilio
from bellhop.settings import Settings

from .engine import EMAIL, SMS, Engine, key, running_engine


@pytest.fixture
async def stack(
    settings: Settings, engine: AsyncEngine, temporal: Client, sandbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    monkeypatch.setattr(engine_part, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(engine_part, "AGAIN", 0.5)
    # Nothing is asked about one by one.
    settings.delivery.follow_at = [3_600.0]
    settings.delivery.missed_after = 6.0
    async with running_engine(settings, engine, temporal, sandbox_url) as made:
        yield made


async def away(stack: Engine) -> None:
    """As if no API process had run for an hour."""
    await stack.rows("update installation set api_seen_at = now() - interval '1 hour' returning id")


async def asked(stack: Engine) -> list[str]:
    calls = (await stack.sandbox.get("/_sandbox/requests")).json()["data"]
    return [call["path"] for call in calls if call["method"] == "GET"]


async def asked_for(stack: Engine) -> None:
    """Until one is seen to run again, and all that was missed has been asked for."""
    async with asyncio.timeout(20):
        while await stack.rows("select from installation where api_seen_at < now() - interval '1 minute'"):
            await asyncio.sleep(0.05)
        while await stack.rows("select from missed_callbacks"):
            await asyncio.sleep(0.05)


async def test_what_was_missed_is_asked_for_in_batches_and_each_counts_once(stack: Engine) -> None:
    await stack.sandbox.put("/_sandbox/settings", json={"sendgrid_email_activity": True})
    try:
        for provider in ("twilio", "sendgrid", "sendblue"):
            await stack.fault("callback_drop", provider=provider, count=100)
        sent = [await stack.send({**SMS, "recipient": f"+1305555{4000 + n}"}) for n in range(12)]
        sent += [await stack.send({**EMAIL, "recipient": f"noopen{n}@example.com"}) for n in range(3)]
        sent += [await stack.send({**SMS, "channel": "imessage", "recipient": f"+1305555{5000 + n}"}) for n in range(3)]
        failing = [await stack.send({**SMS, "recipient": "+13055553003"})]
        failing += [await stack.send({**EMAIL, "recipient": "bounce@example.com"})]
        for one in sent + failing:
            await stack.until(one["id"], "sent")
        before = len(await asked(stack))
        # By then the providers have said all they will.
        await asyncio.sleep(1.5)
        assert len(await asked(stack)) == before, "nobody asks"
        await away(stack)
        for one in sent:
            await stack.until(one["id"], "delivered", seconds=30)
        for one in failing:
            await stack.until(one["id"], "failed", seconds=30)
        await asked_for(stack)
    finally:
        await stack.sandbox.put("/_sandbox/settings", json={"sendgrid_email_activity": False})
    # Of each account a page; of the mail that came back, why.
    assert len(await asked(stack)) - before <= 5
    # Their workflows were told.
    assert await stack.workflow_closed(sent[0]["id"]) == "delivered"
    assert await stack.events(sent[0]["id"]) == ["message.sent", "message.delivered"]
    (receipt,) = await stack.rows("select * from receipts where message_id = :id", id=key(sent[0]["id"]))
    assert "+1305" not in str(receipt["payload"])
    receipts = len(await stack.rows("select from receipts"))
    await away(stack)
    await asked_for(stack)
    assert len(await stack.rows("select from receipts")) == receipts, "once more says nothing new"


async def test_a_provider_that_is_away_is_asked_again(stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a callback that comes all the same is the same receipt."""
    tried = 0
    reports = Twilio.reports

    def once_away(self: Twilio, *given: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise ProviderUnreachable
        return reports(self, *given)

    monkeypatch.setattr(Twilio, "reports", once_away)
    await stack.fault("callback_delay", provider="twilio", count=2, delay=4)
    message = (await stack.send(SMS))["id"]
    await stack.until(message, "sent")
    await asyncio.sleep(0.5)
    await away(stack)
    await stack.until(message, "delivered")
    assert tried >= 2
    async with asyncio.timeout(20):
        while len(await stack.rows("select from receipts where message_id = :id", id=key(message))) < 2:
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.3)
    words = await stack.rows("select word from receipts where message_id = :id order by word", id=key(message))
    assert [row["word"] for row in words] == ["delivered", "sent"]


async def test_while_a_process_runs_nothing_is_missed(stack: Engine) -> None:
    await stack.fault("callback_drop", provider="twilio")
    message = (await stack.send(SMS))["id"]
    await stack.until(message, "sent")
    (first,) = await stack.rows("select api_seen_at from installation")
    async with asyncio.timeout(20):
        while (await stack.rows("select api_seen_at from installation")) == [first]:
            await asyncio.sleep(0.1)
    assert await stack.rows("select from missed_callbacks") == []
    assert (await stack.get(message))["status"] == "sent"
