"""Providers' callbacks at their worst: floods, repetitions, any order, days late, before the answer, about nobody.

FLOOD sets how many times one Twilio callback is repeated (10,000 in a long run).
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

from .engine import EMAIL, SMS, Engine, key, working

OPENS = 10_000
BATCH = 1_000
REPEATS = int(os.environ.get("FLOOD", "300"))
OTHERS = 8
PROMPT = 10.0
"""Seconds within which another message's receipts are applied in the midst of a flood, on a busy machine."""


class Caller:
    """Calls back as the providers do, signed with the sandbox's accounts."""

    def __init__(self, stack: Engine) -> None:
        self.stack = stack
        self.twilio_path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status"
        self.sendgrid_path = f"/v1/receipts/sendgrid/{sandbox_sendgrid.KEY_ID}/events"

    async def twilio(self, attempt: object, sid: str, word: str, **fields: str) -> httpx2.Response:
        """A status callback."""
        path = f"{self.twilio_path}?attempt={attempt}"
        form = {
            "MessageSid": sid,
            "MessageStatus": word,
            "To": SMS["recipient"],
            "AccountSid": sandbox_twilio.ACCOUNT_SID,
            **fields,
        }
        url = self.stack.settings.bellhop.public_url + path
        signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(url, form)
        return await self.stack.http.post(path, data=form, headers={"X-Twilio-Signature": signature})

    async def sendgrid(
        self, events: list[dict[str, Any]], *, age: float = 0.0, signed_body: bytes | None = None
    ) -> httpx2.Response:
        """A batch of events that was signed `age` seconds ago."""
        body = json.dumps(events).encode()
        at = str(int(time.time() - age))
        given = at.encode() + (body if signed_body is None else signed_body)
        signature = sandbox_sendgrid.WEBHOOK_PRIVATE_KEY.sign(given, ec.ECDSA(hashes.SHA256()))
        headers = {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": at,
        }
        return await self.stack.http.post(self.sendgrid_path, content=body, headers=headers)


def event(attempt: object, word: str, **fields: Any) -> dict[str, Any]:
    """One of SendGrid's events, with an id of its own."""
    return {
        "event": word,
        "email": EMAIL["recipient"],
        "timestamp": int(time.time()),
        "sg_event_id": uuid4().hex,
        "sg_message_id": f"{'x' * 22}.filterdrecv-1",
        "attempt_id": str(attempt),
        **fields,
    }


async def silent(stack: Engine) -> None:
    """The sandbox itself reports nothing: what it reports, the test says."""
    never = dict.fromkeys(("twilio_sent_after", "twilio_delivered_after", "sendgrid_processed_after"), 3600.0)
    never |= {"sendgrid_delivered_after": 3600.0, "sendgrid_open_after": 3600.0}
    answer = await stack.sandbox.put("/_sandbox/settings", json=never)
    assert answer.status_code == 200, answer.text


