"""The sender that a message asks for, and those that stand by where the usual one surely did not take it (I2)."""

from __future__ import annotations

from uuid import uuid4

from bellhop.domain.answers import Answer, Next
from bellhop.domain.delivery_ports import Claim, SendKind, SendResult

from .engine import SMS, Engine, key
from .test_i3_order import Provider

SECOND = """
    with account as (
      insert into provider_accounts (scope_id, provider, identity, base_url, credentials, previous_credentials)
      select scope_id, provider, identity || '0', base_url, credentials, previous_credentials
      from provider_accounts where provider = 'twilio' limit 1 returning id, scope_id)
    insert into senders (scope_id, account_id, channel, address)
    select scope_id, id, 'sms', '+13055550188' from account returning id
"""
OTHER = "+13055550188"


async def stand_by(stack: Engine) -> None:
    """Another account on the channel, which stands by."""
    await stack.rows(SECOND)
    listed = (await stack.http.get("/v1/senders")).json()["data"]
    (second,) = [one for one in listed if one["address"] == OTHER]
    assert (second["used"], second["standby"]) == (False, False)
    changed = await stack.http.put(f"/v1/senders/{second['id']}/standby", json={"standby": True})
    assert (changed.status_code, changed.json()["standby"]) == (200, True)


async def claimed(provider: Provider, message_id: str) -> Claim:
    claim = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(claim, Claim), claim
    return claim


async def test_an_account_that_is_held_is_stood_in_for(idle_stack: Engine) -> None:
    await stand_by(idle_stack)
    provider = Provider(idle_stack)
    message_id, first = await provider.start(SMS)
    assert first.outgoing.sender != OTHER
    answer = await provider.attempts.record(first, SendResult(SendKind.ACCOUNT, provider_code="20003"))
    assert (answer.next, answer.after) == (Next.AGAIN, 0.0)
    assert (await claimed(provider, message_id)).outgoing.sender == OTHER
    _, next_one = await provider.start(SMS)
    assert next_one.outgoing.sender == OTHER


async def test_an_account_that_does_not_take_it_three_times_is_stood_in_for(idle_stack: Engine) -> None:
    await stand_by(idle_stack)
    provider = Provider(idle_stack)
    message_id, claim = await provider.start(SMS)
    for tried in range(3):
        assert claim.outgoing.sender != OTHER
        answer = await provider.attempts.record(claim, SendResult(SendKind.RETRY, provider_code="20429"))
        assert (answer.after > 0) == (tried < 2)
        await idle_stack.rows("update messages set due_at = now() where id = :id returning id", id=key(message_id))
        claim = await claimed(provider, message_id)
    assert claim.outgoing.sender == OTHER


async def test_nobody_stands_in_while_it_is_not_known_whether_it_went_out(idle_stack: Engine) -> None:
    await stand_by(idle_stack)
    provider = Provider(idle_stack)
    message_id, first = await provider.start(SMS)
    await provider.attempts.record(first, SendResult(SendKind.UNKNOWN))
    waits = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(waits, Answer)
    assert waits.next is Next.SETTLE


async def test_a_message_goes_out_from_the_sender_that_it_asks_for(idle_stack: Engine) -> None:
    await idle_stack.rows(SECOND)
    provider = Provider(idle_stack)
    message_id, claim = await provider.start({**SMS, "from": OTHER})
    assert claim.outgoing.sender == OTHER
    await provider.attempts.record(claim, SendResult(SendKind.ACCEPTED, provider_id=uuid4().hex))
    assert (await idle_stack.get(message_id))["from"] == OTHER
    for wrong in ({**SMS, "from": "+13055550177"}, {**SMS, "channel": "imessage", "from": OTHER}):
        answer = await idle_stack.http.post("/v1/messaging/send", json=wrong)
        assert answer.status_code == 422
        assert [(one["loc"], one["type"]) for one in answer.json()["detail"]] == [(["body", "from"], "unknown_sender")]
