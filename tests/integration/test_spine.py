"""A message's whole journey with its real parts: accepted, sent, delivered, read, told."""

from __future__ import annotations

from .engine import EMAIL, SMS, Engine


async def test_an_sms_goes_out_once_and_is_followed_to_delivered(house: Engine) -> None:
    house.settings.bellhop.accept_wait = 20.0
    sent = await house.send(SMS, now=True)
    assert sent["status"] == "sent"
    assert sent["sent_at"] is not None
    await house.until(sent["id"], "delivered")
    assert await house.workflow_closed(sent["id"]) == "delivered"
    accepted = await house.accepted(to=SMS["recipient"])
    assert [message["content"] for message in accepted] == [SMS["content"]]
    assert await house.events(sent["id"]) == ["message.sent", "message.delivered"]


async def test_an_sms_costs_at_most_17_history_events(house: Engine) -> None:
    sent = await house.send(SMS)
    await house.until(sent["id"], "delivered")
    await house.workflow_closed(sent["id"])
    history = await house.history(sent["id"])
    assert len(history.events) <= 17, [event.event_type for event in history.events]


async def test_an_email_is_followed_to_read(house: Engine) -> None:
    sent = await house.send(EMAIL)
    read = await house.until(sent["id"], "read")
    assert read["sent_at"] is not None
    assert await house.workflow_closed(sent["id"]) == "read"
    assert await house.events(sent["id"]) == ["message.sent", "message.delivered", "message.read"]
    history = await house.history(sent["id"])
    assert len(history.events) <= 21


async def test_html_goes_out_as_html_with_a_text_part(house: Engine) -> None:
    sent = await house.send({**EMAIL, "content": "<h1>Welcome</h1><p>Your room is <b>204</b>.</p>"})
    await house.until(sent["id"], "sent", "delivered", "read")
    (accepted,) = await house.accepted(to=EMAIL["recipient"])
    assert "<b>204</b>" in accepted["html"]
    assert "204" in accepted["content"]
    assert "<b>" not in accepted["content"]


async def test_a_long_sms_goes_out_in_parts_in_order(house: Engine) -> None:
    words = " ".join(f"word{number}" for number in range(600))
    sent = await house.send({**SMS, "recipient": "+13055551235", "content": words})
    await house.until(sent["id"], "delivered")
    accepted = sorted(await house.accepted(to="+13055551235"), key=lambda message: message["accepted_at"])
    assert len(accepted) == len(await house.attempts(sent["id"])) > 1
    assert " ".join(message["content"] for message in accepted) == words
    assert await house.events(sent["id"]) == ["message.sent", "message.delivered"]
