"""Turns of long work: one of each property's environment, and few in all."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from api.admission import Overloaded, Turns


async def test_one_of_each_and_few_in_all() -> None:
    turns, ours, theirs = Turns(2, patience=0.02), uuid4(), uuid4()
    async with turns.turn(ours):
        with pytest.raises(Overloaded):
            async with turns.turn(ours):
                raise AssertionError("it has one already")
        async with turns.turn(theirs):
            with pytest.raises(Overloaded):
                async with turns.turn(uuid4()):
                    raise AssertionError("there are two already")
    async with turns.turn(uuid4()), turns.turn(ours):
        pass


async def test_whoever_waits_gets_it_next() -> None:
    turns, whose, order = Turns(2, patience=5.0), uuid4(), list[int]()

    async def work(number: int) -> None:
        async with turns.turn(whose):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(work(number) for number in range(3)))
    assert order == [0, 0, 1, 1, 2, 2]
    assert not turns._of, "nothing is kept of whoever is done"
