"""Cancel, reschedule, erasure, receipts, due times and workers in any interleaving, on real PostgreSQL.

Hypothesis or a die tells the story; races_kit.py holds the provider's truth, races_checks.py what must hold after each
step. Without RACES it is the same few stories each time (the order in which PostgreSQL gives locks is its own);
`RACES=1000 pytest tests/integration/test_races.py` tells that many more, freshly drawn.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import Awaitable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Receipt
from bellhop.domain.statuses import Stage
from bellhop.settings import Settings
from bellhop.store.connections import make_engine
from bellhop.store.delivery import receipts
from bellhop.store.guests import erasure, profiles

from .races_checks import check, settled
from .races_kit import ADDRESSES, DELIVERY, Call, Fate, Sent, World

ASKED = os.environ.get("RACES")
STORIES = int(ASKED or "20")
STEPS = 30

numbers = st.integers(0, 7)
channels = st.sampled_from([Channel.SMS, Channel.EMAIL])
later = st.sampled_from([0.0, 0.0, 5.0, 3600.0])
SETTLED_AFTER = 80
"""Rounds in which everything must have come to its end."""

OFTEN = {
    "claim": 5, "act": 5, "work": 3, "record": 4, "record again": 2, "receipt": 4, "batch": 2, "cancel": 3,
    "reschedule": 2, "erase": 1, "ask": 2, "resolve": 2, "settle": 2, "accept": 6, "greet": 1, "stop": 3, "start": 2,
    "hello": 1, "sweep": 1, "soon": 2, "lease over": 2, "much later": 1,
}  # fmt: skip
"""What may happen, and how often beside the rest."""
TIMES = {"soon": 11.0, "lease over": 70.0, "much later": 4000.0}
INSTEAD = {"act": "claim", "record": "claim", "record again": "claim", "receipt": "work", "batch": "work",
           "resolve": "ask"}  # fmt: skip
"""Where there is nothing to do this to yet."""

WORDS = [Stage.SENT, Stage.DELIVERED, Stage.UNDELIVERED, Stage.READ]

deeds = st.tuples(
    st.sampled_from([name for name, weight in OFTEN.items() for _ in range(weight)]),
    numbers,
    st.sampled_from(Fate),
    st.sampled_from(WORDS),
)
Deed = tuple[str, int, Fate, Stage]


class Races(RuleBasedStateMachine):
    """One property, its guests and messages; workers, callers and a provider that all move at once."""

    world: World
    loop: asyncio.AbstractEventLoop

    def run(self, work: Awaitable[Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(60):
                return await work

        return self.loop.run_until_complete(limited())

    @initialize(
        resend=st.booleans(), firsts=st.lists(st.tuples(channels, st.integers(1, 2), later), min_size=1, max_size=3)
    )
    def opens(self, resend: bool, firsts: list[tuple[Channel, int, float]]) -> None:
        """Two guests, and messages to them that wait or are due."""
        self.run(self.world.open(resend=resend))
        for which, channel in enumerate(ADDRESSES):
            self.run(self.world.greet(channel, which))
        for number, (channel, parts, later) in enumerate(firsts):
            self.run(self.accepts(channel, number % 2, parts, later, number))

    # --- what happens ----------------------------------------------------------------------------------------------

    # One rule: of several, hypothesis leaves some out of every story, and most stories would have no calls at all.
    @rule(deed=deeds, number=numbers, beside=st.just([]) | st.lists(deeds, min_size=1, max_size=3), held=st.booleans())
    def happens(self, deed: Deed, number: int, beside: list[Deed], held: bool) -> None:
        """One thing, or several at once: to one of the latest messages."""
        sent = self.world.sent[-1 - number % min(3, len(self.world.sent))]
        if not beside or deed[0] in TIMES:
            if (work := self.work(sent, *deed)) is not None:
                self.run(work)
        else:
            works = [self.work(sent, *one) for one in [deed, *beside] if one[0] not in TIMES]
            self.run(self.world.held_up([sent] if held else [], [work for work in works if work is not None]))
        if beside:
            # STOP and START at once: who was last?
            for address in list(self.world.refused):
                self.run(self.world.look_at_consent(Channel.EMAIL if "@" in address else Channel.SMS, address))

    def calls(self, sent: Sent | None = None) -> list[Call]:
        return [call for one in ([sent] if sent else self.world.sent) for call in one.calls]

    def recordable(self, sent: Sent, *, again: bool = False) -> list[Call]:
        return [call for call in sent.calls if call.result() and call.recorded == again]

    def work(self, sent: Sent, name: str, number: int, fate: Fate, stage: Stage) -> Any:
        """The work of one deed; None where there is nothing to do it to."""
        return self.of_worker(sent, name, number, fate, stage) or self.of_others(sent, name, number)

    def of_worker(self, sent: Sent, name: str, number: int, fate: Fate, stage: Stage) -> Any:
        world = self.world
        match name:
            case "claim":
                return world.claim(sent)
            case "work":
                return self.works(sent, fate)
            case "act" if waiting := [call for call in sent.calls if call.open]:
                return self.acts(waiting[number % len(waiting)], fate)
            case "record" if waiting := self.recordable(sent):
                return world.record(waiting[number % len(waiting)])
            case "record again" if done := self.recordable(sent, again=True):
                return world.record(done[number % len(done)])
            case "receipt" if taken := [call for call in sent.calls if call.has]:
                return world.tell([(taken[number % len(taken)], stage)], bounced=number % 2 == 0)
            case "batch" if taken := [call for call in self.calls() if call.has]:
                # Of several messages, in an order of its own.
                said = [(call, stage) for call in taken[-4:]]
                return world.tell(said[::-1] if number % 2 else said, bounced=number > 3)
            case "ask":
                return world.ask(sent, reachable=number % 4 != 0, tells=number % 2 == 0)
            case "resolve" if sent.questions:
                return world.resolve(sent, number % len(sent.questions))
            case "settle":
                return self.settles(sent, tells=number % 2 == 0)
            case _ if name in INSTEAD:
                return self.of_worker(sent, INSTEAD[name], number, fate, stage)
        return None

    def of_others(self, sent: Sent, name: str, number: int) -> Any:
        world = self.world
        match name:
            case "cancel":
                return world.cancel(sent)
            case "reschedule":
                return world.reschedule(sent, (0.0, 3600.0)[number % 2])
            case "erase" if sent.guest or world.guests:
                return world.erase(sent.guest or world.guests[number % len(world.guests)])
            case "accept":
                channel = (Channel.SMS, Channel.EMAIL)[number % 2]
                return self.accepts(channel, number // 2 % 2, 1 + number % 3, (0.0, 0.0, 5.0)[number % 3], number)
            case "greet":
                return world.greet((Channel.SMS, Channel.EMAIL)[number % 2], number // 2 % 2)
            case "stop" | "start" | "hello":
                return world.hear(number % 2, name.upper())
            case "sweep":
                return world.sweep()
            case _ if name in TIMES:
                return world.passes(TIMES[name])
        return None

    def accepts(self, channel: Channel, which: int, parts: int, later: float, guest: int) -> Awaitable[None]:
        known = [*self.world.guests[-2:], None]
        return self.world.accept(channel, which, parts, later, known[guest % len(known)])

    async def acts(self, call: Call, fate: Fate) -> None:
        """The provider takes the call, or it comes to nothing."""
        call.fate = fate

    async def works(self, sent: Sent, fate: Fate) -> None:
        """A worker: claims, calls, records."""
        call = await self.world.claim(sent)
        if isinstance(call, Call):
            call.fate = fate
            if call.result() is not None:
                await self.world.record(call)

    async def settles(self, sent: Sent, *, tells: bool) -> None:
        before = len(sent.questions)
        await self.world.ask(sent, reachable=True, tells=tells)
        if len(sent.questions) > before:
            await self.world.resolve(sent)

    # --- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        if hasattr(self.world, "scope"):
            self.run(check(self.world))

    def teardown(self) -> None:
        if hasattr(self.world, "scope"):
            self.run(self.comes_to_its_end())

    async def comes_to_its_end(self) -> None:
        """Workers go on, time passes, the provider is well: everything settles, and still all of it holds."""
        for _ in range(SETTLED_AFTER):
            busy = [await self.goes_on(sent) for sent in self.world.sent]
            if not any(busy):
                break
            await self.world.sweep()
            await self.world.passes(DELIVERY.lease + DELIVERY.lease_margin + 5)
        await settled(self.world)

    async def goes_on(self, sent: Sent) -> bool:
        """What its conductor would do next; False once it is over, or only receipts can move it."""
        for _ in range(sent.parts + 1):
            answer = await self.world.claim(sent)
            if isinstance(answer, Answer):
                break
            answer.fate = Fate.TAKEN
            await self.world.record(answer)
        assert isinstance(answer, Answer)
        if answer.next is Next.SETTLE:
            await self.settles(sent, tells=True)
        return answer.next in (Next.SETTLE, Next.AGAIN)


@pytest.fixture
def racing(settings: Settings, book: AddressBook) -> Iterator[type[Races]]:
    """The machine over this test's database: one event loop and one engine for all its stories."""
    loop = asyncio.new_event_loop()
    engine = make_engine(settings.postgres, "races")
    world = World(engine, settings, book)
    loop.run_until_complete(world.watch())
    yield type("Races", (Races,), {"world": world, "loop": loop})
    loop.run_until_complete(engine.dispose())
    loop.close()


