"""Interleavings of the store's operations that were once wrong, one by one, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Receipt
from bellhop.domain.statuses import Stage
from bellhop.settings import Settings
from bellhop.store.delivery import receipts
from bellhop.store.guests import erasure, profiles

from .races_checks import check
from .races_kit import World
from .races_model import ADDRESSES, DELIVERY, Call, Fate, Sent


@pytest.fixture
async def world(engine: AsyncEngine, settings: Settings, book: AddressBook) -> World:
    """A property of its own, watched."""
    made = World(engine, settings, book)
    await made.watch()
    await made.open(resend=True)
    return made


async def one(world: World, channel: Channel = Channel.SMS, parts: int = 1, fate: Fate = Fate.TAKEN) -> Call:
    """A call for a new message to a guest, and what became of it."""
    if not world.guests:
        await world.greet(channel, 0)
    await world.accept(channel, 0, parts, 0.0, world.guests[0])
    return await called(world, world.sent[-1], fate)


async def called(world: World, sent: Sent, fate: Fate) -> Call:
    call = await world.claim(sent)
    assert isinstance(call, Call)
    call.fate = fate
    return call


async def test_a_message_whose_first_part_went_out_and_failed_cannot_be_withdrawn(world: World) -> None:
    first = await one(world, parts=2)
    await world.record(first)
    await world.tell([(first, Stage.UNDELIVERED)])
    second = await called(world, first.message, Fate.LATER)
    await world.record(second)
    await world.cancel(first.message)
    await check(world)
    assert not first.message.withdrawn


async def test_what_may_have_arrived_and_is_to_be_sent_again_cannot_be_withdrawn(world: World) -> None:
    call = await one(world, Channel.EMAIL, fate=Fate.ANSWER_LOST)
    await world.record(call)
    for _ in DELIVERY.settle_pauses:
        await world.passes(70)
        await world.ask(call.message, reachable=True, tells=False)
        await world.resolve(call.message)
    assert await world.rows("select 1 from attempts where state = 'abandoned'")
    await world.cancel(call.message)
    await check(world)
    assert not call.message.withdrawn


async def test_a_guest_erased_during_a_call_that_is_then_refused_as_opted_out(world: World) -> None:
    call = await one(world, fate=Fate.REFUSED_AS_OPTED_OUT)
    await world.erase(world.guests[0])
    await world.record(call)
    await check(world)
    assert [row["state"] for row in await world.rows("select state from attempts")] == ["not_sent"]


async def test_batches_of_bounces_in_opposite_orders_do_not_block_one_another(world: World) -> None:
    """Each batch holds its first message, and the contact point of that one's address, when it comes to its second."""
    calls = []
    for which in (0, 1, 1, 0):
        await world.accept(Channel.EMAIL, which, 1, 0.0, None)
        calls.append(await called(world, world.sent[-1], Fate.TAKEN))
    said = [(call, Stage.UNDELIVERED) for call in calls]
    batches = (world.tell(said[:2], bounced=True), world.tell(said[2:], bounced=True))
    await world.held_up([calls[1].message, calls[3].message], batches)


async def test_an_erasure_and_a_batch_of_bounces_do_not_block_one_another(world: World) -> None:
    """The batch's first message is another guest's, to an address the two share; its second one is the guest's."""
    family = []
    for first_name in ("Ann", "Ben"):
        async with world.engine.begin() as tx:
            fields = {"first_name": first_name, "last_name": "Doe", "phone": ADDRESSES[Channel.SMS][0]}
            family.append((await profiles.upsert(tx, world.scope, fields, world.book)).row.id)
    world.guests += family
    calls = []
    for guest, which in ((family[1], 0), (family[0], 1)):
        await world.accept(Channel.SMS, which, 1, 0.0, guest)
        calls.append(await called(world, world.sent[-1], Fate.TAKEN))
    said = [(call, Stage.UNDELIVERED) for call in calls]
    await world.held_up([calls[1].message], (world.tell(said, bounced=True), world.erase(family[0])))


async def test_batches_for_unknown_messages_in_opposite_orders_do_not_block_one_another(world: World) -> None:
    keys = [uuid4().hex for _ in range(200)]
    items = [Receipt(key, "open", Stage.READ, None, None, {}) for key in keys]

    async def tell(said: list[Receipt]) -> None:
        async with world.engine.begin() as tx:
            await receipts.record(tx, [world.accounts["sendgrid"]], said, world.book, DELIVERY.follow_at)

    for _ in range(5):
        await asyncio.gather(tell(items), tell(items[::-1]))
        await world.rows("delete from receipts where scope_id is null")


async def test_a_receipt_for_a_copy_that_another_attempt_was_given_is_taken(world: World) -> None:
    """Two messages with one text to one number, both answers lost: a look-up gave the second's copy to the first."""
    first, second = [await one(world, fate=Fate.ANSWER_LOST) for _ in range(2)]
    for call in (first, second):
        await world.record(call)
    first.provider_id = second.provider_id
    await world.passes(11)
    await world.ask(first.message, reachable=True, tells=True)
    await world.resolve(first.message)
    await world.tell([(second, Stage.DELIVERED)])
    await check(world)


async def test_a_guest_who_is_erased_while_writing_stop_is_opted_out(world: World) -> None:
    await world.greet(Channel.SMS, 0)
    async with world.engine.begin() as tx:
        await erasure.erase(tx, world.scope, world.guests[0], world.book)
        stop = asyncio.create_task(world.receive_text(0, "STOP"))
        # It has found its guest, and waits for that row.
        await asyncio.sleep(0.3)
    await stop
    assert world.refused
