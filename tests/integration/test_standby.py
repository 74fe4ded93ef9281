"""The sender that a message asks for, and those that stand by where the usual one surely did not take it (I2)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Claim, Inbound, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.store.delivery import receipts

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
    assert (second["default"], second["standby"]) == (False, False)
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


async def test_an_account_that_asks_for_long_is_stood_in_for_at_once(idle_stack: Engine) -> None:
    await stand_by(idle_stack)
    provider = Provider(idle_stack)
    message_id, first = await provider.start(SMS)
    answer = await provider.attempts.record(first, SendResult(SendKind.RETRY, provider_code="20429", retry_after=3600))
    assert (answer.next, answer.after) == (Next.AGAIN, 0.0)
    await idle_stack.rows("update messages set due_at = now() where id = :id returning id", id=key(message_id))
    second = await claimed(provider, message_id)
    assert second.outgoing.sender == OTHER
    answer = await provider.attempts.record(second, SendResult(SendKind.RETRY, provider_code="20429", retry_after=1))
    assert answer.after > 0, "there is nobody else"
    await idle_stack.rows("update messages set due_at = now() where id = :id returning id", id=key(message_id))
    assert (await claimed(provider, message_id)).outgoing.sender == OTHER, "the other one still rests"


async def test_a_sender_that_is_not_set_up_for_it_is_stood_in_for_and_then_it_fails(idle_stack: Engine) -> None:
    await stand_by(idle_stack)
    provider = Provider(idle_stack)
    message_id, first = await provider.start(SMS)
    refused = SendResult(SendKind.REFUSED, code=FailureCode.CONFIGURATION, provider_code="21606")
    answer = await provider.attempts.record(first, refused)
    assert (answer.next, answer.after) == (Next.AGAIN, 0.0)
    second = await claimed(provider, message_id)
    assert second.outgoing.sender == OTHER
    assert (await provider.attempts.record(second, refused)).next is Next.CLOSE
    assert (await idle_stack.get(message_id))["status"] == "failed"


async def sent_from(provider: Provider, body: dict[str, Any]) -> str:
    _, claim = await provider.start(body)
    await provider.attempts.record(claim, SendResult(SendKind.ACCEPTED, provider_id=uuid4().hex))
    return claim.outgoing.sender


async def test_a_guest_is_answered_from_the_sender_of_the_conversation(idle_stack: Engine) -> None:
    stack, provider = idle_stack, Provider(idle_stack)
    usual = await sent_from(provider, SMS)
    spare = (await stack.http.post("/v1/senders", json={"channel": "sms", "address": OTHER, "rate": None})).json()
    assert await sent_from(provider, {**SMS, "from": OTHER}) == OTHER
    assert await sent_from(provider, SMS) == OTHER, "as the last time"
    assert await sent_from(provider, {**SMS, "recipient": "+13055554999"}) == usual, "another guest's conversation"
    account = (await provider.start(SMS))[1].account
    item = Inbound("SM9:inbound", Channel.SMS, SMS["recipient"], usual, "Thank you", "SM9", {"Body": "Thank you"})
    async with stack.database.begin() as tx:
        await receipts.record(tx, [account], [item], stack.book, [60.0])
    assert await sent_from(provider, SMS) == usual, "the guest wrote there"
    assert await sent_from(provider, {**SMS, "from": OTHER}) == OTHER
    assert (await stack.http.delete(f"/v1/senders/{spare['id']}")).status_code == 204
    assert await sent_from(provider, SMS) == usual, "the other is none any more"
    await stack.rows(SECOND)
    assert await sent_from(provider, {**SMS, "from": OTHER}) == OTHER
    assert await sent_from(provider, SMS) == usual, "the channel does not go through that account"


async def test_a_start_to_one_sender_leaves_the_other_that_was_told_stop_closed(idle_stack: Engine) -> None:
    """As it is at the carrier, where a send from the other would fail with 21610."""
    stack, provider = idle_stack, Provider(idle_stack)
    _, first = await provider.start(SMS)
    await provider.attempts.record(first, SendResult(SendKind.ACCEPTED, provider_id=uuid4().hex))
    usual = first.outgoing.sender
    assert (
        await stack.http.post("/v1/senders", json={"channel": "sms", "address": OTHER, "rate": None})
    ).status_code == 201
    made = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": SMS["recipient"]})

    async def writes(sender: str, *words: str) -> None:
        for word in words:
            name = uuid4().hex
            item = Inbound(name, Channel.SMS, SMS["recipient"], sender, word, name, {}, answered=True)
            async with stack.database.begin() as tx:
                await receipts.record(tx, [first.account], [item], stack.book, [60.0])

    async def goes(**fields: Any) -> str:
        sent = await stack.send({**SMS, **fields})
        claim = await provider.attempts.claim(key(sent["id"]), 1e12)
        if isinstance(claim, Claim):
            await provider.attempts.record(claim, SendResult(SendKind.ACCEPTED, provider_id=uuid4().hex))
            return claim.outgoing.sender
        return str((await stack.get(sent["id"]))["metadata"]["error"]["code"])

    async def shown() -> dict[str, Any]:
        found = (await stack.http.get(f"/v1/guests/{made.json()['id']}/consents")).json()
        (phone,) = [one for one in found["addresses"] if one["kind"] == "phone"]
        said = [(one["cause"], one["channel"], one["sender"], one["in_force"]) for one in found["data"]]
        return {"said": said, "allowed": phone["allowed"], "from": [one["sender"] for one in phone["allowed_from"]]}

    await writes(usual, "STOP")
    assert [await goes(), await goes(**{"from": OTHER})] == ["opted_out"] * 2, "it binds every sender"
    await writes(OTHER, "START")
    assert [await goes(), await goes(**{"from": OTHER}), await goes(**{"from": usual})] == [OTHER, OTHER, "opted_out"]
    assert await shown() == {
        "said": [("opt_in", "sms", OTHER, False), ("opt_out", "sms", usual, True)],
        "allowed": False,
        "from": [OTHER],
    }
    chosen = {"channel": "auto", "recipient": made.json()["id"], "content": "Welcome"}
    assert (await stack.send(chosen))["channel"] == "sms", "one of its senders may"
    await writes(usual, "START")
    assert [await goes(), await goes(**{"from": OTHER})] == [usual, OTHER], "taken back where it was said"
    assert (await shown())["allowed"] is True
    await writes(usual, "STOP")
    refused = SendResult(SendKind.REFUSED, code=FailureCode.OPTED_OUT, provider_code="21610")
    await writes(OTHER, "START")
    _, claim = await provider.start(SMS)
    await provider.attempts.record(claim, refused)
    assert [await goes(), (await shown())["from"]] == ["opted_out", []], "nothing was said to a sender since"