def test_nothing_is_lost_twice_early_or_untrue_in_any_interleaving(racing: type[Races]) -> None:
    """Hypothesis tells it: few stories and much alike, but what fails is told in the fewest steps."""
    run_state_machine_as_test(
        racing,
        settings=settings(
            max_examples=max(8, STORIES // 4),
            stateful_step_count=STEPS,
            derandomize=ASKED is None,
            database=None,
            deadline=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_is_lost_twice_early_or_untrue_as_the_die_falls(racing: type[Races]) -> None:
    """A die tells it: every story another one, and of what fails the seed and the story so far."""
    first = secrets.randbits(32) if ASKED else 0
    for seed in range(first, first + STORIES):
        die = random.Random(seed)
        story: list[Any] = []
        race = racing()
        try:
            firsts = [(die.choice(list(ADDRESSES)), die.randint(1, 2), 0.0) for _ in range(3)]
            race.opens(die.random() < 0.5, firsts)
            for _ in range(STEPS):
                beside = [_deed(die) for _ in range(die.choice([0, 0, 1, 2, 3]))]
                story.append((_deed(die), die.randrange(8), beside, die.random() < 0.7))
                race.happens(*story[-1])
                race.holds()
            race.teardown()
        except BaseException:
            print(f"seed {seed}, after {firsts}:", *story, sep="\n  ")
            raise


def _deed(die: random.Random) -> Deed:
    (name,) = die.choices(list(OFTEN), list(OFTEN.values()))
    return name, die.randrange(8), die.choice(list(Fate)), die.choice(WORDS)


# --- interleavings that were once wrong, told one by one --------------------------------------------------------------


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


async def test_a_guest_who_is_erased_while_writing_stop_is_heard(world: World) -> None:
    await world.greet(Channel.SMS, 0)
    async with world.engine.begin() as tx:
        await erasure.erase(tx, world.scope, world.guests[0], world.book)
        stop = asyncio.create_task(world.hear(0, "STOP"))
        # It has found its guest, and waits for that row.
        await asyncio.sleep(0.3)
    await stop
    assert world.refused
