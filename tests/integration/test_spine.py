"""A message's whole journey with its real parts: accepted, sent, delivered, read, told."""

from __future__ import annotations

from .engine import EMAIL, SMS, Engine


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
