"""While nobody knows whether a provider has a message: what callers are told, and what can still be done (I2, I7)."""

from __future__ import annotations

import asyncio
from typing import Any

from .engine import EMAIL, SMS, Engine, key

ASK_LATER = [30.0, 30.0]


async def unknown(stack: Engine, fault: str = "hang", **body: Any) -> str:
    """A message whose provider did not answer, and is not asked for a while."""
    stack.settings.delivery.settle_pauses = ASK_LATER
    await stack.fault(fault, provider="twilio")
    sent = await stack.send({**SMS, **body})
    async with asyncio.timeout(20):
        while "unknown" not in [attempt["state"] for attempt in await stack.attempts(sent["id"])]:
            await asyncio.sleep(0.03)
    return str(sent["id"])


async def ask_now(stack: Engine, message: str) -> None:
    await stack.rows("update attempts set ask_at = now() where message_id = :id returning id", id=key(message))
    stack.settings.delivery.settle_pauses = [0.2, 0.2]
    await stack.rows("update messages set wake_due_at = now() - interval '1 hour' where id = :id returning id",
                     id=key(message))  # fmt: skip
    await stack.sweep()


async def timeline(stack: Engine, message: str) -> list[str]:
    entries = (await stack.http.get(f"/v1/messaging/{message}/timeline")).json()["data"]
    return [f"{entry['what']}: {entry.get('detail', '')}" for entry in entries]


async def test_cancel_and_reschedule_say_that_it_is_unknown_and_every_step_is_shown(stack: Engine) -> None:
    message = await unknown(stack)
    for answer in (
        await stack.http.post(f"/v1/messaging/{message}/cancel"),
        await stack.http.patch(f"/v1/messaging/{message}", json={"scheduled_at": "2031-05-01T10:00:00Z"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "outcome_unknown")
        assert "being found out" in answer.json()["detail"]
    # What is asked then decides: the provider does not have it, and it goes out.
    await ask_now(stack, message)
    await stack.until(message, "delivered")
    words = await timeline(stack, message)
    assert [word for word in words if word.startswith("attempt.")] == [
        "attempt.started: ",
        "attempt.unknown: the provider did not say whether it took the message; nothing is sent again until that is"
        " known",
        *["attempt.asked: the provider was asked, and it does not have the message so far"] * 2,
        "attempt.not_sent: it surely did not reach the provider",
        "attempt.started: ",
        "attempt.accepted: the provider accepted it",
    ]


async def test_a_found_copy_is_shown_as_such(stack: Engine) -> None:
    await stack.fault("callback_drop", provider="twilio")
    message = await unknown(stack, "accept_then_hang")
    await ask_now(stack, message)
    await stack.until(message, "sent")
    words = await timeline(stack, message)
    assert "attempt.asked: the provider was asked, and it has the message" in words
    assert len(await stack.accepted(to=SMS["recipient"])) == 1


async def test_a_guest_is_deleted_while_the_outcome_is_unknown(stack: Engine) -> None:
    """The deletion completes at once, nothing of the guest is kept, and nothing is sent again."""
    guest = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": SMS["recipient"]})
    message = await unknown(stack, "hang", guest_id=guest.json()["id"])
    assert (await stack.http.delete(f"/v1/guests/{guest.json()['id']}")).status_code == 204
    assert (await stack.http.get(f"/v1/messaging/{message}")).status_code == 404
    (row,) = await stack.rows("select * from messages where id = :id", id=key(message))
    assert row["recipient"] is None
    assert row["content"] is None
    assert row["stage"] == "cancelled"
    (attempt,) = await stack.attempts(message)
    assert attempt["body"] is None
    assert await stack.workflow_closed(message) == "cancelled"
    await asyncio.sleep(0.5)
    assert await stack.accepted(to=SMS["recipient"]) == []


async def test_it_is_deleted_and_had_arrived_all_the_same(stack: Engine) -> None:
    guest = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": SMS["recipient"]})
    await stack.fault("callback_delay", provider="twilio", delay=4)
    message = await unknown(stack, "accept_then_hang", guest_id=guest.json()["id"])
    assert (await stack.http.delete(f"/v1/guests/{guest.json()['id']}")).status_code == 204
    async with asyncio.timeout(20):
        while not await stack.rows("select from messages where id = :id and stage = 'delivered'", id=key(message)):
            await asyncio.sleep(0.1)
    stored = await stack.rows("select payload from receipts where message_id = :id", id=key(message))
    assert stored and all(row["payload"] is None for row in stored)
    assert len(await stack.accepted(to=SMS["recipient"])) == 1


async def test_what_the_property_chose_is_on_the_timeline(stack: Engine) -> None:
    await stack.fault("reset", provider="sendgrid")
    given_up = await stack.send({**EMAIL, "recipient": "one@example.com"})
    await stack.until(given_up["id"], "failed")
    assert [line.split(":")[0] for line in await timeline(stack, given_up["id"])][-1] == "message.failed"
    await stack.rows('update scopes set settings = \'{"outcome_unknown": {"email": "resend"}}\' returning id')
    await stack.fault("reset", provider="sendgrid")
    again = await stack.send({**EMAIL, "recipient": "two@example.com"})
    await stack.until(again["id"], "delivered", "read")
    chose = "attempt.abandoned: nobody can say whether the provider took it; it is sent again, as the property chose"
    assert chose in await timeline(stack, again["id"])