async def sent(stack: Engine, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A message that the provider has and says nothing of, and its attempt."""
    message = await stack.send(body)
    await stack.until(message["id"], "sent", seconds=30)
    (attempt,) = await stack.attempts(message["id"])
    return message["id"], attempt


class Flood:
    """Callbacks that come all at once, repeated after a 503 as providers repeat them; beside them, receipts of other
    messages, timed."""

    def __init__(self, stack: Engine, caller: Caller) -> None:
        self.stack, self.caller = stack, caller
        self.refused = 0
        self.over = asyncio.Event()
        self.slowest = 0.0

    async def until_taken(self, call: Callable[[], Awaitable[httpx2.Response]]) -> None:
        """As the provider does it."""
        for _ in range(20):
            answer = await call()
            if answer.status_code != 503:
                assert answer.status_code == 200, answer.text
                return
            self.refused += 1
            await asyncio.sleep(float(answer.headers["retry-after"]))
        raise AssertionError("refused for ever")

    async def beside(self, others: list[tuple[str, dict[str, Any]]]) -> None:
        """While it lasts, another message's receipt comes, and another's: each is applied promptly."""
        for message, attempt in others:
            if self.over.is_set():
                return
            began = time.monotonic()
            await self.until_taken(lambda: self.caller.twilio(attempt["id"], attempt["provider_id"], "delivered"))  # noqa: B023
            # What a busy record does not take in time is kept on disk first.
            await self.stack.until(message, "delivered", seconds=30)
            self.slowest = max(self.slowest, time.monotonic() - began)


async def receipts_of(stack: Engine, message: str, enough: int, seconds: float = 60) -> int:
    """How many are stored, once there are enough: what a busy machine does not store in time is kept on disk first."""
    end = time.monotonic() + seconds
    while True:
        (stored,) = await stack.rows("select count(*) as n from receipts where message_id = :id", id=key(message))
        if stored["n"] >= enough or time.monotonic() > end:
            return int(stored["n"])
        await asyncio.sleep(0.2)


async def test_ten_thousand_opens_of_one_mail(stack: Engine) -> None:
    """They come in batches at once. Each is stored, the workflow is signalled nothing new, and nobody else waits."""
    await silent(stack)
    caller = Caller(stack)
    flood = Flood(stack, caller)
    made = await stack.http.post("/v1/guests", json={"first_name": "Ann", "last_name": "Doe"})
    message, attempt = await sent(stack, {**EMAIL, "guest_id": made.json()["id"]})
    others = [await sent(stack, SMS) for _ in range(OTHERS)]
    words = ["delivered", *["deferred"] * 999], *([["open"] * BATCH] * (OPENS // BATCH - 1))
    batches = [[event(attempt["id"], word) for word in batch] for batch in words]
    # SendGrid got no answer in time to one of them, and sends it again, mixed otherwise.
    again = batches[1][::-1]
    beside = asyncio.create_task(flood.beside(others))
    began = time.monotonic()
    await flood.until_taken(lambda: caller.sendgrid(batches[0]))
    await asyncio.gather(
        *(flood.until_taken(lambda batch=batch: caller.sendgrid(batch)) for batch in [*batches[1:], again])  # type: ignore[misc]
    )
    took = time.monotonic() - began
    flood.over.set()
    await beside
    # Each may be told once to come again, none for ever.
    assert flood.refused <= len(batches), f"{flood.refused} of {len(batches) + 1} batches were refused"
    assert flood.slowest < PROMPT, f"another message's receipt took {flood.slowest:.1f} s"
    assert took < 60, f"{OPENS} receipts took {took:.0f} s"
    assert await stack.workflow_closed(message) == "read"
    assert await receipts_of(stack, message, OPENS) == OPENS
    assert await stack.events(message) == ["message.sent", "message.delivered", "message.read"]
    # Its workflow was signalled `delivered` and of `read`, once each.
    assert len((await stack.history(message)).events) < 25
    shown = await stack.http.get(f"/v1/messaging/{message}/timeline")
    assert len(shown.content) < 40_000
    (said,) = [entry for entry in shown.json()["data"] if entry["what"] == "receipt.open"]
    assert said["count"] == OPENS - BATCH


async def test_one_callback_again_and_again(stack: Engine) -> None:
    """What is known already holds nobody up: it takes no lock, and the workflow is not signalled."""
    await silent(stack)
    caller = Caller(stack)
    flood = Flood(stack, caller)
    message, attempt = await sent(stack, SMS)
    others = [await sent(stack, SMS) for _ in range(OTHERS)]
    room = asyncio.Semaphore(32)

    async def again() -> None:
        async with room:
            await flood.until_taken(lambda: caller.twilio(attempt["id"], attempt["provider_id"], "sent"))

    beside = asyncio.create_task(flood.beside(others))
    # Somebody holds its row for as long as it lasts.
    await flood.until_taken(lambda: caller.twilio(attempt["id"], attempt["provider_id"], "sent"))
    async with stack.database.begin() as holder:
        await holder.execute(text("select 1 from messages where id = :id for update"), {"id": key(message)})
        await asyncio.gather(*(again() for _ in range(100)))
    await asyncio.gather(*(again() for _ in range(REPEATS)))
    flood.over.set()
    await beside
    assert flood.refused < (REPEATS + 100) // 10, f"{flood.refused} were refused"
    assert flood.slowest < PROMPT, f"another message's receipt took {flood.slowest:.1f} s"
    assert len(await stack.rows("select 1 from receipts where message_id = :id", id=key(message))) == 1
    assert await stack.events(message) == ["message.sent"]
    assert len((await stack.history(message)).events) < 25


async def test_callbacks_before_the_answer_five_times_and_backwards(stack: Engine) -> None:
    """The provider calls back, each word five times, the last word first, while our own call still waits."""
    for fault, fields in (
        ("accept_then_slow", {"delay": 1.5}),
        ("callback_repeat", {"times": 5}),
        ("callback_reorder", {}),
    ):
        await stack.fault(fault, provider="twilio", **fields)
    message = (await stack.send(SMS))["id"]
    await stack.until(message, "delivered", seconds=30)
    async with asyncio.timeout(30):
        while len(await stack.rows("select 1 from receipts where message_id = :id", id=key(message))) < 2:
            await asyncio.sleep(0.05)
    assert await stack.workflow_closed(message) == "delivered"
    assert await stack.events(message) == ["message.sent", "message.delivered"]
    assert len(await stack.accepted(to=SMS["recipient"])) == 1
    (attempt,) = await stack.attempts(message)
    assert (attempt["state"], attempt["stage"]) == ("accepted", "delivered")


async def test_a_receipt_of_three_days_ago_corrects_a_message_whose_workflow_is_closed(stack: Engine) -> None:
    """Failed, closed, and three days later the carrier says that a text arrived, and the guest opens a mail: that a
    server took it would not do. A signature that is older than SendGrid ever repeats a callback is refused."""
    await silent(stack)
    caller = Caller(stack)
    texted, text = await sent(stack, SMS)
    mailed, mail = await sent(stack, EMAIL)
    assert (await caller.twilio(text["id"], text["provider_id"], "undelivered", ErrorCode="30003")).status_code == 200
    assert (await caller.sendgrid([event(mail["id"], "bounce", type="blocked")])).status_code == 200
    for message in (texted, mailed):
        assert await stack.workflow_closed(message) == "failed"
    days = "- interval '3 days'"
    await stack.rows(f"update messages set created_at = created_at {days}, sent_at = sent_at {days} returning id")
    await stack.rows(
        f"update attempts set created_at = created_at {days}, lease_until = lease_until {days} returning id"
    )
    await stack.rows(f"update receipts set received_at = received_at {days} returning id")
    late = [event(mail["id"], "open", timestamp=int(time.time()) - 3 * 86_400)]
    assert (await caller.sendgrid(late, age=3 * 86_400)).status_code == 403
    assert (await stack.get(mailed))["status"] == "failed"
    assert (await caller.sendgrid(late, age=23 * 3_600)).status_code == 200
    assert (await caller.twilio(text["id"], text["provider_id"], "delivered")).status_code == 200
    corrected = ["message.sent", "message.failed", "message.delivered"]
    for message, status, events in (
        (texted, "delivered", corrected),
        (mailed, "read", [*corrected, "message.read"]),
    ):
        assert (await stack.get(message))["status"] == status
        assert await stack.events(message) == events
        assert len(await stack.attempts(message)) == 1


async def test_receipts_about_nobody_are_kept_and_change_nothing(idle_stack: Engine) -> None:
    stack = idle_stack
    caller = Caller(stack)
    waiting = (await stack.send(SMS))["id"]
    reported = [
        await caller.twilio(uuid4(), "SM" + "f" * 32, "delivered"),
        await caller.twilio("", "SM" + "e" * 32, "delivered"),
        await caller.twilio("not-an-id", "SM" + "d" * 32, "undelivered", ErrorCode="30003"),
        await caller.sendgrid([event(uuid4(), "delivered"), {"event": "open"}, {}, event("nobody's", "bounce")]),
        await caller.sendgrid([]),
    ]
    assert [answer.status_code for answer in reported] == [200] * len(reported)
    kept = await stack.rows("select message_id, attempt_id, scope_id from receipts")
    assert len(kept) == 7
    assert all(value is None for row in kept for value in row.values())
    assert (await stack.get(waiting))["status"] == "queued"
    assert await stack.events(waiting) == []


async def test_forged_receipts_are_refused_and_leave_nothing(stack: Engine) -> None:
    await silent(stack)
    caller = Caller(stack)
    message, attempt = await sent(stack, EMAIL)
    honest = [event(attempt["id"], "open")]
    forged = [
        await caller.sendgrid(honest, signed_body=b"[]"),
        await caller.sendgrid(honest, age=-3 * 86_400),
        await stack.http.post(caller.sendgrid_path, json=honest),
        await stack.http.post(
            f"{caller.twilio_path}?attempt={attempt['id']}", data={"MessageSid": "SM1", "MessageStatus": "delivered"}
        ),
    ]
    assert [answer.status_code for answer in forged] == [403] * len(forged)
    assert await stack.rows("select 1 from receipts") == []
    assert (await stack.get(message))["status"] == "sent"


async def renamed(stack: Engine, one: str, other: str) -> None:
    async with stack.database.begin() as tx:
        await tx.execute(text(f"alter table {one} rename to {other}"))


async def test_what_could_not_be_stored_is_kept_and_applied_when_it_can_be(idle_stack: Engine) -> None:
    """The database refuses a callback: it is kept on disk, and all is well a moment after the database is. See
    test_spool.py."""
    stack = idle_stack
    async with working(stack):
        await silent(stack)
        caller = Caller(stack)
        message, attempt = await sent(stack, SMS)
    await renamed(stack, "receipts", "away")
    taken = [
        await caller.twilio(attempt["id"], attempt["provider_id"], "delivered"),
        await caller.sendgrid([event(uuid4(), "open")]),
    ]
    assert [answer.status_code for answer in taken] == [200, 200]
    assert (await stack.get(message))["status"] == "sent"
    await renamed(stack, "away", "receipts")
    await stack.until(message, "delivered", seconds=30)
    async with asyncio.timeout(30):
        while len(await stack.rows("select 1 from receipts where word = 'open'")) < 1:
            await asyncio.sleep(0.05)
