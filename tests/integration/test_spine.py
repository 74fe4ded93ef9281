"""A message's whole journey with its real parts: accepted, sent, delivered, read, told."""

from __future__ import annotations

import asyncio

from .engine import EMAIL, SMS, Engine, working


async def test_an_sms_goes_out_once_and_is_followed_to_delivered(stack: Engine) -> None:
    stack.settings.bellhop.accept_wait = 20.0
    sent = await stack.send(SMS, now=True)
    assert sent["status"] == "sent"
    assert sent["sent_at"] is not None
    await stack.until(sent["id"], "delivered")
    assert await stack.workflow_closed(sent["id"]) == "delivered"
    accepted = await stack.accepted(to=SMS["recipient"])
    assert [message["content"] for message in accepted] == [SMS["content"]]
    assert await stack.events(sent["id"]) == ["message.sent", "message.delivered"]


async def test_an_sms_costs_at_most_17_history_events(stack: Engine) -> None:
    sent = await stack.send(SMS)
    await stack.until(sent["id"], "delivered")
    await stack.workflow_closed(sent["id"])
    history = await stack.history(sent["id"])
    assert len(history.events) <= 17, [event.event_type for event in history.events]


async def test_an_email_is_followed_to_read(stack: Engine) -> None:
    sent = await stack.send(EMAIL)
    read = await stack.until(sent["id"], "read")
    assert read["sent_at"] is not None
    assert await stack.workflow_closed(sent["id"]) == "read"
    assert await stack.events(sent["id"]) == ["message.sent", "message.delivered", "message.read"]
    history = await stack.history(sent["id"])
    assert len(history.events) <= 21


async def test_html_goes_out_as_html_with_a_text_part(stack: Engine) -> None:
    sent = await stack.send({**EMAIL, "content": "<h1>Welcome</h1><p>Your room is <b>204</b>.</p>"})
    await stack.until(sent["id"], "sent", "delivered", "read")
    (accepted,) = await stack.accepted(to=EMAIL["recipient"])
    assert "<b>204</b>" in accepted["html"]
    assert "204" in accepted["content"]
    assert "<b>" not in accepted["content"]


async def test_a_long_sms_goes_out_in_parts_in_order(stack: Engine) -> None:
    words = " ".join(f"word{number}" for number in range(600))
    sent = await stack.send({**SMS, "recipient": "+13055551235", "content": words})
    await stack.until(sent["id"], "delivered")
    accepted = sorted(await stack.accepted(to="+13055551235"), key=lambda message: message["accepted_at"])
    assert len(accepted) == len(await stack.attempts(sent["id"])) > 1
    assert " ".join(message["content"] for message in accepted) == words
    assert await stack.events(sent["id"]) == ["message.sent", "message.delivered"]


async def test_a_guest_was_last_seen_when_something_went_out_came_in_or_was_read(idle_stack: Engine) -> None:
    stack, number = idle_stack, "+13055551236"
    body = {"first_name": "Jo", "last_name": "M", "phone": number, "email": "jo@example.com"}
    guest = (await stack.http.post("/v1/guests", json=body)).json()

    async def seen() -> str:
        return str((await stack.http.get(f"/v1/guests/{guest['id']}")).json()["last_seen_at"])

    first = await seen()
    sms = await stack.send({**SMS, "recipient": number, "guest_id": guest["id"]})
    later = await stack.send({**SMS, "guest_id": guest["id"], "scheduled_at": "2030-01-01T00:00:00Z"})
    assert await seen() == first, "accepted is not sent"
    async with working(stack):
        await stack.until(sms["id"], "delivered")
        sent = await seen()
        assert sent >= (await stack.get(sms["id"]))["sent_at"] > first
        await stack.sandbox.post("/_sandbox/inbound", json={"from": number, "body": "Thank you"})
        wrote = await seen()
        assert wrote > sent
        mail = await stack.send({**EMAIL, "recipient": "jo@example.com", "guest_id": guest["id"]})
        await stack.until(mail["id"], "read")
        read = await seen()
        assert read > str((await stack.get(mail["id"]))["sent_at"]) > wrote
        await stack.http.patch(f"/v1/messaging/{later['id']}", json={"scheduled_at": "2030-01-02T00:00:00Z"})
        await stack.http.post(f"/v1/messaging/{later['id']}/cancel")
        assert await seen() == read


async def test_a_guest_was_seen_when_only_a_receipt_tells_that_something_went_out(idle_stack: Engine) -> None:
    stack, number = idle_stack, "+13055551237"
    body = {"first_name": "Jo", "last_name": "M", "phone": number}
    guest = (await stack.http.post("/v1/guests", json=body)).json()
    await stack.fault("accept_then_hang")
    sms = await stack.send({**SMS, "recipient": number, "guest_id": guest["id"]})
    async with working(stack):
        delivered = await stack.until(sms["id"], "delivered")
    shown = (await stack.http.get(f"/v1/guests/{guest['id']}")).json()
    assert shown["last_seen_at"] >= delivered["sent_at"] > guest["last_seen_at"]


async def test_a_mail_of_plain_text_is_delivered_and_never_read(stack: Engine) -> None:
    text = await stack.send({**EMAIL, "recipient": "text@example.com", "content_type": "text/plain"})
    html = await stack.send({**EMAIL, "recipient": "html@example.com"})
    await stack.until(html["id"], "read")
    await stack.until(text["id"], "delivered", "read")
    await asyncio.sleep(0.5)  # it was sent before the other
    assert await stack.events(text["id"]) == ["message.sent", "message.delivered"]
