"""A sender that has a rate: no more goes out than it takes, what is urgent first, and nobody polls."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

from temporalio.api.enums.v1 import EventType

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Claim
from bellhop.domain.ids import paced_release_workflow
from bellhop.domain.rows.delivery import Backlog, PacedBacklog
from bellhop.store.delivery import parked
from bellhop.temporal.releases import PostgresReleases

from .engine import SMS, Engine, key
from .test_i3_order import Provider
from .test_parked import change, details, kinds, send, waits

BUSY = SMS


async def rated(stack: Engine, rate: float | None) -> Any:
    """The usual sender's pace, once its rate is set."""
    every = (await stack.http.get("/v1/senders")).json()["data"]
    (sender,) = [one for one in every if one["channel"] == "sms" and one["default"]]
    changed = await stack.http.patch(f"/v1/senders/{sender['id']}", json={"rate": rate})
    assert (changed.status_code, changed.json()["rate"]) == (200, rate)
    found = await stack.rows("select id from sender_paces")
    return found[0]["id"] if found else None


async def test_what_comes_faster_waits_and_goes_out_in_order_at_the_pace(stack: Engine) -> None:
    pace = await rated(stack, 2)
    spare = {"channel": "sms", "address": "+13055550188", "rate": None}
    assert (await stack.http.post("/v1/senders", json=spare)).status_code == 201
    # Nobody gives out turns before all have come.
    await change(stack, "update sender_paces set free_at = now() + interval '4 seconds',"
                 " released_until = now() + interval '1 minute'")  # fmt: skip
    normal = await send(stack, 4, BUSY)
    bulk = await send(stack, 1, {**BUSY, "priority": "bulk"})
    urgent = await send(stack, 1, {**BUSY, "priority": "urgent"})
    for message in (*normal, *bulk, *urgent):
        await waits(stack, message, "paced")
    began = time.monotonic()
    neighbour = await stack.send({**SMS, "from": spare["address"]}, now=True)
    assert neighbour["status"] != "queued", "another sender waits for nobody"
    assert time.monotonic() - began < 2
    for message in (*normal, *bulk, *urgent):
        assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in await kinds(stack, message), "nobody asks again"
    assert await details(stack, urgent[0]) == [
        "it waits for the sender's pace: what is urgent goes out first, then the oldest"
    ]
    await change(stack, "update sender_paces set released_until = null")
    assert await stack.sweep() == 1, "nobody is heard of who releases them"
    sent: dict[str, datetime] = {}
    for message in (*normal, *bulk, *urgent):
        await stack.until(message, "sent", "delivered")
        attempts = await stack.attempts(message)
        sent[message] = attempts[0]["created_at"]
        asked = (await kinds(stack, message)).count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
        assert (len(attempts), asked) == (1, 1), "once it was its turn, and never before"
    order = sorted(sent, key=lambda message: sent[message])
    assert order == [*urgent, *normal, *bulk]
    assert (sent[order[-1]] - sent[order[0]]).total_seconds() > 5 / 2 - 0.4, "no more than two a second"
    # Nobody waits any more: the releaser ends.
    async with asyncio.timeout(10):
        await stack.client.get_workflow_handle(paced_release_workflow(pace)).result()
    (last,) = await stack.rows("select released_until from sender_paces")
    assert last["released_until"] is None


async def test_properties_that_share_a_sender_share_its_pace_and_take_turns(idle_stack: Engine) -> None:
    stack = idle_stack
    pace = await rated(stack, 1)
    # As a second property that has set its rate.
    await stack.rows(
        "with other as (insert into properties (name, slug) values ('Other', 'other') returning id),"
        " scope as (insert into scopes (property_id, environment) select id, 'test' from other returning id),"
        " account as (insert into provider_accounts (scope_id, provider, identity, base_url, credentials)"
        "   select scope.id, provider, identity, base_url, credentials from scope, provider_accounts"
        "   where provider = 'twilio' returning id, scope_id)"
        " insert into senders (scope_id, account_id, channel, address, rate, pace_id, is_default)"
        " select account.scope_id, account.id, 'sms', sender.address, 1, :pace, true"
        " from account, senders sender where sender.pace_id = :pace returning id",
        pace=pace,
    )  # fmt: skip
    provider = Provider(stack)
    _, first = await provider.start(BUSY)
    assert isinstance(first, Claim), "it is free"
    waiting = await send(stack, 3, BUSY)
    for message in waiting:
        answer = await provider.attempts.claim(key(message), 1e12)
        assert not isinstance(answer, Claim)
    # Two of them are the other's.
    theirs = waiting[:2]
    await stack.rows(
        "update messages set scope_id = (select scope.id from scopes scope join properties p"
        " on p.id = scope.property_id where p.slug = 'other') where id = any(:ids) returning id",
        ids=[key(message) for message in theirs],
    )
    releases = PostgresReleases(stack.database, stack.dispatcher)
    got: list[list[str]] = []
    for _ in range(4):
        await change(stack, "update sender_paces set free_at = now() - interval '1 second'")
        before = set(waiting) - {message for turn in got for message in turn}
        pause = await releases.release_paced(PacedBacklog(pace))
        free = {
            message for message in before
            if not await stack.rows("select from messages where id = :id and waits_for is not null", id=key(message))
        }  # fmt: skip
        got.append(sorted(free))
        assert (pause is None) == (not free)
    assert [len(turn) for turn in got] == [1, 1, 1, 0]
    own = [turn[0] in theirs for turn in got[:3]]
    assert own in ([True, False, True], [False, True, True]), "the scopes take turns"
    given = next(turn[0] for turn in got[:3] if turn[0] not in theirs)
    claim = await provider.attempts.claim(key(given), 1e12)
    assert isinstance(claim, Claim), "whoever has a turn takes no other"
    (row,) = await stack.rows("select pace_id from messages where id = :id", id=key(given))
    assert row["pace_id"] is None


async def test_without_its_rate_nothing_waits_any_more(idle_stack: Engine) -> None:
    stack = idle_stack
    await rated(stack, 0.01)
    provider = Provider(stack)
    await provider.start(BUSY)
    (message,) = await send(stack, 1, BUSY)
    answer = await provider.attempts.claim(key(message), 1e12)
    assert not isinstance(answer, Claim)
    assert await rated(stack, None) is None, "nobody has that pace any more"
    async with stack.database.begin() as tx:
        assert await parked.backlogs(tx, stack.scope.id) == [Backlog(stack.scope.id, Channel.SMS)]
        released = await parked.release(tx, Backlog(stack.scope.id, Channel.SMS), 10)
    assert [(one.id, one.waits_for, one.pace_id) for one in released] == [(key(message), None, None)]
    assert isinstance(await provider.attempts.claim(key(message), 1e12), Claim)
