"""A receipt that never comes: the provider is asked, at growing ages, until its word is final or it cannot tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.domain.delivery_ports import Account
from bellhop.domain.questions import QuestionLimit, Rank, comes_back
from bellhop.providers import providers
from bellhop.providers.twilio.adapter import Twilio
from bellhop.settings import Settings
from bellhop.store.delivery.questions import Questions
from bellhop.store.settings import DeliverySettings

from .engine import EMAIL, SMS, Engine, key, running_engine

OFTEN = [0.6, 1.5, 3.0, 6.0, 12.0, 24.0]


@pytest.fixture
async def stack(
    settings: Settings, engine: AsyncEngine, temporal: Client, sandbox_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[Engine]:
    settings.delivery.follow_at = OFTEN
    settings.delivery.question_rate = getattr(request, "param", settings.delivery.question_rate)
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


@pytest.mark.parametrize("stack", [2.0], indirect=True)
async def test_an_account_is_asked_no_oftener_than_it_may_be_and_all_are_asked(stack: Engine) -> None:
    """By all processes together: what was asked is in the record."""
    await stack.sandbox.delete("/_sandbox/requests")
    await stack.fault("callback_drop", provider="twilio", count=40)
    sent = [await stack.send({**SMS, "recipient": f"+1305555{4000 + n}"}) for n in range(8)]
    for one in sent:
        await stack.until(one["id"], "delivered", seconds=40)
    rows = (await stack.sandbox.get("/_sandbox/requests")).json()["data"]
    moments = sorted(datetime.fromisoformat(row["at"]) for row in rows if row["method"] == "GET")
    assert len(moments) >= 8
    # Two a second, so three seconds in all, of which a busy machine may make less: they are late by the way there.
    assert moments[-1] - moments[0] > timedelta(seconds=1.5)
    assert await stack.rows("select from waiting_questions") == [], "nobody waits any more"


async def test_what_became_of_a_call_is_asked_before_what_is_silent(engine: AsyncEngine) -> None:
    """Of each kind the oldest first."""
    questions = Questions(10.0, {"sendgrid": QuestionLimit(1, 60.0)})
    account = Account(uuid4(), "sendgrid", "key", "", {}, environment="test")
    now = datetime.now(UTC)

    silent, older, unknown, urgent = (uuid4() for _ in range(4))
    order = {
        urgent: (Rank.URGENT_OUTCOME, 5), unknown: (Rank.OUTCOME, 5), older: (Rank.SILENT, 20),
        silent: (Rank.SILENT, 10),
    }  # fmt: skip

    async def turn(message: UUID) -> float:
        rank, age = order.get(message, (Rank.SILENT, 0))
        async with engine.begin() as tx:
            return await questions.turn(tx, account, message, rank, now - timedelta(seconds=age))

    async def later() -> None:
        async with engine.begin() as tx:
            await tx.execute(text("update question_budgets set asked = '{}'"))

    assert await turn(uuid4()) == 0
    # However they come.
    for place, one in enumerate((silent, older, unknown, urgent)):
        assert 59 < await turn(one) <= 61, place
    waiting = list(order)
    while waiting:
        await later()
        up = waiting.pop(0)
        for place, one in enumerate(waiting):
            assert await turn(one) == comes_back(61.0 * (place + 1)), "another's turn comes first"
        assert await turn(up) == 0
    # Another account is asked meanwhile, and a page of a list in front of all.
    other = replace(account, identity="other")
    async with engine.begin() as tx:
        assert await questions.turn(tx, other, uuid4(), Rank.SILENT, now) == 0
        assert await questions.turn_of_list(tx, account) > 0


async def test_an_account_that_may_ask_nothing_is_not_counted(engine: AsyncEngine) -> None:
    """Else thousands of mails whose outcome nobody can tell would wait for their turn to be told that."""
    questions = Questions(10.0, {"sendgrid": QuestionLimit(1, 60.0)})
    account, now = Account(uuid4(), "sendgrid", "key", "", {}, environment="test"), datetime.now(UTC)
    async with engine.begin() as tx:
        assert await questions.turn(tx, account, uuid4(), Rank.OUTCOME, now) == 0
        assert await questions.turn(tx, account, uuid4(), Rank.OUTCOME, now) > 0
        await questions.was_asked(tx, account, 0)
        assert await questions.turn(tx, account, uuid4(), Rank.OUTCOME, now) == 0
        await tx.execute(text("update question_budgets set uncounted_until = now()"))
        assert await questions.turn(tx, account, uuid4(), Rank.OUTCOME, now) > 0


async def test_a_question_that_took_two_calls_counts_as_two(engine: AsyncEngine) -> None:
    questions = Questions(10.0, {"sendgrid": QuestionLimit(3, 60.0)})
    account, now = Account(uuid4(), "sendgrid", "key", "", {}, environment="test"), datetime.now(UTC)
    async with engine.begin() as tx:
        assert await questions.turn(tx, account, uuid4(), Rank.SILENT, now) == 0
        await questions.was_asked(tx, account, 2)
        assert await questions.turn(tx, account, uuid4(), Rank.SILENT, now) == 0
        assert await questions.turn(tx, account, uuid4(), Rank.SILENT, now) > 0
