"""I3 in the providers' own words: whatever they say of a message, in whatever order and however often, and whatever we
decided or were answered in between, it ends in the same state with the same events.

Each sequence is applied several times in different orders, on real PostgreSQL and through the providers' real tables;
the ends are compared with one another and with what the pure rules say of the set.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellhop.domain import statuses
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.delivery_ports import CallbackRequest, Receipt
from bellhop.domain.statuses import PASSES, STATUS, Stage, Status
from bellhop.providers.sendgrid.adapter import SendGrid
from bellhop.providers.sendgrid.codes import EVENTS, REASONS
from bellhop.providers.twilio.adapter import Twilio
from bellhop.providers.twilio.codes import STAGES
from bellhop.settings import Settings
from bellhop.store.connections import make_engine
from bellhop.store.delivery import receipts
from bellhop.store.messages import outbound

from .races_kit import World
from .races_model import DELIVERY, Call, Fate

SEQUENCES = int(os.environ.get("SEQUENCES", "25"))

Word = tuple[str, str]
"""What a provider says, and its code or reason."""

texted = st.tuples(st.sampled_from([*STAGES, "teleported"]), st.sampled_from(["", "30003", "30005", "30008", "21610"]))
mailed = st.one_of(
    st.tuples(st.sampled_from([*EVENTS, "teleported"]), st.sampled_from(["", "5.1.1", "blocked"])),
    st.tuples(st.just("dropped"), st.sampled_from([*REASONS, "something new"])),
)
FATES = {
    "answered": Fate.TAKEN,
    "lost": Fate.ANSWER_LOST,
    "gave up": Fate.ANSWER_LOST,
    # Worse than any provider: a receipt may prove that it had taken what it said it had not.
    "refused": Fate.REFUSED,
    "withdrawn": Fate.LATER,
}
"""What becomes of our own side of a call. Given up: nobody can say. Withdrawn: to be tried later, then cancelled."""


def said_by_twilio(call: Call, word: Word) -> Receipt:
    form = {"MessageSid": call.provider_id, "MessageStatus": word[0], "ErrorCode": word[1]}
    query = {"attempt": str(call.id)}
    body = urlencode({name: value for name, value in form.items() if value}).encode()
    (item,) = Twilio().parse(CallbackRequest("", "status", query, {}, body))
    assert isinstance(item, Receipt)
    return item


def said_by_sendgrid(call: Call, word: Word) -> Receipt:
    event = {
        "event": word[0],
        "sg_event_id": f"{call.id}:{word}",
        "attempt_id": str(call.id),
        "reason": word[1],
        "status": word[1],
        "type": "blocked" if word[1] == "blocked" else "bounce",
        "email": call.message.address,
    }
    (item,) = SendGrid().parse(CallbackRequest("", "events", {}, {}, json.dumps([event]).encode()))
    assert isinstance(item, Receipt)
    return item


class Teller:
    """Applies one sequence in one order, and says how it ended."""

    def __init__(self, world: World, channel: Channel, parts: int) -> None:
        self.world, self.channel, self.parts = world, channel, parts

    async def tell(self, said: list[list[Word]], ours: str, order: list[tuple[int, int]]) -> tuple[Any, ...]:
        """`said`: of each part, the words. `order`: (part, word); (part, -1) is our own side of that part's call."""
        world = self.world
        await world.rows("delete from consents where scope_id = :scope")
        await world.accept(self.channel, 0, self.parts, 0.0, None)
        sent = world.sent[-1]
        calls: list[Call] = []
        for part in range(self.parts):
            call = await world.claim(sent)
            assert isinstance(call, Call)
            call.fate = Fate.TAKEN
            calls.append(call)
            if part + 1 < self.parts:
                await world.record(call)
        for part, word in order:
            if word >= 0:
                parse = said_by_twilio if self.channel is Channel.SMS else said_by_sendgrid
                item = parse(calls[part], said[part][word])
                async with world.engine.begin() as tx:
                    account = world.accounts[calls[part].claim.account.provider]
                    await receipts.record(tx, [account], [item], world.book, DELIVERY.follow_at)
            elif part + 1 == self.parts:
                await self.our_side(calls[part], ours)
        return await self.end(sent.id)

    async def our_side(self, call: Call, ours: str) -> None:
        call.fate = FATES[ours]
        await self.world.record(call)
        if ours == "gave up":
            for _ in range(3):
                await self.world.passes(70)
                await self.world.ask(call.message, reachable=True, tells=False)
                if call.message.lookups:
                    await self.world.resolve(call.message)
        if ours == "withdrawn":
            async with self.world.engine.begin() as tx:
                await outbound.cancel(tx, self.world.scope, call.message.id)

    async def end(self, message_id: Any) -> tuple[Any, ...]:
        (row,) = await self.world.rows(
            "select stage, failure_code, provider_code from messages where id = :id", id=message_id
        )
        reported = await self.world.rows(
            "select type, facts from events where subject_id = :id and facts ? 'stage' order by id", id=message_id
        )
        words = [event["type"] for event in reported]
        assert len(words) == len(set(words)), f"told twice: {words}"
        final = CHANNELS[self.channel].delivered_is_final
        stages = [Stage(event["facts"]["stage"]) for event in reported]
        ranks = [statuses.RANK[one] for one in stages if final or one is not Stage.UNDELIVERED]
        assert ranks == sorted(ranks), f"told out of order: {words}"
        stage = Stage(row["stage"])
        failed = STATUS[stage] is Status.FAILED
        # What may depend on order: whether a failure was told before a stronger word overruled it (and, of a provider
        # that is worse than any, a cancellation); where a server may send it back, whether a delivery was.
        overruled = {"message.failed", "message.cancelled"} | (set() if final else {"message.delivered"})
        overruled -= {f"message.{STATUS[one].value}" for one in PASSES[stage]}
        compared = frozenset(words) - overruled
        return stage, compared, (row["failure_code"], row["provider_code"]) if failed else None


