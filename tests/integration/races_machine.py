"""What may happen in a race, and how often: the rules by which a sequence of operations is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import Channel
from bellhop.domain.statuses import Stage

from .races_checks import check, settled
from .races_kit import World
from .races_model import ADDRESSES, DELIVERY, Call, Fate, Sent

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

    # One rule: of several, hypothesis leaves some out of every sequence, and most would have no calls at all.
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
            case "resolve" if sent.lookups:
                return world.resolve(sent, number % len(sent.lookups))
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
                return world.receive_text(number % 2, name.upper())
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
        before = len(sent.lookups)
        await self.world.ask(sent, reachable=True, tells=tells)
        if len(sent.lookups) > before:
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
        """What its workflow would do next; False once it is over, or only receipts can move it."""
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
