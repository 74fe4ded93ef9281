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
    assert make(2, 2000, 480.0).faults != FULL.faults
    assert make(2, 2000, 480.0).requests != FULL.requests


def test_more_messages_do_not_change_the_faults() -> None:
    assert make(1, 3000, 480.0).faults == FULL.faults


@pytest.mark.parametrize("seed", range(5))
def test_the_quick_one_plays_every_kind(seed: int) -> None:
    from chaos.__main__ import QUICK_MESSAGES, QUICK_SECONDS

    plan = make(seed, QUICK_MESSAGES, QUICK_SECONDS, quick=True)
    assert {fault.kind for fault in plan.faults} == KINDS.keys() == PLAYERS.keys()
    assert all(any(map(is_so, plan.requests)) for is_so in MIX.values())
    assert any(text.talk is not None for text in plan.texts)


def test_the_full_one_kills_and_stops_every_part_and_disturbs_in_every_way() -> None:
    for kind in ("kill", "stop"):
        assert {fault.parts for fault in FULL.faults if fault.kind == kind} == {(part,) for part in PARTS}
    assert {request.call for request in FULL.requests} == {None, *CALLS}
    assert {request.callbacks for request in FULL.requests} == {None, *CALLBACKS}


def test_faults_of_one_track_come_one_after_the_other() -> None:
    for track in Track:
        faults = [fault for fault in FULL.faults if KINDS[fault.kind].track is track]
        assert all(one.at + one.takes < other.at for one, other in pairwise(faults))
        assert faults[-1].at <= FULL.seconds


def test_no_message_is_due_after_the_storm() -> None:
    for request in FULL.requests:
        assert request.at + (request.ahead or 0.0) <= FULL.seconds + 0.001
        assert request.move is None or request.at + (request.move.to or 0.0) <= FULL.seconds + 0.001


def test_every_part_of_a_long_text_says_what_it_is_of() -> None:
    texts = [request for request in FULL.requests if request.words > 3]
    assert texts
    for request in texts:
        cut = parts(Channel.SMS, request.content)
        assert len(cut) > 1
        assert Counter(" ".join(cut).split()) == Counter(request.content.split())
        assert all(request.token in part for part in cut)
    assert len({request.token for request in FULL.requests}) == len(FULL.requests)


def test_guests_write_all_the_while_and_in_words_of_their_own() -> None:
    assert len(FULL.texts) == 400
    assert len({text.content for text in FULL.texts}) == 400 and len({text.sender for text in FULL.texts}) > 80
    assert {text.channel for text in FULL.texts} == {"sms", "whatsapp", "imessage", "email", "inbox"}
    assert FULL.texts[0].at < 5 and FULL.texts[-1].at > FULL.seconds - 10
    assert not {text.token for text in FULL.texts} & {request.token for request in FULL.requests}
    assert make(1, 2000, 480.0).texts == FULL.texts != make(2, 2000, 480.0).texts
