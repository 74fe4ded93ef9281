"""While nobody knows whether a provider has a message: what callers are told, and what can still be done (I2, I7)."""

from __future__ import annotations

import asyncio
from typing import Any

from .engine import EMAIL, SMS, Engine, key

ASK_LATER = [30.0, 30.0]


async def unknown(house: Engine, fault: str = "hang", **body: Any) -> str:
    """A message whose provider did not answer, and is not asked for a while."""
    house.settings.delivery.settle_pauses = ASK_LATER
    await house.fault(fault, provider="twilio")
    sent = await house.send({**SMS, **body})
    async with asyncio.timeout(20):
        while "unknown" not in [attempt["state"] for attempt in await house.attempts(sent["id"])]:
            await asyncio.sleep(0.03)
    return str(sent["id"])


async def ask_now(house: Engine, message: str) -> None:
    await house.rows("update attempts set ask_at = now() where message_id = :id returning id", id=key(message))
    house.settings.delivery.settle_pauses = [0.2, 0.2]
    await house.rows("update messages set wake_due_at = now() - interval '1 hour' where id = :id returning id",
                     id=key(message))  # fmt: skip
    await house.sweep()


async def timeline(house: Engine, message: str) -> list[str]:
    entries = (await house.http.get(f"/v1/messaging/{message}/timeline")).json()["data"]
    return [f"{entry['what']}: {entry.get('detail', '')}" for entry in entries]


async def test_cancel_and_reschedule_say_that_it_is_unknown_and_every_step_is_told(house: Engine) -> None:
    message = await unknown(house)
    for answer in (
        await house.http.post(f"/v1/messaging/{message}/cancel"),
        await house.http.patch(f"/v1/messaging/{message}", json={"scheduled_at": "2031-05-01T10:00:00Z"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "outcome_unknown")
        assert "being found out" in answer.json()["detail"]
    # What is asked then decides: the provider does not have it, and it goes out.
    await ask_now(house, message)
    await house.until(message, "delivered")
    words = await timeline(house, message)
    assert [word for word in words if word.startswith("attempt.")] == [
        "attempt.started: ",
        "attempt.unknown: the provider did not say whether it took the message; nothing is sent again until that is"
        " known",
        *["attempt.asked: the provider was asked, and it does not have the message so far"] * 2,
        "attempt.not_sent: it surely did not reach the provider",
        "attempt.started: ",
        "attempt.accepted: the provider accepted it",
    ]


async def test_a_found_copy_is_told_as_such(house: Engine) -> None:
    await house.fault("callback_drop", provider="twilio")
    message = await unknown(house, "accept_then_hang")
    await ask_now(house, message)
    await house.until(message, "sent")
    words = await timeline(house, message)
    assert "attempt.asked: the provider was asked, and it has the message" in words
    assert len(await house.accepted(to=SMS["recipient"])) == 1


async def test_a_guest_is_deleted_while_the_outcome_is_unknown(house: Engine) -> None:
    """The deletion completes at once, nothing of the guest is kept, and nothing is sent again."""
    guest = await house.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": SMS["recipient"]})
    message = await unknown(house, "hang", guest_id=guest.json()["id"])
    assert (await house.http.delete(f"/v1/guests/{guest.json()['id']}")).status_code == 204
    assert (await house.http.get(f"/v1/messaging/{message}")).status_code == 404
    (row,) = await house.rows("select * from messages where id = :id", id=key(message))
    assert row["recipient"] is None
    assert row["content"] is None
    assert row["stage"] == "cancelled"
    (attempt,) = await house.attempts(message)
    assert attempt["body"] is None
    assert await house.workflow_closed(message) == "cancelled"
    await asyncio.sleep(0.5)
    assert await house.accepted(to=SMS["recipient"]) == []


async def test_it_is_deleted_and_had_arrived_all_the_same(house: Engine) -> None:
    guest = await house.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": SMS["recipient"]})
    await house.fault("callback_delay", provider="twilio", delay=4)
    message = await unknown(house, "accept_then_hang", guest_id=guest.json()["id"])
    assert (await house.http.delete(f"/v1/guests/{guest.json()['id']}")).status_code == 204
    async with asyncio.timeout(20):
        while not await house.rows("select from messages where id = :id and stage = 'delivered'", id=key(message)):
            await asyncio.sleep(0.1)
    stored = await house.rows("select payload from receipts where message_id = :id", id=key(message))
    assert stored and all(row["payload"] is None for row in stored)
    assert len(await house.accepted(to=SMS["recipient"])) == 1


async def test_what_the_property_chose_is_on_the_timeline(house: Engine) -> None:
    await house.fault("reset", provider="sendgrid")
    given_up = await house.send({**EMAIL, "recipient": "one@example.com"})
    await house.until(given_up["id"], "failed")
    assert [line.split(":")[0] for line in await timeline(house, given_up["id"])][-1] == "message.failed"
    await house.rows('update scopes set settings = \'{"outcome_unknown": {"email": "resend"}}\' returning id')
    await house.fault("reset", provider="sendgrid")
    again = await house.send({**EMAIL, "recipient": "two@example.com"})
    await house.until(again["id"], "delivered", "read")
    chose = "attempt.abandoned: nobody can say whether the provider took it; it is sent again, as the property chose"
    assert chose in await timeline(house, again["id"])
