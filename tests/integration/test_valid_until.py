"""`valid_until`: a message that is of no use later does not go out later, whoever keeps it waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Outgoing
from bellhop.domain.failures import error_object
from bellhop.domain.ids import Prefix, render
from bellhop.domain.serializers import timestamp
from bellhop.providers.fcm.adapter import payload
from bellhop.providers.twilio.adapter import _validity
from bellhop.settings import Settings

from .conftest_api import Api, open_api
from .engine import SMS, Engine, working


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


def ahead(**span: float) -> str:
    shown = timestamp(datetime.now(UTC) + timedelta(**span))
    assert shown is not None
    return shown


async def test_it_is_later_than_the_message_is_due(api: Api) -> None:
    for fields in (
        {"valid_until": ahead(seconds=-5)},
        {"valid_until": "2020-01-01T00:00:00Z", "scheduled_at": "2019-01-01T00:00:00Z"},
        {"valid_until": ahead(hours=1), "scheduled_at": ahead(hours=2)},
        {"valid_until": "2030-01-01T10:00:00+01:00", "scheduled_at": "2030-01-01T09:00:00Z"},
    ):
        answer = await api.send(**fields)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "valid_until"]), fields
        assert "later than `scheduled_at`" in answer.json()["detail"][0]["msg"]
    for wrong in ("tomorrow", "2030-01-01T10:00:00", "2099-01-01T00:00:00Z", 5):
        answer = await api.send(valid_until=wrong)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "valid_until"]), wrong
    assert await api.rows("messages") == 0
    until = ahead(hours=2)
    sent = await api.send(valid_until=until, scheduled_at=ahead(hours=1))
    assert (sent.status_code, sent.json()["valid_until"]) == (201, until)
    assert (await api.send()).json()["valid_until"] is None


async def test_it_expires_at_the_earlier_of_both(api: Api, settings: Settings) -> None:
    usual = timedelta(seconds=settings.delivery.valid_for)
    due = datetime(2030, 1, 1, 9, tzinfo=UTC)
    for until in (due + timedelta(microseconds=1), due + timedelta(hours=1), due + usual, due + 2 * usual, None):
        sent = await api.later(valid_until=timestamp(until))
        (row,) = await api.sql("select expires_at from messages order by id desc limit 1")
        assert row[0] == min(due + usual, until or due + usual), sent


async def test_a_repeated_request_is_answered_as_the_first_was_also_when_it_is_over(api: Api) -> None:
    body: dict[str, Any] = {**SMS, "valid_until": ahead(seconds=1)}
    headers = {"Idempotency-Key": "breakfast"}
    first = await api.http.post("/v1/messaging/send", json=body, headers=headers)
    await asyncio.sleep(1.1)
    again = await api.http.post("/v1/messaging/send", json=body, headers=headers)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])


async def test_it_is_not_moved_beyond(api: Api) -> None:
    message = await api.later(valid_until="2030-01-01T12:00:00Z")
    path = f"/v1/messaging/{message['id']}"
    for beyond in ("2030-01-01T12:00:00Z", "2030-02-01T00:00:00Z"):
        refused = await api.http.patch(path, json={"scheduled_at": beyond})
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "scheduled_at"])
        assert refused.json()["detail"][0]["msg"] == "expected a time before the message's `valid_until`"
    assert (await api.http.get(path)).json()["scheduled_at"] == "2030-01-01T09:00:00.000000Z"
    moved = await api.http.patch(path, json={"scheduled_at": "2030-01-01T11:00:00Z"})
    assert (moved.status_code, moved.json()["valid_until"]) == (200, "2030-01-01T12:00:00.000000Z")
    await api.http.patch(path, json={"scheduled_at": "2029-01-01T00:00:00Z"})
    (row,) = await api.sql("select expires_at from messages")
    assert row[0] == datetime(2029, 1, 4, tzinfo=UTC), "as long as usual, where that is earlier"
    await api.sql("update messages set valid_until = now() - interval '1 minute'")
    assert (await api.http.patch(path, json={"scheduled_at": None})).status_code == 422


async def test_nobody_sent_it_in_time(idle_stack: Engine) -> None:
    """No worker for as long as it was of use: it fails, with a sentence, and its timeline tells until when it was."""
    stack = idle_stack
    message = await stack.send({**SMS, "valid_until": ahead(seconds=1)})
    await asyncio.sleep(1.2)
    async with working(stack):
        shown = await stack.until(message["id"], "failed", seconds=30)
    assert shown["metadata"]["error"] == error_object("expired", None)
    assert await stack.attempts(message["id"]) == []
    entries = (await stack.http.get(f"/v1/messaging/{message['id']}/timeline")).json()["data"]
    assert [each["what"] for each in entries][:3] == ["message.queued", "valid_until", "message.failed"]
    assert entries[1]["at"] == message["valid_until"]


async def test_twilio_is_told_and_what_waits_there_too_long_fails(stack: Engine) -> None:
    for number, until in (("+13055550911", ahead(minutes=30)), ("+13055550912", ahead(days=1))):
        message = await stack.send({**SMS, "recipient": number, "valid_until": until})
        await stack.until(message["id"], "delivered", seconds=30)
    kept = {one["to"]: one["detail"]["validity"] for one in await stack.accepted()}
    assert 1_700 < kept["+13055550911"] <= 1_800
    assert kept["+13055550912"] is None, "longer than Twilio keeps it anyway"
    await stack.sandbox.put("/_sandbox/settings", json={"twilio_sent_after": 60.0, "twilio_delivered_after": 90.0})
    late = await stack.send({**SMS, "valid_until": ahead(seconds=3)})
    shown = await stack.until(late["id"], "failed", seconds=30)
    assert shown["metadata"]["error"] == error_object("expired", "30036")


def outgoing(valid_for: float | None) -> Outgoing:
    content = Content(text="Breakfast ends at 10")
    return Outgoing(uuid4(), uuid4(), Channel.PUSH, "token", "sender", None, content, "", 1.0, 1.0, valid_for)


@given(st.one_of(st.none(), st.floats(-1e6, 1e9)))
def test_what_providers_are_told_is_within_what_they_take(valid_for: float | None) -> None:
    period = _validity(outgoing(valid_for)).get("validity_period")
    assert period is None or (1 <= period <= 36_000 and period <= max(1, valid_for or 0))
    assert (period is None) == (valid_for is None or valid_for >= 36_000)
    ttl = payload(outgoing(valid_for))["message"]["android"].get("ttl")
    assert ttl is None or 1 <= int(ttl.removesuffix("s")) <= 2_419_200
    assert (ttl is None) == (valid_for is None or valid_for >= 2_419_200)


async def test_validity_is_said_by_the_message_then_its_property_then_its_category(api: Api) -> None:
    async def lasts(**fields: Any) -> tuple[int | None, float | None]:
        sent = (await api.send(scheduled_at="2030-01-01T09:00:00Z", **fields)).json()
        until = sent["valid_until"] and datetime.fromisoformat(sent["valid_until"])
        (row,) = await api.sql("select valid_until, expires_at, due_at from messages order by id desc limit 1")
        assert row[0] == until
        assert row[1] == min(until or row[1], row[2] + timedelta(days=3))
        return sent["validity"], (until - row[2]).total_seconds() if until else None

    assert await lasts() == await lasts(category="marketing") == (None, None)
    assert await lasts(category="two_factor") == (600, 600)
    assert await lasts(category="two_factor", validity=60) == (60, 60)
    assert await lasts(validity=2_592_000) == (2_592_000, 2_592_000)
    assert await lasts(category="two_factor", valid_until="2030-01-01T10:00:00Z") == (None, 3600)
    own = '{"validity": {"two_factor": 300, "marketing": 129600, "transactional": "soon", "conversational": 1e300}}'
    await api.sql(f"update scopes set settings = '{own}' where environment = 'test' returning id")
    assert await lasts(category="two_factor") == (300, 300)
    assert await lasts(category="marketing") == (129_600, 129_600)
    assert await lasts() == (None, None), "some other software's setting of that name"
    assert (await lasts(category="conversational"))[0] == 2_592_000
    await api.sql("update scopes set settings = '{\"validity\": [7]}' where environment = 'test' returning id")
    assert await lasts(category="two_factor") == (600, 600)
    for wrong in ({"validity": 0}, {"validity": 2_592_001}, {"validity": 60, "valid_until": "2030-02-01T00:00:00Z"}):
        refused = await api.send(**wrong)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "validity"])


async def test_what_is_valid_for_so_long_stays_so_when_it_is_moved(api: Api) -> None:
    message = await api.later(validity=3600)
    assert message["valid_until"] == "2030-01-01T10:00:00.000000Z"
    path = f"/v1/messaging/{message['id']}"
    moved = (await api.http.patch(path, json={"scheduled_at": "2030-02-01T09:00:00Z"})).json()
    assert (moved["validity"], moved["valid_until"]) == (3600, "2030-02-01T10:00:00.000000Z")
    assert (await api.sql("select expires_at from messages"))[0][0] == datetime(2030, 2, 1, 10, tzinfo=UTC)


async def test_a_propertys_validity_is_checked(api: Api) -> None:
    (row,) = await api.sql("select property_id from scopes where environment = 'test'")
    path = f"/v1/properties/{render(Prefix.PROPERTY, row[0])}"
    for wrong in ({"gossip": 5}, {"two_factor": "5"}, {"two_factor": True}, {"two_factor": 0}, 5):
        refused = await api.http.patch(path, json={"settings": {"validity": wrong}})
        assert refused.status_code == 422 and "whole seconds by category" in refused.json()["detail"][0]["msg"], wrong
    right = {"settings": {"validity": {"two_factor": 300}, "your": "own"}}
    assert (await api.http.patch(path, json=right)).json()["settings"] == right["settings"]
