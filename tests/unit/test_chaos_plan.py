"""The plan of `make chaos`: a seed decides all of it, and every kind of fault and of message is in it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.content import parts
from chaos.faults import KINDS, PARTS, Track
from chaos.injector import PLAYERS
from chaos.plan import CALLBACKS, CALLS, make
from chaos.report import MIX

FULL = make(1, 2000, 480.0)


def test_the_same_seed_is_the_same_plan_and_another_is_another() -> None:
    assert make(1, 2000, 480.0) == FULL
    assert make(2, 2000, 480.0).strikes != FULL.strikes
    assert make(2, 2000, 480.0).letters != FULL.letters


def test_more_messages_do_not_change_the_faults() -> None:
    assert make(1, 3000, 480.0).strikes == FULL.strikes


@pytest.mark.parametrize("seed", range(5))
def test_the_quick_one_plays_every_kind(seed: int) -> None:
    from chaos.__main__ import QUICK_MESSAGES, QUICK_SECONDS

    plan = make(seed, QUICK_MESSAGES, QUICK_SECONDS, quick=True)
    assert {strike.kind for strike in plan.strikes} == KINDS.keys() == PLAYERS.keys()
    assert all(any(map(is_so, plan.letters)) for is_so in MIX.values())


def test_the_full_one_kills_and_stops_every_part_and_disturbs_in_every_way() -> None:
    for kind in ("kill", "stop"):
        assert {strike.parts for strike in FULL.strikes if strike.kind == kind} == {(part,) for part in PARTS}
    assert {letter.call for letter in FULL.letters} == {None, *CALLS}
    assert {letter.callbacks for letter in FULL.letters} == {None, *CALLBACKS}


def test_strikes_of_one_track_come_one_after_the_other() -> None:
    for track in Track:
        strikes = [strike for strike in FULL.strikes if KINDS[strike.kind].track is track]
        assert all(one.at + one.takes < other.at for one, other in pairwise(strikes))
        assert strikes[-1].at <= FULL.seconds


def test_no_message_is_due_after_the_storm() -> None:
    for letter in FULL.letters:
        assert letter.at + (letter.ahead or 0.0) <= FULL.seconds + 0.001
        assert letter.move is None or letter.at + (letter.move.to or 0.0) <= FULL.seconds + 0.001


def test_every_part_of_a_long_text_says_what_it_is_of() -> None:
    texts = [letter for letter in FULL.letters if letter.words > 1]
    assert texts
    for letter in texts:
        cut = parts(Channel.SMS, letter.content)
        assert len(cut) > 1
        assert Counter(" ".join(cut).split()) == Counter(letter.content.split())
        assert all(letter.token in part for part in cut)
    assert len({letter.token for letter in FULL.letters}) == len(FULL.letters)
