"""A message that cannot arrive goes on to its next step: never while nobody knows, and its status follows from the set
of what is known of all steps (I2, I3)."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from bellhop.domain.answers import Answer, Next
from bellhop.domain.delivery_ports import Claim, LookupKind, LookupResult, SendKind, SendResult
from bellhop.domain.delivery_ports import Lookup as LookUp
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage

from .engine import SMS, Engine, key
from .test_i3_order import Provider

MAIL = {"channel": "email", "recipient": "jordan@example.com", "subject": "Your suite", "content": "It is ready."}
BOTH = {**SMS, "fallback": [MAIL]}
SHOWN = [{"channel": "email", "when": "failed", "after": None}]
ASK_NOW = "update attempts set ask_at = now() where message_id = :id returning id"
ACCEPTED, REFUSED = SendKind.ACCEPTED, SendKind.REFUSED


async def next_claim(provider: Provider, message_id: str) -> Claim:
    claim = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(claim, Claim), claim
    return claim


async def take(provider: Provider, claim: Claim) -> Answer:
    return await provider.attempts.record(claim, SendResult(ACCEPTED, provider_id=uuid4().hex))


async def test_what_failed_is_followed_by_the_next_step_with_its_own_words(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, sms = await provider.start(BOTH)
    refused = SendResult(REFUSED, code=FailureCode.ADDRESS_INVALID, provider_code="21211")
    answer = await provider.attempts.record(sms, refused)
    assert (answer.next, answer.through) == (Next.AGAIN, "sendgrid-test")
    assert (await idle_stack.get(message_id))["status"] == "queued"
    mail = await next_claim(provider, message_id)
    assert (mail.outgoing.channel, mail.outgoing.to) == ("email", "jordan@example.com")
    assert (mail.outgoing.content.text, mail.outgoing.content.subject) == ("It is ready.", "Your suite")
    await take(provider, mail)
    await provider.say(mail, Stage.DELIVERED, "arrived")
    shown = await idle_stack.get(message_id)
    assert (shown["status"], shown["channel"]) == ("delivered", "sms")
    assert shown["fallback"] == SHOWN
    assert await idle_stack.events(message_id) == ["message.fallback", "message.sent", "message.delivered"]
    (event,) = await idle_stack.rows(
        "select facts from events where subject_id = :id and type = 'message.fallback'", id=key(message_id)
    )
    assert event["facts"] == {"stage": "queued", "step": 1, "code": "address_invalid", "provider_code": "21211"}
    entries = (await idle_stack.http.get(f"/v1/messaging/{message_id}/timeline")).json()["data"]
    (fallen,) = [entry for entry in entries if entry["what"] == "message.fallback"]
    assert fallen["step"] == {"number": 1, "channel": "email", "cost": "low", "reason": fallen["error"]}
    assert fallen["error"]["code"] == "address_invalid"


async def test_a_failure_after_acceptance_is_not_told_and_the_message_stays_sent(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, sms = await provider.start(BOTH)
    await take(provider, sms)
    await provider.say(sms, Stage.UNDELIVERED, "no")
    assert (await idle_stack.get(message_id))["status"] == "sent"
    (signal,) = await idle_stack.rows("select stage, step from messages where id = :id", id=key(message_id))
    assert signal == {"stage": "queued", "step": 1}
    listed = (await idle_stack.http.get("/v1/messaging", params={"status": "sent"})).json()["data"]
    assert [one["id"] for one in listed] == [message_id]
    assert (await idle_stack.http.get("/v1/messaging", params={"status": "queued"})).json()["data"] == []
    refused = SendResult(REFUSED, code=FailureCode.BLOCKED)
    assert (await provider.attempts.record(await next_claim(provider, message_id), refused)).next is Next.CLOSE
    failed = await idle_stack.get(message_id)
    assert (failed["status"], failed["metadata"]["error"]["code"]) == ("failed", "blocked")
    assert await idle_stack.events(message_id) == ["message.sent", "message.fallback", "message.failed"]


async def test_nothing_follows_what_nobody_knows(idle_stack: Engine) -> None:
    """Neither while it is found out, nor when it cannot be."""
    provider = Provider(idle_stack)
    message_id, sms = await provider.start(BOTH)
    answer = await provider.attempts.record(sms, SendResult(SendKind.UNKNOWN))
    assert answer.next is Next.SETTLE
    assert isinstance(await provider.attempts.claim(key(message_id), 1e12), Answer)
    for _ in idle_stack.settings.delivery.settle_pauses:
        await idle_stack.rows(ASK_NOW, id=key(message_id))
        asked = await provider.attempts.prepare_lookup(key(message_id))
        assert isinstance(asked, LookUp)
        answer = await provider.attempts.record_lookup(asked, LookupResult(LookupKind.CANNOT_KNOW))
    assert answer.next is Next.CLOSE
    failed = await idle_stack.get(message_id)
    assert (failed["status"], failed["metadata"]["error"]["code"]) == ("failed", "outcome_unknown")
    assert "message.fallback" not in await idle_stack.events(message_id)
    # What was said to have failed is not taken up again, even where the provider says so at last.
    await provider.say(sms, Stage.UNDELIVERED, "late")
    assert (await idle_stack.get(message_id))["status"] == "failed"
    (row,) = await idle_stack.rows("select step from messages where id = :id", id=key(message_id))
    assert row["step"] == 0


@pytest.mark.parametrize("last", [Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ])
async def test_what_an_earlier_step_brought_counts_in_whatever_order_it_is_known(
    idle_stack: Engine, last: Stage
) -> None:
    provider = Provider(idle_stack)
    ends = set()
    for order in permutations(((0, Stage.DELIVERED), (1, Stage.SENT), (1, last))):
        message_id, sms = await provider.start(BOTH)
        await take(provider, sms)
        await provider.say(sms, Stage.UNDELIVERED, f"{message_id}:no")
        claims = [sms, await next_claim(provider, message_id)]
        await take(provider, claims[1])
        for step, stage in order:
            for _ in range(2):
                await provider.say(claims[step], stage, f"{message_id}:{step}:{stage}")
        shown = await idle_stack.get(message_id)
        ends.add((shown["status"], shown["metadata"].get("error", {}).get("code")))
        marks = await idle_stack.rows("select stage from events where subject_id = :id", id=key(message_id))
        assert len([one for one in marks if one["stage"]]) == len({one["stage"] for one in marks if one["stage"]})
    assert ends == {("read" if last is Stage.READ else "delivered", None)}


async def test_what_arrived_after_all_is_not_sent_again(idle_stack: Engine) -> None:
    """The e-mail waits, and then the phone says that it got the text."""
    provider = Provider(idle_stack)
    message_id, sms = await provider.start(BOTH)
    await take(provider, sms)
    await provider.say(sms, Stage.UNDELIVERED, "no")
    await provider.say(sms, Stage.DELIVERED, "yes")
    answer = await provider.attempts.claim(key(message_id), 1e12)
    assert isinstance(answer, Answer)
    assert answer.next is not Next.AGAIN
    assert (await idle_stack.get(message_id))["status"] == "delivered"
    assert await idle_stack.events(message_id) == ["message.sent", "message.fallback", "message.delivered"]
    assert len(await idle_stack.attempts(message_id)) == 1


async def test_consents_are_asked_at_each_step(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    said = {"channel": "email", "address": "jordan@example.com", "action": "opt_out", "reason": "asked at the desk"}
    answer = await idle_stack.http.post("/v1/consents", json=said)
    message_id, sms = await provider.start(BOTH)
    await provider.attempts.record(sms, SendResult(REFUSED, code=FailureCode.BLOCKED))
    last = await provider.attempts.claim(key(message_id), 1e12)
    assert answer.status_code == 201, answer.text
    assert isinstance(last, Answer)
    assert last.next is Next.CLOSE
    assert (await idle_stack.get(message_id))["metadata"]["error"]["code"] == "opted_out"


async def test_a_step_is_over_when_its_time_is_and_the_provider_is_told(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    limited = {**SMS, "fallback": [{**MAIL, "after": 600}]}
    message_id, sms = await provider.start(limited)
    assert sms.outgoing.valid_for is not None
    assert 590 < sms.outgoing.valid_for <= 600
    answer = await take(provider, sms)
    # Asked once it is over; what it then still has is waited for.
    assert answer.next is Next.TRACK
    assert 0 < answer.after <= 300
    await provider.say(sms, Stage.UNDELIVERED, "over")
    mail = await next_claim(provider, message_id)
    assert mail.outgoing.valid_for is None
    # One that never got to the provider in its time is over by itself.
    other = await idle_stack.send(limited)
    await idle_stack.rows("update messages set expires_at = now() where id = :id returning id", id=key(other["id"]))
    answer = await provider.attempts.claim(key(other["id"]), 1e12)
    assert isinstance(answer, Answer)
    assert (await next_claim(provider, other["id"])).outgoing.channel == "email"


async def test_a_message_can_be_cancelled_while_no_step_of_it_went_out(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, sms = await provider.start(BOTH)
    await provider.attempts.record(sms, SendResult(REFUSED, code=FailureCode.BLOCKED))
    assert (await idle_stack.http.post(f"/v1/messaging/{message_id}/cancel")).json()["status"] == "cancelled"
    other, sms = await provider.start(BOTH)
    await take(provider, sms)
    await provider.say(sms, Stage.UNDELIVERED, "no")
    answer = await idle_stack.http.post(f"/v1/messaging/{other}/cancel")
    assert (answer.status_code, "already sent" in answer.json()["detail"]) == (409, True)


async def test_it_is_sent_again_with_all_its_steps(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, sms = await provider.start(BOTH)
    await provider.attempts.record(sms, SendResult(REFUSED, code=FailureCode.BLOCKED))
    refused = SendResult(REFUSED, code=FailureCode.REJECTED)
    await provider.attempts.record(await next_claim(provider, message_id), refused)
    again = await idle_stack.http.post(f"/v1/messaging/{message_id}/resend", json={"reason": "the guest asked"})
    assert again.status_code == 201, again.text
    assert (again.json()["status"], again.json()["fallback"]) == ("queued", SHOWN)
    sms = await next_claim(provider, again.json()["id"])
    assert (sms.outgoing.channel, sms.outgoing.content.text) == ("sms", SMS["content"])
    await provider.attempts.record(sms, SendResult(REFUSED, code=FailureCode.BLOCKED))
    mail = await next_claim(provider, again.json()["id"])
    assert (mail.outgoing.to, mail.outgoing.content.text) == ("jordan@example.com", "It is ready.")


async def test_an_erased_guest_is_in_no_step(idle_stack: Engine) -> None:
    guest = {"first_name": "Jordan", "last_name": "M", "email": "jordan@example.com", "phone": "+13055551234"}
    made = (await idle_stack.http.post("/v1/guests", json=guest)).json()
    # One that names nobody, to another's phone, with the guest's address at a step.
    unnamed = await idle_stack.send({**SMS, "recipient": "+13055550199", "fallback": [MAIL]})
    named = await idle_stack.send(
        {**SMS, "guest_id": made["id"], "fallback": [{"channel": "email", "subject": "Hello"}]}
    )
    (step,) = await idle_stack.rows("select * from message_steps where message_id = :id", id=key(named["id"]))
    assert (step["recipient"], step["content"], step["subject"]) == ("jordan@example.com", SMS["content"], "Hello")
    assert (await idle_stack.http.delete(f"/v1/guests/{made['id']}")).status_code == 204
    for message in (unnamed, named):
        (step,) = await idle_stack.rows("select * from message_steps where message_id = :id", id=key(message["id"]))
        left = {name for name, value in step.items() if value is not None}
        assert left == {"id", "scope_id", "message_id", "step", "channel", "content_type", "provider", "erased_hash"}


WRONG: list[tuple[dict[str, Any], list[Any], str]] = [
    ({"channel": "email"}, ["body", "fallback", 0, "recipient"], "recipient_required"),
    ({"channel": "email", "recipient": "j@example.com"}, ["body", "fallback", 0, "subject"], "subject_required"),
    ({"channel": "email", "recipient": "nobody"}, ["body", "fallback", 0, "recipient"], "recipient"),
    ({"channel": "sms", "subject": "Hello"}, ["body", "fallback", 0, "subject"], "subject_unexpected"),
    ({"channel": "in_app"}, ["body", "fallback", 0, "recipient"], "recipient_required"),
    ({**MAIL, "when": "not_read"}, ["body", "fallback", 0, "after"], "after_required"),
    ({**MAIL, "channel": "email"}, ["body", "fallback", 0, "channel"], "channel_unavailable"),
]


@pytest.mark.parametrize(("step", "place", "kind"), WRONG, ids=[f"{one[0]['channel']}-{one[2]}" for one in WRONG])
async def test_a_step_that_cannot_be_is_refused_and_nothing_is_stored(
    idle_stack: Engine, step: dict[str, Any], place: list[Any], kind: str
) -> None:
    if kind == "channel_unavailable":
        await idle_stack.rows("delete from senders where channel = 'email' returning id")
    answer = await idle_stack.http.post("/v1/messaging/send", json={**SMS, "fallback": [step]})
    assert answer.status_code == 422
    assert [(one["loc"], one["type"]) for one in answer.json()["detail"]] == [(place, kind)]
    assert await idle_stack.rows("select id from messages") == []


async def test_an_sms_that_fails_arrives_as_a_mail(stack: Engine) -> None:
    """With the worker, Temporal and the sandbox: at once, and after the carrier's late word."""
    for number in ("+13055552211", "+13055553003"):
        sent = await stack.send({**BOTH, "recipient": number})
        await stack.until(sent["id"], "delivered", "read")
        assert "message.fallback" in await stack.events(sent["id"])
