"""Guests' messages said again and out of order, to two API processes: each is stored once and reported once.
`python -m bench.inbound` does the same with 10,000."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from bench import inbound
from tests.sandbox_accounts import sandbox_twilio

from .inbox_kit import Inboxes, open_inboxes

MESSAGES = 150


@pytest.fixture
async def inboxes(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Inboxes]:
    async with open_inboxes(settings, engine) as opened:
        yield opened


async def test_each_message_is_stored_once_and_reported_once(inboxes: Inboxes) -> None:
    hook = {"url": "http://127.0.0.1:9/hook", "events": "message.received"}
    assert (await inboxes.http.post("/v1/webhooks", json=hook, headers=inboxes.key)).status_code == 201
    forms = inbound.callbacks(MESSAGES, random.Random(5), sandbox_twilio.FROM_NUMBER)
    assert len(forms) > MESSAGES
    servers = [inbound.Server(http, str(http.base_url).rstrip("/")) for http in inboxes.servers]
    await inbound.post(servers, forms, sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, 12)
    (row,) = await inboxes.sql(inbound.COUNTS)
    assert inbound.Counts(*row).wrong(MESSAGES, 1) == []
