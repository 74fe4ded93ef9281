"""A reminder on another channel of what is not read: it is sent beside it, and where the message stands follows from
the set of what is known of both (I1, I2, I3, I8)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy.exc import IntegrityError

from bellhop.domain.answers import Answer, Next
from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage

from .engine import EMAIL, SMS, Engine, key
from .test_fallback import take
from .test_i3_order import Provider

TEXT = {"channel": "sms", "recipient": "+13055551234", "content": "Did you see our e-mail?"}
REMINDED = {**EMAIL, "fallback": [{**TEXT, "when": "not_read", "after": 600}]}


async def due(stack: Engine, message_id: str) -> None:
    await stack.rows("update messages set remind_at = now() where id = :id returning id", id=key(message_id))


async def reminded(provider: Provider, *said: Stage) -> tuple[str, Claim, Claim]:
    """A message of which that is known, and its reminder, both under way."""
    message_id, mail = await provider.start(REMINDED)
    await take(provider, mail)
    for stage in said:
        await provider.say(mail, stage, f"{message_id}:{stage}")
    await due(provider.stack, message_id)
    reminder = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(reminder, Claim), reminder
    return message_id, mail, reminder


async def test_what_is_not_read_is_followed_by_a_reminder_while_it_is_alive(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, mail = await provider.start(REMINDED)
    sent = await idle_stack.get(message_id)
    answer = await take(provider, mail)
    assert (answer.next, sent["fallback"]) == (Next.TRACK, [{"channel": "sms", "when": "not_read", "after": 600}])
    await provider.say(mail, Stage.DELIVERED, "there")
    # Not before its time; and its workflow comes back then.
    early = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(early, Answer)
    assert early.next is Next.TRACK
    assert 590 < early.after <= 600
    await due(idle_stack, message_id)
    asked = await provider.attempts.prepare_lookup(key(message_id))
    assert isinstance(asked, Answer)
    assert (asked.next, asked.after) == (Next.AGAIN, 0.0)
    reminder = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(reminder, Claim)
    assert (reminder.outgoing.channel, reminder.outgoing.content.text) == ("sms", TEXT["content"])
    assert (await idle_stack.get(message_id))["status"] == "delivered"
    for status, others in (("delivered", 1), ("sent", 0), ("queued", 0)):
        listed = (await idle_stack.http.get("/v1/messaging", params={"status": status})).json()["data"]
        assert len(listed) == others, status
    await take(provider, reminder)
    await provider.say(reminder, Stage.DELIVERED, "both")
    assert (await idle_stack.get(message_id))["status"] == "delivered"
    assert await idle_stack.events(message_id) == [
        "message.sent", "message.delivered", "message.fallback", "message.sent",
    ]  # fmt: skip
    entries = (await idle_stack.http.get(f"/v1/messaging/{message_id}/timeline")).json()["data"]
    (begun,) = [entry for entry in entries if entry["what"] == "message.fallback"]
    assert begun["step"]["channel"] == "sms"
    assert (begun["step"]["cost"], begun["step"]["reason"]["code"]) == ("metered", "not_read")
    attempts = [entry["step"]["number"] for entry in entries if entry["what"] == "attempt.accepted"]
    assert attempts == [0, 1]


async def test_its_sender_is_warned_that_it_may_arrive_twice(idle_stack: Engine) -> None:
    body = {**SMS, "fallback": [{"channel": "email", "recipient": "j@example.com", "subject": "Hello",
                                 "when": "not_read", "after": 60}]}  # fmt: skip
    warned = (await idle_stack.http.post("/v1/messaging/send", json=body)).json()["warnings"]
    assert [one["code"] for one in warned] == ["may_arrive_twice", "reading_unknown"]


async def test_what_is_read_before_its_reminder_is_claimed_needs_none(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    for parked in (False, True):
        message_id, mail = await provider.start(REMINDED)
        await take(provider, mail)
        await due(idle_stack, message_id)
        if parked:
            await idle_stack.rows("update scopes set paused_at = now() returning id")
            waits = await provider.attempts.claim(key(message_id), 1e12)
            assert isinstance(waits, Answer)
            assert (await idle_stack.get(message_id))["status"] == "sent"
            # That it has arrived changes nothing for the reminder.
            await provider.say(mail, Stage.DELIVERED, f"{message_id}:there")
            (row,) = await idle_stack.rows("select stage, waits_for from messages where id = :i", i=key(message_id))
            assert (row["stage"], row["waits_for"]) == ("queued", "paused")
            assert (await idle_stack.get(message_id))["status"] == "delivered"
        await provider.say(mail, Stage.READ, f"{message_id}:read")
        await idle_stack.rows("update scopes set paused_at = null returning id")
        answer = await provider.attempts.claim(key(message_id), 1e12)
        assert isinstance(answer, Answer)
        assert answer.next is Next.CLOSE
        assert (await idle_stack.get(message_id))["status"] == "read"
        assert len(await idle_stack.attempts(message_id)) == 1
        assert ("message.fallback" in await idle_stack.events(message_id)) is parked


SETS = [
    (((0, Stage.DELIVERED), (1, Stage.UNDELIVERED)), "delivered"),
    (((0, Stage.UNDELIVERED), (1, Stage.SENT)), "sent"),
    (((0, Stage.DELIVERED), (0, Stage.UNDELIVERED), (1, Stage.DELIVERED)), "delivered"),
    (((0, Stage.READ), (1, Stage.UNDELIVERED)), "read"),
    (((0, Stage.UNDELIVERED), (1, Stage.UNDELIVERED)), "failed"),
]


@pytest.mark.parametrize(("facts", "status"), SETS, ids=[one[1] + str(place) for place, one in enumerate(SETS)])
async def test_the_order_of_receipts_of_both_does_not_matter(
    idle_stack: Engine, facts: tuple[tuple[int, Stage], ...], status: str
) -> None:
    provider = Provider(idle_stack)
    ends = set()
    for order in permutations(facts):
        message_id, *claims = await reminded(provider)
        await take(provider, claims[1])
        for step, stage in order:
            for _ in range(2):
                await provider.say(claims[step], stage, f"{message_id}:{step}:{stage}")
        shown = await idle_stack.get(message_id)
        ends.add((shown["status"], shown["metadata"].get("error", {}).get("code")))
        marks = await idle_stack.rows("select stage from events where subject_id = :id", id=key(message_id))
        assert len([one for one in marks if one["stage"]]) == len({one["stage"] for one in marks if one["stage"]})
    assert ends == {(status, "unreachable" if status == "failed" else None)}


async def test_a_reminder_that_fails_does_not_fail_the_message(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, mail, reminder = await reminded(provider)
    answer = await provider.attempts.record(reminder, SendResult(SendKind.REFUSED, code=FailureCode.ADDRESS_INVALID))
    assert answer.next is Next.TRACK
    assert (await idle_stack.get(message_id))["status"] == "sent"
    entries = (await idle_stack.http.get(f"/v1/messaging/{message_id}/timeline")).json()["data"]
    (failed,) = [entry for entry in entries if entry["what"] == "message.reminder_failed"]
    assert failed["error"]["code"] == "address_invalid"
    await provider.say(mail, Stage.UNDELIVERED, "back")
    shown = await idle_stack.get(message_id)
    assert (shown["status"], shown["metadata"]["error"]["code"]) == ("failed", "address_invalid")


async def test_what_failed_is_reminded_of_at_once(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, mail = await provider.start(REMINDED)
    await provider.attempts.record(mail, SendResult(SendKind.REFUSED, code=FailureCode.BLOCKED))
    reminder = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(reminder, Claim)
    await take(provider, reminder)
    await provider.say(reminder, Stage.DELIVERED, "there")
    assert (await idle_stack.get(message_id))["status"] == "delivered"


async def test_i2_each_has_one_live_attempt(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, _, _ = await reminded(provider)
    live = [(one["step"], one["reminder"]) for one in await idle_stack.attempts(message_id)]
    assert live == [(0, 0), (1, 1)]
    copied = """
        insert into attempts (scope_id, message_id, part, step, reminder, account_id, provider, lease_until, sender)
        select scope_id, message_id, part, step, reminder, account_id, provider, now(), sender from attempts
        where message_id = :id and step = 1 returning id
    """
    with pytest.raises(IntegrityError, match="uq_attempts_live"):
        await idle_stack.rows(copied, id=key(message_id))


async def test_a_mail_that_is_not_opened_is_reminded_of_by_text(stack: Engine) -> None:
    """With the worker, Temporal and the sandbox: the workflow's own timer."""
    later = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    sent = await stack.send({**REMINDED, "recipient": "noopen@example.com", "scheduled_at": later})
    soon = "update messages set plan = jsonb_set(plan, '{1,after}', '0.3') where id = :id returning id"
    await stack.rows(soon, id=key(sent["id"]))
    async with asyncio.timeout(20):
        while len([one for one in await stack.attempts(sent["id"]) if one["stage"] == "delivered"]) < 2:
            await asyncio.sleep(0.1)
    assert (await stack.get(sent["id"]))["status"] == "delivered"
