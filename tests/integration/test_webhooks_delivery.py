"""One drain of an endpoint, against a real database and a customer's server that really listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import delete, func, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook, WebhookVerificationError

from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix, render
from bellhop.domain.scopes import Scope
from bellhop.domain.signing import new_secret, verify
from bellhop.domain.statuses import Stage
from bellhop.domain.webhook_ports import Result, State
from bellhop.store import tables
from bellhop.store.delivery import pending_wakes
from bellhop.store.webhooks import deliveries, endpoints, events
from tests.integration.webhooks_kit import QUICK, Answer, Call, Receiver, WebhookStack, build_stack, serving


@pytest.fixture
async def stack(engine: AsyncEngine) -> WebhookStack:
    return await build_stack(engine)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serving() as one:
        yield one


def says(*statuses: int, **headers: str) -> Any:
    """Answer with these statuses in turn, the last one for ever."""
    left = list(statuses)

    async def answer(_: Call) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0], {name.replace("_", "-"): v for name, v in headers.items()}

    return answer


# --- the body and its signatures ------------------------------------------------------------------------------------


async def test_the_body_is_the_documented_envelope_with_the_message_as_the_event_told_it(
    stack: WebhookStack, receiver: Receiver
) -> None:
    endpoint = await stack.endpoint(receiver.url + "/hook")
    sent_at = datetime.now(UTC)
    message = await stack.message(stage="read", sent_at=sent_at, metadata={"room": "12"}, guest_ref="gst_given")
    await stack.tell(message, Stage.SENT)
    assert (await stack.drain(endpoint)).after is None
    (call,) = receiver.calls
    (row,) = await stack.deliveries(endpoint)
    body = call.json
    assert list(body) == ["id", "type", "property_id", "created_at", "data"]
    assert body["id"] == render(Prefix.EVENT, row.event_id) == call.headers["webhook-id"]
    assert body["type"] == "message.sent"
    assert body["property_id"] == render(Prefix.PROPERTY, stack.property_id)
    assert body["data"]["id"] == render(Prefix.MESSAGE, message)
    assert body["data"]["status"] == "sent", "the stage of the event, although it has been read since"
    assert body["data"]["sent_at"] == sent_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert body["data"]["guest_id"] == "gst_given"
    assert body["data"]["metadata"] == {"room": "12"}
    assert call.headers["content-type"] == "application/json"
    assert (row.state, row.attempts, row.last_status, row.last_error) == ("delivered", 1, 204, None)
    assert row.delivered_at is not None and row.last_attempt_at is not None


async def test_a_failed_message_says_why(stack: WebhookStack, receiver: Receiver) -> None:
    endpoint = await stack.endpoint(receiver.url)
    message = await stack.message(stage="delivered", sent_at=datetime.now(UTC))
    await stack.tell(message, Stage.SENT, Stage.UNDELIVERED, code="unreachable", provider_code="30003")
    await stack.drain(endpoint)
    failed = receiver.calls[1].json
    assert failed["type"] == "message.failed" and failed["data"]["status"] == "failed"
    assert failed["data"]["metadata"]["error"]["code"] == "unreachable"
    assert failed["data"]["metadata"]["error"]["provider_code"] == "30003"
    assert failed["data"]["sent_at"] is not None


async def test_every_subject_has_its_object(stack: WebhookStack, receiver: Receiver, engine: AsyncEngine) -> None:
    endpoint = await stack.endpoint(receiver.url)
    inbound = await stack.message(direction="inbound", sender="+13055550000", recipient="+13055559999", content="Hi")
    async with engine.begin() as tx:
        guest = (
            await tx.execute(
                insert(tables.guests)
                .values(scope_id=stack.scope_id, first_name="Zoë", last_name="Ng")
                .returning(tables.guests.c.id)
            )
        ).scalar_one()
        for subject, key, kind in (
            ("inbound", inbound, EventType.MESSAGE_RECEIVED),
            ("guest", guest, EventType.GUEST_CREATED),
            ("guest", guest, EventType.GUEST_DELETED),
        ):
            await events.write(tx, stack.scope_id, subject, key, [events.NewEvent(kind)])
    await stack.drain(endpoint)
    data = {call.json["type"]: call.json["data"] for call in receiver.calls}
    assert data["message.received"]["content"] == "Hi"
    assert data["message.received"]["id"] == render(Prefix.INBOUND, inbound)
    assert data["guest.created"]["first_name"] == "Zoë"
    nothing_else = {"id": render(Prefix.GUEST, guest), "property_id": render(Prefix.PROPERTY, stack.property_id)}
    assert data["guest.deleted"] == nothing_else


@pytest.mark.parametrize("gone", [True, False])
async def test_i7_what_is_owed_about_an_erased_guest_goes_out_with_ids_only(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine, gone: bool
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    message = await stack.message(content="secret of the guest", sent_at=datetime.now(UTC))
    await stack.tell(message, Stage.SENT, Stage.DELIVERED)
    async with engine.begin() as tx:
        chosen = tables.messages.c.id == message
        if gone:
            await tx.execute(delete(tables.messages).where(chosen))
        else:
            await tx.execute(update(tables.messages).where(chosen).values(erased_at=func.now()))
    await stack.drain(endpoint)
    assert [call.json["type"] for call in receiver.calls] == ["message.sent", "message.delivered"]
    for call in receiver.calls:
        assert call.json["data"] == {
            "id": render(Prefix.MESSAGE, message),
            "property_id": render(Prefix.PROPERTY, stack.property_id),
        }


async def test_i5_an_event_never_shows_a_row_of_another_property(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine
) -> None:
    other = await build_stack(engine)
    theirs = await other.message(content="not yours")
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(theirs, Stage.SENT)  # what no code of ours does
    await stack.drain(endpoint)
    assert b"not yours" not in receiver.calls[0].body


async def test_both_signatures_hold_over_the_very_bytes_and_survive_a_rotation(
    stack: WebhookStack, receiver: Receiver
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    old = (await stack.endpoint_row(endpoint)).secret
    new = new_secret()
    overlap = datetime.now(UTC) + timedelta(hours=1)
    await stack.set_endpoint(endpoint, secret=new, previous_secret=old, previous_until=overlap)
    await stack.tell(await stack.message(content="Grüße ☂"), Stage.SENT)
    await stack.drain(endpoint)
    for secret in (old, new):
        Webhook(secret).verify(receiver.calls[0].body, receiver.calls[0].headers)
        assert verify(secret, receiver.calls[0].headers, receiver.calls[0].body, now=datetime.now(UTC))

    await stack.set_endpoint(endpoint, previous_until=datetime.now(UTC))
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    Webhook(new).verify(receiver.calls[1].body, receiver.calls[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(receiver.calls[1].body, receiver.calls[1].headers)


# --- order ----------------------------------------------------------------------------------------------------------


async def test_i4_stages_of_one_message_arrive_in_order_while_messages_go_in_parallel(
    stack: WebhookStack, receiver: Receiver
) -> None:
    under_way: list[int] = [0, 0]

    async def slow(_: Call) -> Answer:
        under_way[0] += 1
        under_way[1] = max(under_way)
        await asyncio.sleep(0.05)
        under_way[0] -= 1
        return 200, {}

    receiver.answer = slow
    endpoint = await stack.endpoint(receiver.url)
    messages = [await stack.message() for _ in range(20)]
    for message in messages:
        await stack.tell(message, Stage.SENT, Stage.DELIVERED, Stage.READ)
    await stack.drain(endpoint)
    told: dict[str, list[str]] = {}
    for call in receiver.calls:
        told.setdefault(call.json["data"]["id"], []).append(call.json["type"])
    assert len(told) == 20
    assert all(order == ["message.sent", "message.delivered", "message.read"] for order in told.values())
    assert 4 <= under_way[1] <= 8


async def test_i4_a_failing_event_holds_up_its_own_message_and_no_other(
    stack: WebhookStack, receiver: Receiver
) -> None:
    bad, good = await stack.message(), await stack.message()

    async def answer(call: Call) -> Answer:
        return (500 if call.json["data"]["id"] == render(Prefix.MESSAGE, bad) else 200), {}

    receiver.answer = answer
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(bad, Stage.SENT, Stage.DELIVERED)
    await stack.tell(good, Stage.SENT, Stage.DELIVERED)
    after = (await stack.drain(endpoint)).after
    assert after is not None and 50 < after <= 66
    assert [call.json["type"] for call in receiver.calls if call.json["data"]["id"] == render(Prefix.MESSAGE, bad)] == [
        "message.sent"
    ]
    assert {row.state for row in await stack.deliveries(endpoint) if row.subject_id == good} == {"delivered"}

    # A later event of that message is due at once, and waits; it costs no second look and no busy loop.
    await stack.tell(bad, Stage.READ)
    assert 50 < ((await stack.drain(endpoint)).after or 0) <= 66

    receiver.calls.clear()
    receiver.answer = None
    await stack.due_now(endpoint)
    assert (await stack.drain(endpoint)).after is None
    assert [call.json["type"] for call in receiver.calls] == ["message.sent", "message.delivered", "message.read"]


async def test_those_behind_a_replayed_delivery_follow_at_once(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine
) -> None:
    receiver.answer = says(500, 200)
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED, Stage.READ)
    assert ((await stack.drain(endpoint)).after or 0) > 50
    first, *later = await stack.deliveries(endpoint)
    assert all(row.next_at == first.next_at for row in later), "parked: looked at again when the first one is"
    async with engine.begin() as tx:
        scope = Scope(stack.scope_id, stack.property_id, "test")
        await endpoints.replay_one(tx, scope, endpoint, first.id)
    assert (await stack.drain(endpoint)).after is None
    told = [call.json["type"] for call in receiver.calls]
    assert told == ["message.sent", "message.sent", "message.delivered", "message.read"]


# --- two drainers, and none -----------------------------------------------------------------------------------------


async def test_two_drainers_at_once_post_nothing_twice(stack: WebhookStack, receiver: Receiver) -> None:
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(40):
        await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
    await asyncio.gather(*(stack.drain(endpoint) for _ in range(3)))
    ids = [call.json["id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 80
    assert {row.attempts for row in await stack.deliveries(endpoint)} == {1}


async def test_an_interrupted_drain_gives_back_what_it_had_in_hand(stack: WebhookStack, receiver: Receiver) -> None:
    async def never(_: Call) -> Answer:
        await asyncio.sleep(3)
        return 200, {}

    receiver.answer = never
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(12):
        await stack.tell(await stack.message(), Stage.SENT)
    draining = asyncio.create_task(stack.drain(endpoint))
    await receiver.got(8)
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining
    rows = await stack.deliveries(endpoint)
    assert all(row.next_at <= datetime.now(UTC) and row.attempts == 0 for row in rows)
    receiver.answer = None
    await stack.drain(endpoint)
    assert {row.state for row in await stack.deliveries(endpoint)} == {"delivered"}
    ids = [call.json["id"] for call in receiver.calls]
    assert len(set(ids)) == 12


async def test_a_result_that_comes_after_the_claim_ran_out_changes_nothing_unless_it_is_a_success(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)

    async def claimed() -> Any:
        async with engine.begin() as tx:
            (owed,) = await deliveries.claim(tx, endpoint, 5, 30.0)
            return owed

    late = await claimed()
    await stack.due_now(endpoint)  # its time runs out
    await claimed()
    async with engine.begin() as tx:
        await deliveries.record(tx, endpoint, [Result(late.id, late.token, State.PENDING, 9.0, 500, "http 500")], 1e6)
    assert (await stack.deliveries(endpoint))[0].attempts == 0
    async with engine.begin() as tx:
        for _ in range(2):
            await deliveries.record(tx, endpoint, [Result(late.id, late.token, State.DELIVERED, status=200)], 1e6)
    (row,) = await stack.deliveries(endpoint)
    assert (row.state, row.attempts) == ("delivered", 1)


async def test_the_endpoints_row_says_that_somebody_drains_and_then_that_nobody_does(
    stack: WebhookStack, receiver: Receiver
) -> None:
    seen: list[UUID] = []

    async def look(_: Call) -> Answer:
        until = (await stack.endpoint_row(endpoint)).draining_until
        assert until is not None and until > datetime.now(UTC) + timedelta(seconds=5)
        seen.append(endpoint)
        return 200, {}

    receiver.answer = look
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    assert seen == [endpoint]
    assert (await stack.endpoint_row(endpoint)).draining_until is None


async def test_time_is_up_before_the_work_is_done(stack: WebhookStack, receiver: Receiver) -> None:
    async def slow(_: Call) -> Answer:
        await asyncio.sleep(0.5)
        return 200, {}

    receiver.answer = slow
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(100):
        await stack.tell(await stack.message(), Stage.SENT)
    assert (await stack.drain(endpoint, timeout=20.0, pace=replace(QUICK, works=2.0))).after == 0.0
    assert (await stack.endpoint_row(endpoint)).draining_until is not None, "the next drain follows at once"
    assert 0 < len(receiver.calls) < 100
    receiver.answer = None
    await stack.drain(endpoint)
    ids = [call.json["id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 100


async def test_answers_are_not_kept(stack: WebhookStack, receiver: Receiver) -> None:
    receiver.answer = says(500, x_secret="do not store")
    endpoint = await stack.endpoint(receiver.url)
    await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint)
    assert "do not store" not in json.dumps([list(map(str, row)) for row in await stack.deliveries(endpoint)])


@pytest.mark.parametrize(
    "point", ["before it is said", "before that is committed", "before the look", "after the look"]
)
async def test_i4_a_writer_who_meets_a_leaving_drainer_is_seen_by_it_or_sees_that_nobody_drains(
    stack: WebhookStack, receiver: Receiver, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    endpoint = await stack.endpoint(receiver.url)
    idle: list[UUID] = []
    met = False

    async def meet(here: str) -> None:
        """The whole of what a writer does: write, commit, and only then look whether somebody drains."""
        nonlocal met
        if here == point and not met:
            met = True
            await stack.tell(await stack.message(), Stage.SENT)
            async with engine.begin() as tx:
                idle.extend(await pending_wakes.idle_endpoints(tx, {endpoint}))

    close, look = deliveries.close_drain, deliveries.next_due

    async def closing(tx: Any, endpoint_id: UUID) -> None:
        await meet("before it is said")
        await close(tx, endpoint_id)
        await meet("before that is committed")

    async def looking(tx: Any, endpoint_id: UUID) -> float | None:
        await meet("before the look")
        found = await look(tx, endpoint_id)
        await meet("after the look")
        return found

    monkeypatch.setattr(deliveries, "close_drain", closing)
    monkeypatch.setattr(deliveries, "next_due", looking)
    await stack.drain(endpoint)
    assert met
    assert receiver.calls or idle, "a lost wake-up"
    if point == "before that is committed":
        assert receiver.calls and not idle


async def test_connections_cut_in_mid_delivery_cost_no_result_in_hand(
    stack: WebhookStack, receiver: Receiver, database_dsn: str
) -> None:
    cut: list[int] = []

    async def cutting(_: Call) -> Answer:
        if len(receiver.calls) == 1:
            async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
                found = await connection.execute(
                    "select pg_terminate_backend(pid)::int from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
                )
                cut.extend(row[0] for row in await found.fetchall())
        return 200, {}

    receiver.answer = cutting
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(10):
        await stack.tell(await stack.message(), Stage.SENT, Stage.DELIVERED)
    assert (await stack.drain(endpoint)).after is None
    assert cut
    ids = [call.json["id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 20
    assert {(row.state, row.attempts) for row in await stack.deliveries(endpoint)} == {("delivered", 1)}


async def test_while_every_place_is_stuck_the_drainer_still_says_that_it_drains(
    stack: WebhookStack, receiver: Receiver
) -> None:
    """A drainer that were silent meanwhile would leave all of them without an answer."""

    async def slow(_: Call) -> Answer:
        await receiver.got(8)
        before = (await stack.endpoint_row(endpoint)).draining_until
        while (await stack.endpoint_row(endpoint)).draining_until - before < timedelta(seconds=0.3):
            await asyncio.sleep(0.05)
        return 200, {}

    receiver.answer = slow
    endpoint = await stack.endpoint(receiver.url)
    for _ in range(8):
        await stack.tell(await stack.message(), Stage.SENT)
    await stack.drain(endpoint, timeout=20.0, pace=replace(QUICK, extends=0.1))
    assert {row.state for row in await stack.deliveries(endpoint)} == {"delivered"}