@pytest.fixture
def telling(settings: Settings, book: AddressBook) -> Iterator[tuple[asyncio.AbstractEventLoop, World]]:
    loop = asyncio.new_event_loop()
    engine = make_engine(settings.postgres, "words")
    world = World(engine, settings, book)
    loop.run_until_complete(world.watch())
    loop.run_until_complete(world.open(resend=False))
    yield loop, world
    loop.run_until_complete(engine.dispose())
    loop.close()


@st.composite
def sequences(draw: st.DrawFn, word: st.SearchStrategy[Word], most_parts: int) -> tuple[Any, ...]:
    """Words per part, our own side, and some orders of it all, each with repetitions of its own."""
    parts = draw(st.integers(1, most_parts))
    said = [draw(st.lists(word, max_size=4, unique=True)) for _ in range(parts)]
    steps = [(part, place) for part in range(parts) for place in range(-1, len(said[part]))]
    # Our own side happens once; what a provider says may be repeated.
    again = [step for step in steps if step[1] >= 0]
    orders = []
    for _ in range(3):
        repeated = draw(st.lists(st.sampled_from(again), max_size=3)) if again else []
        orders.append(draw(st.permutations([*steps, *repeated])))
    return parts, said, draw(st.sampled_from(list(FATES))), orders


def expected(channel: Channel, parts: int, said: list[list[Word]], ours: str) -> Stage:
    """What the pure rules say of the set."""
    known = []
    for part in range(parts):
        # All parts but the last were answered before anything else happened.
        stage = Stage.SENT if part + 1 < parts or ours == "answered" else Stage.QUEUED
        for word in said[part]:
            stage = statuses.higher(stage, meaning(channel, word) or Stage.QUEUED, CHANNELS[channel])
        known.append(stage)
    decision = Stage.GAVE_UP if ours in ("refused", "gave up") else Stage.QUEUED
    if ours == "withdrawn" and parts == 1:
        # Of several parts the others were taken: then it cannot be withdrawn.
        decision = Stage.CANCELLED
    return statuses.of_message(decision, known, CHANNELS[channel])


def meaning(channel: Channel, word: Word) -> Stage | None:
    if channel is Channel.SMS:
        return STAGES.get(word[0])
    if word[0] == "dropped":
        return Stage.UNDELIVERED
    return EVENTS[word[0]].stage if word[0] in EVENTS else None


@pytest.mark.parametrize(("channel", "word", "parts"), [(Channel.SMS, texted, 3), (Channel.EMAIL, mailed, 1)])
def test_whatever_is_said_in_whatever_order(
    telling: tuple[asyncio.AbstractEventLoop, World], channel: Channel, word: Any, parts: int
) -> None:
    loop, world = telling

    @settings(
        max_examples=SEQUENCES,
        derandomize="SEQUENCES" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences(word, parts))
    def compared(sequence: tuple[Any, ...]) -> None:
        count, said, ours, orders = sequence
        teller = Teller(world, channel, count)
        ends = {loop.run_until_complete(teller.tell(said, ours, list(order))) for order in orders}
        assert len(ends) == 1, ends
        ((stage, reported, _),) = ends
        assert stage is expected(channel, count, said, ours)
        assert {f"message.{STATUS[one].value}" for one in PASSES[stage]} <= reported

    compared()
