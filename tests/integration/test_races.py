"""Cancel, reschedule, erasure, receipts, due times and workers in any interleaving, on real PostgreSQL.

Hypothesis or a die makes the sequence (races_machine.py); races_kit.py holds the provider's truth, races_checks.py what
must hold after each step. Without RACES it is the same few sequences each time (the order in which PostgreSQL gives
locks is its own); `RACES=1000 pytest tests/integration/test_races.py` plays that many more, freshly drawn.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from bellhop.domain.addresses import AddressBook
from bellhop.settings import Settings
from bellhop.store.connections import make_engine

from .races_kit import World
from .races_machine import OFTEN, STEPS, WORDS, Deed, Races
from .races_model import ADDRESSES, Fate

ASKED = os.environ.get("RACES")
SEQUENCES = int(ASKED or "20")


@pytest.fixture
def racing(settings: Settings, book: AddressBook) -> Iterator[type[Races]]:
    """The machine over this test's database: one event loop and one engine for all its sequences."""
    loop = asyncio.new_event_loop()
    engine = make_engine(settings.postgres, "races")
    world = World(engine, settings, book)
    loop.run_until_complete(world.watch())
    yield type("Races", (Races,), {"world": world, "loop": loop})
    loop.run_until_complete(engine.dispose())
    loop.close()


def test_nothing_is_lost_twice_early_or_untrue_in_any_interleaving(racing: type[Races]) -> None:
    """Hypothesis makes it: few sequences and much alike, but what fails is shown in the fewest steps."""
    run_state_machine_as_test(
        racing,
        settings=settings(
            max_examples=max(8, SEQUENCES // 4),
            stateful_step_count=STEPS,
            derandomize=ASKED is None,
            database=None,
            deadline=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_is_lost_twice_early_or_untrue_as_the_die_falls(racing: type[Races]) -> None:
    """A die makes it: every sequence another one, and of what fails the seed and the sequence so far."""
    first = secrets.randbits(32) if ASKED else 0
    for seed in range(first, first + SEQUENCES):
        die = random.Random(seed)
        sequence: list[Any] = []
        race = racing()
        try:
            firsts = [(die.choice(list(ADDRESSES)), die.randint(1, 2), 0.0) for _ in range(3)]
            race.opens(die.random() < 0.5, firsts)
            for _ in range(STEPS):
                beside = [_deed(die) for _ in range(die.choice([0, 0, 1, 2, 3]))]
                sequence.append((_deed(die), die.randrange(8), beside, die.random() < 0.7))
                race.happens(*sequence[-1])
                race.holds()
            race.teardown()
        except BaseException:
            print(f"seed {seed}, after {firsts}:", *sequence, sep="\n  ")
            raise


def _deed(die: random.Random) -> Deed:
    (name,) = die.choices(list(OFTEN), list(OFTEN.values()))
    return name, die.randrange(8), die.choice(list(Fate)), die.choice(WORDS)
