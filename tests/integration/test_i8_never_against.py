"""I8: never early, never after a cancel, never against the guest's will: checked again just before the call."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bellhop.domain.ids import message_workflow
from bellhop.store.messages import outbound

from .engine import EMAIL, SMS, Engine, key, working


def ahead(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_never_early_and_on_time(stack: Engine) -> None:
    sent = [await stack.send({**SMS, "recipient": f"+1305555060{n}", "scheduled_at": ahead(2)}) for n in range(5)]
    for number, message in enumerate(sent):
        assert (message["status"], message["sent_at"]) == ("queued", None)
        await stack.until(message["id"], "sent", "delivered")
        (accepted,) = await stack.accepted(to=f"+1305555060{number}")
        late = when(accepted["accepted_at"]) - when(message["scheduled_at"])
        assert timedelta(0) <= late < timedelta(seconds=15)


async def test_a_woken_workflow_does_not_send_early(stack: Engine) -> None:
    """Whoever wakes it and however often: `deliver` looks at the time again."""
    sent = await stack.send({**SMS, "recipient": "+13055550611", "scheduled_at": ahead(8)})
    async with stack.database.begin() as tx:
        row = await outbound.get(tx, stack.scope, key(sent["id"]))
    assert row is not None
    for _ in range(3):
        stack.dispatcher.woken(row)
        await asyncio.sleep(0.3)
    assert await stack.accepted(to="+13055550611") == []
    await stack.until(sent["id"], "sent", "delivered")
    (accepted,) = await stack.accepted(to="+13055550611")
    assert when(accepted["accepted_at"]) >= when(sent["scheduled_at"])


async def test_cancelled_is_never_sent(stack: Engine) -> None:
    sent = await stack.send({**SMS, "recipient": "+13055550612", "scheduled_at": ahead(6)})
    cancelled = await stack.http.post(f"/v1/messaging/{sent['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert await stack.workflow_closed(sent["id"]) == "cancelled"
    await asyncio.sleep(max(0.0, (when(sent["scheduled_at"]) - datetime.now(UTC)).total_seconds()) + 0.5)
    assert await stack.accepted(to="+13055550612") == []
    assert await stack.events(sent["id"]) == ["message.cancelled"]
    again = await stack.http.post(f"/v1/messaging/{sent['id']}/cancel")
    assert again.status_code == 200
    moved = await stack.http.patch(f"/v1/messaging/{sent['id']}", json={"scheduled_at": ahead(9)})
    assert moved.status_code == 409


async def test_what_was_sent_cannot_be_cancelled(stack: Engine) -> None:
    sent = await stack.send({**SMS, "recipient": "+13055550613"})
    await stack.until(sent["id"], "sent", "delivered")
    answer = await stack.http.post(f"/v1/messaging/{sent['id']}/cancel")
    assert answer.status_code == 409
    assert "only a message that still waits can be cancelled" in answer.json()["detail"]


async def test_moved_later_goes_out_later(stack: Engine) -> None:
    sent = await stack.send({**SMS, "recipient": "+13055550614", "scheduled_at": ahead(6)})
    later = ahead(8)
    moved = await stack.http.patch(f"/v1/messaging/{sent['id']}", json={"scheduled_at": later})
    assert moved.status_code == 200, moved.text
    await stack.until(sent["id"], "sent", "delivered")
    (accepted,) = await stack.accepted(to="+13055550614")
    assert when(accepted["accepted_at"]) >= when(later)


async def test_moved_earlier_goes_out_earlier(stack: Engine) -> None:
    sent = await stack.send({**SMS, "recipient": "+13055550615", "scheduled_at": ahead(3600)})
    soon = ahead(1)
    assert (await stack.http.patch(f"/v1/messaging/{sent['id']}", json={"scheduled_at": soon})).status_code == 200
    await stack.until(sent["id"], "sent", "delivered")
    (accepted,) = await stack.accepted(to="+13055550615")
    assert when(accepted["accepted_at"]) >= when(soon)


async def test_an_opt_out_after_acceptance_holds(idle_stack: Engine) -> None:
    """The message is accepted, the guest says STOP, and only then does the worker come to it."""
    stack = idle_stack
    number = "+13055550616"
    sent = await stack.send({**SMS, "recipient": number})
    stopped = await stack.sandbox.post("/_sandbox/inbound", json={"from": number, "body": "Stop"})
    assert stopped.json()["status"] < 300, stopped.text
    async with working(stack):
        failed = await stack.until(sent["id"], "failed")
        assert failed["metadata"]["error"]["code"] == "opted_out"
        assert await stack.accepted(to=number) == []
        assert await stack.events(sent["id"]) == ["message.failed"]
        await stack.sandbox.post("/_sandbox/inbound", json={"from": number, "body": "START"})
        again = await stack.send({**SMS, "recipient": number})
        await stack.until(again["id"], "sent", "delivered")


@pytest.mark.parametrize(
    ("local", "code"), [("bounce", "bounced"), ("spam", "opted_out"), ("unsubscribe", "opted_out")]
)
async def test_bounces_complaints_and_unsubscribes_stop_what_follows(stack: Engine, local: str, code: str) -> None:
    recipient = f"{local}@example.com"
    await stack.send({**EMAIL, "recipient": recipient})
    async with asyncio.timeout(15):
        while not await stack.rows("select 1 from consents where action = 'opt_out'"):
            await asyncio.sleep(0.05)
    second = await stack.send({**EMAIL, "recipient": recipient.upper()})
    failed = await stack.until(second["id"], "failed")
    assert failed["metadata"]["error"]["code"] == code
    assert len(await stack.accepted(provider="sendgrid")) == 1
    shown = (await stack.http.get(f"/v1/messaging/{second['id']}/timeline")).json()["data"]
    assert "consent.opt_out" in [entry["what"] for entry in shown]

    # An operator has talked to the guest.
    lifted = {"channel": "email", "address": recipient, "action": "opt_in", "reason": "The guest asked for it."}
    assert (await stack.http.post("/v1/consents", json=lifted)).status_code == 201
    third = await stack.send({**EMAIL, "recipient": recipient})
    await stack.until(third["id"], "sent", "delivered", "failed")
    assert len(await stack.accepted(provider="sendgrid")) == 2


async def test_the_providers_opt_out_is_remembered(stack: Engine) -> None:
    number = "+13055552610"
    first = await stack.until((await stack.send({**SMS, "recipient": number}))["id"], "failed")
    assert first["metadata"]["error"] == {
        "code": "opted_out",
        "message": first["metadata"]["error"]["message"],
        "provider_code": "21610",
        "retryable": False,
    }
    second = await stack.until((await stack.send({**SMS, "recipient": number}))["id"], "failed")
    assert second["metadata"]["error"]["provider_code"] is None


async def test_what_expired_is_not_sent(idle_stack: Engine) -> None:
    sent = await idle_stack.send({**SMS, "recipient": "+13055550617"})
    await idle_stack.rows("update messages set expires_at = now() - interval '1 second' returning id")
    async with working(idle_stack):
        failed = await idle_stack.until(sent["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "expired"
    assert await idle_stack.accepted(to="+13055550617") == []
    assert message_workflow(key(sent["id"])) == sent["id"]


async def test_marketing_that_a_guest_wants_none_of_is_refused_and_the_booking_still_goes(stack: Engine) -> None:
    to = {**EMAIL, "recipient": "no-offers@example.com"}
    said = {"channel": "email", "address": to["recipient"], "action": "opt_out", "purpose": "marketing", "reason": "x"}
    assert (await stack.http.post("/v1/consents", json=said)).status_code == 201
    offer = await stack.send({**to, "category": "marketing"})
    booking = await stack.send({**to, "category": "transactional"})
    assert offer["category"] == "marketing" and booking["category"] == "transactional"
    failed = await stack.until(offer["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "opted_out"
    await stack.until(booking["id"], "sent", "delivered")
    assert [one["subject"] for one in await stack.accepted(to=to["recipient"])] == [to["subject"]]
