"""What Twilio could not deliver at the first address comes by the fallback one: signed for that one, stored once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from twilio.request_validator import RequestValidator

from bellhop.settings import Settings
from tests.sandbox_accounts import sandbox_twilio

from .conftest_api import Api, open_api

SECOND = "https://second.example/hotel"
FIELDS = {
    "MessageSid": "SM" + "1" * 32,
    "From": "+13055551234",
    "To": sandbox_twilio.FROM_NUMBER,
    "Body": "We are late",
    "NumMedia": "0",
}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    settings.bellhop.fallback_url = SECOND
    async with open_api(settings, engine) as opened:
        yield opened


async def post(api: Api, base: str, path: str, **fields: str) -> int:
    """The answer to a text that Twilio posts to an address below `base`."""
    called = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/{path}"
    form = FIELDS | fields
    signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(base + called, form)
    answer = await api.http.post(
        called,
        content=urlencode(form),
        headers={"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"},
    )
    return answer.status_code


async def test_a_text_that_comes_by_both_addresses_is_one(api: Api, settings: Settings) -> None:
    first = settings.bellhop.public_url
    wrong = {"ErrorCode": "11200", "ErrorUrl": f"{first}/v1/receipts/twilio/x/inbound"}
    assert await post(api, SECOND, "fallback", **wrong) == 200
    assert await post(api, first, "inbound") == 200
    assert await post(api, SECOND, "fallback", **wrong) == 200
    assert await api.sql("select content from messages") == [("We are late",)]


async def test_each_address_is_signed_for_itself(api: Api, settings: Settings) -> None:
    assert await post(api, settings.bellhop.public_url, "fallback") == 403
    assert await post(api, SECOND, "inbound") == 403
    assert await api.rows("messages") == 0


async def test_without_a_second_address_it_is_the_first(settings: Settings, engine: AsyncEngine) -> None:
    async with open_api(settings, engine) as api:
        assert await post(api, settings.bellhop.public_url, "fallback") == 200
        assert await api.rows("messages") == 1
