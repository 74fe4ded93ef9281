"""Slots: who may call now, how many when an account is slow, and whose turn it is."""

from __future__ import annotations

import asyncio
import threading
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.slots import CallSlots
from bellhop.domain.slots import AdaptiveLimit, Carrier, Slot, Slots

A = Carrier("live", "twilio", "AC1", UUID(int=1))
NEIGHBOUR = Carrier("live", "twilio", "AC1", UUID(int=2))
THIRD = Carrier("live", "twilio", "AC1", UUID(int=3))
MAIL = Carrier("live", "sendgrid", "SG1", UUID(int=4))
TEST = Carrier("test", "twilio", "AC1", UUID(int=5))


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slots(clock: Clock) -> Slots:
    return Slots(12, 2.0, clock)


def take_all(slots: Slots, carrier: Carrier) -> list[Slot]:
    taken = []
    while (slot := slots.take(carrier)) is not None:
        taken.append(slot)
        slots.begins(slot)
    return taken


def test_an_account_leaves_room_for_its_neighbours(slots: Slots) -> None:
    assert len(take_all(slots, A)) == 6, "its share, and half as many that others do not need"
    assert len(take_all(slots, NEIGHBOUR)) == 2
    # Of one account at the provider, whoever shares it, two thirds: another provider finds a place.
    assert take_all(slots, THIRD) == []
    assert len(take_all(slots, MAIL)) == 4
    assert slots.take(MAIL) is None


def test_nothing_above_its_share_while_others_need_theirs(slots: Slots) -> None:
    assert len(take_all(slots, MAIL)) == 6
    assert len(take_all(slots, A)) == 4, "a third is left to those who have none"


def test_one_that_answers_slowly_keeps_what_its_pace_needs(slots: Slots, clock: Clock) -> None:
    """One call a second, each of three seconds: three threads, whatever `slow` is."""
    calls: list[Slot] = []
    waited = 0
    for second in range(40):
        clock.now += 1.0
        if second >= 3 and calls:
            done = calls.pop(0)
            slots.ends(done)
            slots.give_back(done)
        slot = slots.take(A)
        if slot is None:
            waited += 1
        else:
            slots.begins(slot)
            calls.append(slot)
        assert slots.limit(A) <= 4
    assert slots.limit(A) >= 3 and waited <= 3


def test_one_that_hangs_has_no_pace(clock: Clock) -> None:
    slots = Slots(48, 2.0, clock)
    for took in (0.2, 10.0, 10.0, 10.0, 10.0, 10.0):
        taken = take_all(slots, A)
        clock.now += took
        for slot in taken:
            slots.ends(slot)
            slots.give_back(slot)
    assert slots.limit(A) == 1


def test_what_is_given_back_is_there_again(slots: Slots) -> None:
    taken = take_all(slots, A)
    slots.give_back(taken[0])
    assert slots.take(A) is not None
    assert slots.take(A) is None


@pytest.mark.parametrize("threads", [3, 4, 5, 48])
def test_everybody_has_at_least_one(threads: int, clock: Clock) -> None:
    slots = Slots(threads, 2.0, clock)
    assert slots.take(A)
    assert slots.take(MAIL)


def test_an_account_that_answers_slowly_gets_fewer_and_more_again(slots: Slots, clock: Clock) -> None:
    seen = []
    for _ in range(4):
        taken = take_all(slots, A)
        clock.now += 10.0
        for slot in taken:
            slots.ends(slot)
            slots.give_back(slot)
        seen.append(slots.limit(A))
    assert seen == [2, 1, 1, 1], "calls that were under way together count once"
    assert slots.limit(NEIGHBOUR) == 4, "another's are its own"
    for _ in range(20):
        slot = slots.take(A)
        assert slot is not None
        slots.begins(slot)
        clock.now += 0.1
        slots.ends(slot)
        slots.give_back(slot)
    assert slots.limit(A) == 4


def test_a_call_that_hangs_counts_before_it_has_ended(slots: Slots, clock: Clock) -> None:
    taken = take_all(slots, A)
    slots.ends(taken[0])
    slots.give_back(taken[0])
    clock.now += 2.0
    assert slots.take(A) is None
    assert slots.limit(A) == 2


def test_a_slot_whose_call_has_not_begun_is_not_slow(slots: Slots, clock: Clock) -> None:
    assert slots.take(A)
    clock.now += 60.0
    assert slots.take(A)
    assert slots.limit(A) == 4


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30)), max_size=200))
def test_the_limit_is_never_none_and_never_above_its_most(calls: list[tuple[float, float]]) -> None:
    limit, now = AdaptiveLimit(16, 2.0), 0.0
    for gap, took in calls:
        now += gap
        limit.ended(now - took, now)
        assert 1 <= limit.limit <= 16


def test_turns_are_one_after_another_and_nobody_asks_for_nothing_many_times(slots: Slots, clock: Clock) -> None:
    for slot in take_all(slots, A):
        clock.now += 10.0
        slots.ends(slot)
        slots.give_back(slot)
    turns = [slots.turn(A) for _ in range(10_000)]
    assert turns == sorted(turns)
    # However many wait: no second in which more than a few of them ask.
    assert max(sum(1 for turn in turns if second <= turn < second + 1) for second in range(0, 600, 7)) <= 21


async def test_those_who_wait_get_it_in_their_order() -> None:
    slots = CallSlots(3, 2.0)
    held = slots.take(A)
    assert held is not None
    assert slots.take(A) is None
    got: list[int] = []

    async def wait(number: int) -> None:
        slot = await slots.wait(A, 5.0)
        assert slot is not None
        got.append(number)
        slots.give_back(slot)

    waiting = [asyncio.create_task(wait(number)) for number in range(5)]
    await asyncio.sleep(0)
    slots.give_back(held)
    await asyncio.gather(*waiting)
    assert got == [0, 1, 2, 3, 4]
    assert slots.take(A) is not None
    slots.close()


async def test_nobody_waits_longer_than_said_and_what_is_left_is_there_for_others() -> None:
    slots = CallSlots(3, 2.0)
    held = slots.take(A)
    assert held is not None
    assert await slots.wait(A, 0.01) is None
    gone = asyncio.create_task(slots.wait(A, None))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    slots.give_back(held)
    assert slots.take(A) is not None, "those who left hold nothing"
    slots.close()


async def test_one_that_is_given_a_slot_as_it_leaves_gives_it_back() -> None:
    slots = CallSlots(3, 2.0)
    held = slots.take(A)
    assert held is not None
    leaving = asyncio.create_task(slots.wait(A, None))
    await asyncio.sleep(0)
    slots.give_back(held)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert slots.take(A) is not None
    slots.close()


async def test_test_traffic_never_takes_lives_threads() -> None:
    slots, stop = CallSlots(3, 2.0), threading.Event()
    calls = []
    while (slot := slots.take(TEST)) is not None:
        calls.append(asyncio.create_task(slots.call(slot, stop.wait)))
    assert calls
    live = slots.take(A)
    assert live is not None
    async with asyncio.timeout(5):
        assert await slots.call(live, lambda: "done") == "done"
    stop.set()
    await asyncio.gather(*calls)
    slots.close()
