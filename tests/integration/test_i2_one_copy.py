"""I2: a provider accepts a message at most once, whatever becomes of its answer; the database itself sees to it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.store.delivery.attempt_store import AttemptStore, Routes

from .engine import EMAIL, SMS, Engine, key


async def one_copy(stack: Engine, message_id: str, recipient: str) -> None:
    """The sandbox has it exactly once, and the API says so."""
    assert len(await stack.accepted(to=recipient)) == 1
    states = [attempt["state"] for attempt in await stack.attempts(message_id)]
    assert states.count("accepted") == 1, states


@pytest.mark.parametrize("fault", ["accept_then_reset", "accept_then_hang", "accept_then_error"])
async def test_a_lost_answer_is_settled_by_the_receipt(stack: Engine, fault: str) -> None:
    await stack.fault(fault, provider="twilio", calls="send")
    sent = await stack.send({**SMS, "recipient": "+13055550101"})
    await stack.until(sent["id"], "delivered")
    await one_copy(stack, sent["id"], "+13055550101")


@pytest.mark.parametrize("fault", ["accept_then_reset", "accept_then_hang"])
async def test_a_lost_answer_without_receipts_is_settled_by_looking_it_up(stack: Engine, fault: str) -> None:
    await stack.fault("callback_drop", provider="twilio", count=1)
    await stack.fault(fault, provider="twilio", calls="send")
    sent = await stack.send({**SMS, "recipient": "+13055550102"})
    await stack.until(sent["id"], "sent")
    await one_copy(stack, sent["id"], "+13055550102")
    (attempt,) = await stack.attempts(sent["id"])
    assert attempt["provider_id"].startswith("SM")


@pytest.mark.parametrize("fault", ["reset", "hang"])
async def test_what_never_arrived_is_sent_again_after_asking(stack: Engine, fault: str) -> None:
    await stack.fault(fault, provider="twilio", calls="send")
    sent = await stack.send({**SMS, "recipient": "+13055550103"})
    await stack.until(sent["id"], "sent", "delivered")
    await one_copy(stack, sent["id"], "+13055550103")
    assert [attempt["state"] for attempt in await stack.attempts(sent["id"])] == ["not_sent", "accepted"]


async def test_an_email_nobody_can_ask_about_fails_as_unknown_and_a_late_receipt_corrects_it(stack: Engine) -> None:
    # Its first receipt comes after we gave up.
    await stack.fault("callback_delay", provider="sendgrid", delay=12, count=1)
    await stack.fault("accept_then_reset", provider="sendgrid")
    sent = await stack.send({**EMAIL, "recipient": "unknown@example.com"})
    failed = await stack.until(sent["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "outcome_unknown"
    assert "Ask the guest" in failed["metadata"]["error"]["message"]
    await stack.until(sent["id"], "delivered", "read", seconds=40)
    await one_copy(stack, sent["id"], "unknown@example.com")
    assert "error" not in (await stack.get(sent["id"]))["metadata"]


async def test_a_property_may_choose_to_repeat_what_cannot_be_known(stack: Engine) -> None:
    await stack.rows('update scopes set settings = \'{"outcome_unknown": {"email": "resend"}}\' returning id')
    await stack.fault("reset", provider="sendgrid")
    sent = await stack.send({**EMAIL, "recipient": "again@example.com"})
    await stack.until(sent["id"], "delivered", "read")
    assert [attempt["state"] for attempt in await stack.attempts(sent["id"])] == ["abandoned", "accepted"]


async def claimed(idle_stack: Engine) -> tuple[AttemptStore, Claim]:
    """A message with an attempt in flight, made by a worker that then disappeared."""
    sent = await idle_stack.send({**SMS, "recipient": "+13055550105"})
    routes = Routes("http://127.0.0.1:8", "http://127.0.0.1:9")
    attempts = AttemptStore(
        idle_stack.database,
        idle_stack.settings.delivery,
        routes,
        carried(providers()),
        idle_stack.settings.bellhop.credential_cipher(),
        idle_stack.book,
        lambda _: None,
    )
    claim = await attempts.claim(key(sent["id"]), 1e12)
    assert isinstance(claim, Claim)
    return attempts, claim


async def test_the_database_refuses_a_second_live_attempt(idle_stack: Engine) -> None:
    _, claim = await claimed(idle_stack)
    columns = "scope_id, message_id, part, account_id, provider, lease_until, sender"
    with pytest.raises(IntegrityError, match="uq_attempts_live"):
        await idle_stack.rows(
            f"insert into attempts ({columns}) select {columns} from attempts where id = :id returning id",
            id=claim.outgoing.attempt_id,
        )


async def test_a_second_worker_gets_no_leave_while_a_call_may_be_under_way(idle_stack: Engine) -> None:
    attempts, claim = await claimed(idle_stack)
    answers = await asyncio.gather(*(attempts.claim(claim.outgoing.message_id, 1e12) for _ in range(5)))
    assert not any(isinstance(answer, Claim) for answer in answers)


@pytest.mark.parametrize("kind", [SendKind.UNKNOWN, SendKind.RETRY, SendKind.REFUSED, SendKind.ACCOUNT])
async def test_a_poor_answer_never_lowers_what_a_receipt_has_proved(idle_stack: Engine, kind: SendKind) -> None:
    attempts, claim = await claimed(idle_stack)
    await idle_stack.rows(
        "update attempts set state = 'accepted', stage = 'delivered' where id = :id returning id",
        id=claim.outgoing.attempt_id,
    )
    answer = await attempts.record(claim, SendResult(kind, code=FailureCode.PROVIDER_ERROR))
    assert answer.status == "delivered"
    (attempt,) = await idle_stack.rows("select * from attempts where id = :id", id=claim.outgoing.attempt_id)
    assert (attempt["state"], attempt["stage"]) == ("accepted", "delivered")
