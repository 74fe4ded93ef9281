"""I3: the final state is a function of the set of receipts, not of their order or repetition."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from bellhop.domain.channels import Service
from bellhop.domain.delivery_ports import Account, Claim, Receipt, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.routing import carried
from bellhop.domain.statuses import Stage
from bellhop.providers import providers
from bellhop.store.delivery import receipts
from bellhop.store.delivery.attempt_store import AttemptStore, Routes

from .engine import EMAIL, SMS, Engine, key

SETS: list[tuple[Stage, ...]] = [
    (Stage.SENT, Stage.DELIVERED),
    (Stage.SENT, Stage.UNDELIVERED),
    (Stage.SENT, Stage.DELIVERED, Stage.READ),
    (Stage.UNDELIVERED, Stage.DELIVERED),
    (Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ),
    (Stage.SENT, Stage.UNDELIVERED, Stage.READ),
    (Stage.READ,),
]


class Provider:
    """Says things about a fresh message, in any order, before or after our own call has its answer."""

    def __init__(self, stack: Engine) -> None:
        self.stack = stack
        routes = Routes("http://127.0.0.1:8", "http://127.0.0.1:9")
        self.attempts = AttemptStore(
            stack.database,
            stack.settings.delivery,
            routes,
            carried(providers()),
            stack.settings.bellhop.credential_cipher(),
            stack.book,
            lambda _: None,
        )

    async def start(self, body: dict[str, Any]) -> tuple[str, Claim]:
        sent = await self.stack.send(body)
        claim = await self.attempts.claim(key(sent["id"]), 1e12)
        assert isinstance(claim, Claim)
        return sent["id"], claim

    async def say(self, claim: Claim, stage: Stage, dedupe: str, service: Service | None = None) -> None:
        receipt = Receipt(
            dedupe_key=dedupe,
            word=stage.value,
            stage=stage,
            attempt_id=claim.outgoing.attempt_id,
            provider_id=None,
            payload={},
            code=FailureCode.UNREACHABLE if stage is Stage.UNDELIVERED else None,
            service=service,
        )
        account = Account(claim.account.id, claim.account.provider, claim.account.identity, "", {})
        async with self.stack.database.begin() as tx:
            await receipts.record(tx, [account], [receipt], self.stack.book, self.stack.settings.delivery.follow_at)

    async def outcome(self, message_id: str) -> tuple[str, frozenset[str], Any]:
        message = await self.stack.get(message_id)
        events = await self.stack.events(message_id)
        assert len(events) == len(set(events)), f"an event was told twice: {events}"
        reported = frozenset(events)
        # What may depend on order: whether a failure was told before a late delivery, and of a mail that a server sent
        # back, whether it was told that the server took it.
        (row,) = await self.stack.rows("select delivered_at from messages where id = :id", id=key(message_id))
        assert (row["delivered_at"] is not None) == (message["status"] in ("delivered", "read"))
        if message["status"] in ("delivered", "read"):
            reported -= {"message.failed"}
        if message["status"] == "failed" and message["channel"] == "email":
            reported -= {"message.delivered"}
        return message["status"], reported, message["metadata"].get("error", {}).get("code")


def ends(body: dict[str, Any], stages: tuple[Stage, ...]) -> str:
    """Where a message ends of which all this is said."""
    if Stage.READ in stages:
        return "read"
    delivered, bounced = Stage.DELIVERED in stages, Stage.UNDELIVERED in stages
    if delivered and bounced:
        return "failed" if body["channel"] == "email" else "delivered"
    return "delivered" if delivered else "failed"


@pytest.mark.parametrize("body", [SMS, EMAIL], ids=lambda body: body["channel"])
@pytest.mark.parametrize("stages", SETS, ids=lambda stages: "+".join(stages))
async def test_the_order_and_repetition_of_receipts_does_not_matter(
    idle_stack: Engine, stages: tuple[Stage, ...], body: dict[str, Any]
) -> None:
    provider = Provider(idle_stack)
    outcomes = set()
    for order in permutations((*stages, "answer")):
        message_id, claim = await provider.start(body)
        for step in order:
            if step == "answer":
                await provider.attempts.record(claim, SendResult(SendKind.ACCEPTED, provider_id=uuid4().hex))
            else:
                for _ in range(2):
                    await provider.say(claim, Stage(step), f"{claim.outgoing.attempt_id}:{step}")
        outcomes.add(await provider.outcome(message_id))
    assert len(outcomes) == 1, outcomes
    assert {status for status, _, _ in outcomes} == {ends(body, stages)}


async def test_by_what_a_message_went_is_the_plainest_that_was_said(idle_stack: Engine) -> None:
    provider, said = Provider(idle_stack), [(Stage.SENT, Service.RCS), (Stage.DELIVERED, Service.SMS)]
    for order in permutations((*said, (Stage.SENT, None), None)):
        message_id, claim = await provider.start(SMS)
        for place, one in enumerate(order):
            if one is None:
                await provider.attempts.record(claim, SendResult(SendKind.ACCEPTED, provider_id=uuid4().hex))
            else:
                await provider.say(claim, one[0], f"{claim.outgoing.attempt_id}:{place}", one[1])
        message = await idle_stack.get(message_id)
        assert (message["status"], message["service"], message["was_downgraded"]) == ("delivered", "sms", None)


async def test_the_order_of_receipts_for_several_parts_does_not_matter(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    outcomes = set()
    words = " ".join(f"word{number}" for number in range(400))
    for order in permutations(((0, Stage.UNDELIVERED), (0, Stage.DELIVERED), (1, Stage.SENT), (1, Stage.UNDELIVERED))):
        sent = await idle_stack.send({**SMS, "content": words})
        claims: list[Claim] = []
        for _ in range(2):
            claim = await provider.attempts.claim(key(sent["id"]), 1e12)
            assert isinstance(claim, Claim)
            claims.append(claim)
            await provider.attempts.record(claim, SendResult(SendKind.ACCEPTED, provider_id=uuid4().hex))
        for part, stage in order:
            await provider.say(claims[part], stage, f"{claims[part].outgoing.attempt_id}:{stage}")
        outcomes.add(await provider.outcome(sent["id"]))
    assert outcomes == {("failed", frozenset({"message.sent", "message.failed"}), "unreachable")}


async def test_receipts_that_come_at_once_are_applied_once(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, claim = await provider.start(EMAIL)
    await asyncio.gather(
        *(
            provider.say(claim, stage, f"{message_id}:{stage}")
            for stage in (Stage.READ, Stage.SENT, Stage.DELIVERED) * 3
        )
    )
    status, reported, _ = await provider.outcome(message_id)
    assert status == "read"
    assert reported == {"message.sent", "message.delivered", "message.read"}
    assert len(await idle_stack.rows("select 1 from receipts")) == 3


async def test_a_mail_that_comes_back_has_failed_and_one_that_was_opened_has_arrived(idle_stack: Engine) -> None:
    """Its server took it, sent it back, and then somebody opened it after all: each is told once, as it came."""
    provider = Provider(idle_stack)
    message_id, claim = await provider.start(EMAIL)
    for stage, status in ((Stage.DELIVERED, "delivered"), (Stage.UNDELIVERED, "failed"), (Stage.READ, "read")):
        await provider.say(claim, stage, stage.value)
        assert (await idle_stack.get(message_id))["status"] == status
    assert await idle_stack.events(message_id) == [
        "message.sent", "message.delivered", "message.failed", "message.read",
    ]  # fmt: skip


async def test_a_mail_that_bounces_after_its_delivery_is_followed_to_that_end(stack: Engine) -> None:
    sent = await stack.send({**EMAIL, "recipient": "latebounce@example.com"})
    failed = await stack.until(sent["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "address_invalid"
    assert await stack.events(sent["id"]) == ["message.sent", "message.delivered", "message.failed"]
    assert await stack.workflow_closed(sent["id"]) == "failed"


async def test_skipped_stages_are_reported_in_order(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, claim = await provider.start(EMAIL)
    await provider.say(claim, Stage.READ, "only")
    assert await idle_stack.events(message_id) == ["message.sent", "message.delivered", "message.read"]
    shown = await idle_stack.get(message_id)
    assert shown["sent_at"] is not None


async def test_unknown_words_are_kept_and_change_nothing(idle_stack: Engine) -> None:
    provider = Provider(idle_stack)
    message_id, claim = await provider.start(EMAIL)
    receipt = Receipt("new word", "teleported", None, claim.outgoing.attempt_id, None, {"status": "teleported"})
    account = Account(claim.account.id, claim.account.provider, claim.account.identity, "", {})
    async with idle_stack.database.begin() as tx:
        await receipts.record(tx, [account], [receipt], idle_stack.book, idle_stack.settings.delivery.follow_at)
    assert (await idle_stack.get(message_id))["status"] == "queued"
    (row,) = await idle_stack.rows("select word, payload from receipts")
    assert row == {"word": "teleported", "payload": {"status": "teleported"}}
