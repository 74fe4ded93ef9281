"""The status table: every edge, and that only the set of facts decides where a message ends (I3)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain import statuses
from bellhop.domain.channels import AddressKind, ChannelRules
from bellhop.domain.events import OF_STAGE
from bellhop.domain.statuses import ODD_EDGES, PASSES, RANK, STATUS, Stage, Status
from bellhop.ops.statuses_page import sentences, upward_edges

PROVIDER_SAYS = (Stage.SENT, Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ)
OURS = (Stage.QUEUED, Stage.CANCELLED, Stage.GAVE_UP)

UPWARD = {
    # Written out, so that a change of a rank has to be made here as well.
    Stage.QUEUED: {Stage.CANCELLED, Stage.GAVE_UP, Stage.SENT, Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ},
    Stage.CANCELLED: {Stage.GAVE_UP, Stage.SENT, Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ},
    Stage.GAVE_UP: {Stage.SENT, Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ},
    Stage.SENT: {Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ},
    Stage.UNDELIVERED: {Stage.DELIVERED, Stage.READ},
    Stage.DELIVERED: {Stage.READ},
    Stage.READ: set(),
}

REPORTED = {
    (Stage.QUEUED, Stage.CANCELLED): [Stage.CANCELLED],
    (Stage.QUEUED, Stage.GAVE_UP): [Stage.GAVE_UP],
    (Stage.QUEUED, Stage.SENT): [Stage.SENT],
    (Stage.QUEUED, Stage.UNDELIVERED): [Stage.SENT, Stage.UNDELIVERED],
    (Stage.QUEUED, Stage.DELIVERED): [Stage.SENT, Stage.DELIVERED],
    (Stage.QUEUED, Stage.READ): [Stage.SENT, Stage.DELIVERED, Stage.READ],
    (Stage.CANCELLED, Stage.GAVE_UP): [Stage.GAVE_UP],
    (Stage.CANCELLED, Stage.SENT): [Stage.SENT],
    (Stage.CANCELLED, Stage.UNDELIVERED): [Stage.SENT, Stage.UNDELIVERED],
    (Stage.CANCELLED, Stage.DELIVERED): [Stage.SENT, Stage.DELIVERED],
    (Stage.CANCELLED, Stage.READ): [Stage.SENT, Stage.DELIVERED, Stage.READ],
    (Stage.GAVE_UP, Stage.SENT): [Stage.SENT],
    (Stage.GAVE_UP, Stage.UNDELIVERED): [Stage.SENT, Stage.UNDELIVERED],
    (Stage.GAVE_UP, Stage.DELIVERED): [Stage.SENT, Stage.DELIVERED],
    (Stage.GAVE_UP, Stage.READ): [Stage.SENT, Stage.DELIVERED, Stage.READ],
    (Stage.SENT, Stage.UNDELIVERED): [Stage.UNDELIVERED],
    (Stage.SENT, Stage.DELIVERED): [Stage.DELIVERED],
    (Stage.SENT, Stage.READ): [Stage.DELIVERED, Stage.READ],
    (Stage.UNDELIVERED, Stage.DELIVERED): [Stage.DELIVERED],
    (Stage.UNDELIVERED, Stage.READ): [Stage.DELIVERED, Stage.READ],
    (Stage.DELIVERED, Stage.READ): [Stage.READ],
}


@pytest.mark.parametrize(("before", "after"), list(product(Stage, Stage)))
def test_each_edge(before: Stage, after: Stage) -> None:
    moved = statuses.higher(before, after)
    if after in UPWARD[before]:
        assert moved is after
        assert list(statuses.news(before, after)) == REPORTED[before, after]
    else:
        assert moved is before
        assert statuses.news(before, after) == ()


@pytest.mark.parametrize(("before", "after"), list(ODD_EDGES))
def test_an_odd_edge_goes_up_and_says_why(before: Stage, after: Stage) -> None:
    assert RANK[after] > RANK[before]
    assert ODD_EDGES[before, after].endswith(".")
    assert len(ODD_EDGES[before, after].split()) > 3


ORDINARY_FROM = frozenset({Stage.QUEUED, Stage.SENT, Stage.DELIVERED})
"""Moving up from these needs no explanation; every other upward edge has its sentence in ODD_EDGES."""


@pytest.mark.parametrize(("before", "after"), upward_edges())
def test_an_upward_edge_is_ordinary_or_has_its_sentence(before: Stage, after: Stage) -> None:
    assert (before in ORDINARY_FROM) != ((before, after) in ODD_EDGES)


def test_every_stage_has_a_rank_of_its_own_a_status_its_events_and_a_sentence() -> None:
    assert set(RANK) == set(STATUS) == set(PASSES) == set(Stage)
    assert len(set(RANK.values())) == len(Stage)
    assert set(STATUS.values()) == set(Status)
    assert {stage for stage in Stage if stage not in OF_STAGE} == {Stage.QUEUED}
    assert set(sentences(Stage)) == set(Stage)
    for stage, passed in PASSES.items():
        assert passed[-1:] == (() if stage is Stage.QUEUED else (stage,))
        assert [RANK[one] for one in passed] == sorted(RANK[one] for one in passed)


def test_the_list_filter_finds_every_stage_once() -> None:
    found = [stage for status in Status for stage in statuses.stages_of(status)]
    assert sorted(found) == sorted(Stage)
    assert statuses.stages_of(Status.FAILED) == (Stage.GAVE_UP, Stage.UNDELIVERED)


@pytest.mark.parametrize(
    ("stage", "no_receipts", "delivery", "reading"),
    [
        (Stage.QUEUED, False, False, False),
        (Stage.CANCELLED, True, True, True),
        (Stage.GAVE_UP, True, True, True),
        (Stage.SENT, True, False, False),
        (Stage.UNDELIVERED, True, True, True),
        (Stage.DELIVERED, True, True, False),
        (Stage.READ, True, True, True),
    ],
)
def test_when_nothing_more_is_worth_waiting_for(stage: Stage, no_receipts: bool, delivery: bool, reading: bool) -> None:
    rules = ChannelRules(name="a letter", address=AddressKind.DEVICE)
    assert statuses.closes(stage, replace(rules, reports_delivery=False)) is no_receipts
    assert statuses.closes(stage, rules) is delivery
    assert statuses.closes(stage, replace(rules, reports_reading=True)) is reading
    assert statuses.closes(stage, replace(rules, reports_delivery=False, reports_reading=True)) is reading


# --- whatever the order ---


def reported(facts: list[Stage]) -> tuple[Stage, list[Stage]]:
    """Where a message of one part ends that learns these facts one by one, and what was told on the way, as the store
    does it: an event is written once."""
    stage, events = Stage.QUEUED, []
    for fact in facts:
        after = statuses.higher(stage, fact)
        events += [one for one in statuses.news(stage, after) if one not in events]
        stage = after
    return stage, events


def without_failure(events: list[Stage]) -> set[Stage]:
    return {event for event in events if STATUS[event] is not Status.FAILED}


@st.composite
def same_facts_twice(draw: st.DrawFn) -> tuple[list[Stage], list[Stage]]:
    """One set of a provider's facts in two orders, each with repetitions of its own."""
    facts = draw(st.sets(st.sampled_from(PROVIDER_SAYS), min_size=1))
    again = st.lists(st.sampled_from(sorted(facts)), max_size=6)
    return tuple(draw(st.permutations([*facts, *draw(again)])) for _ in range(2))  # type: ignore[return-value]


@given(same_facts_twice(), st.sampled_from(OURS))
def test_any_permutation_with_repetitions_ends_the_same(orders: tuple[list[Stage], list[Stage]], ours: Stage) -> None:
    (one, reported_one), (other, reported_other) = (reported([ours, *facts]) for facts in orders)
    assert one is other
    assert without_failure(reported_one) == without_failure(reported_other)
    if Stage.DELIVERED not in reported_one:
        # Where nothing stronger than the failure came, it is told in every order.
        assert set(reported_one) == set(reported_other)
    assert (STATUS[one] is Status.FAILED) <= any(STATUS[event] is Status.FAILED for event in reported_one)


@given(st.lists(st.sampled_from(Stage)))
def test_a_message_never_moves_down_and_tells_each_stage_once(facts: list[Stage]) -> None:
    stages = [reported(facts[:count])[0] for count in range(len(facts) + 1)]
    assert [RANK[stage] for stage in stages] == sorted(RANK[stage] for stage in stages)
    _, events = reported(facts)
    assert len(events) == len(set(events))
    provider_reported = [event for event in events if event in (Stage.SENT, Stage.DELIVERED, Stage.READ)]
    assert [RANK[event] for event in provider_reported] == sorted(RANK[event] for event in provider_reported)


@given(st.sampled_from(OURS), st.lists(st.sampled_from((Stage.QUEUED, *PROVIDER_SAYS)), max_size=4))
def test_a_decision_holds_until_a_provider_is_known_to_have_it(decision: Stage, parts: list[Stage]) -> None:
    stage = statuses.of_message(decision, parts)
    of_parts = statuses.of_parts(parts)
    assert stage is (decision if of_parts is Stage.QUEUED else of_parts)


def reported_of_parts(count: int, decision: Stage, facts: list[tuple[int, Stage]]) -> tuple[Stage, list[Stage]]:
    """The same for a message of several parts: facts are (part, what is said of it), or (-1, our decision)."""
    parts, ours, stage = [Stage.QUEUED] * count, Stage.QUEUED, Stage.QUEUED
    events: list[Stage] = []
    for part, fact in facts:
        if part < 0:
            ours = decision
        else:
            parts[part] = statuses.higher(parts[part], fact)
        after = statuses.higher(stage, statuses.of_message(ours, parts))
        events += [one for one in statuses.news(stage, after) if one not in events]
        stage = after
    return stage, events


@given(st.data(), st.integers(1, 4), st.sampled_from(OURS))
def test_parts_in_any_order_end_the_same(data: st.DataObject, count: int, decision: Stage) -> None:
    """Whatever is said of which part first, however often, and whenever we decide."""
    said = st.tuples(st.integers(0, count - 1), st.sampled_from(PROVIDER_SAYS))
    facts = [*data.draw(st.lists(said, unique=True, max_size=8)), (-1, decision)]
    again = st.lists(st.sampled_from(facts), max_size=4)
    one, other = (
        reported_of_parts(count, decision, data.draw(st.permutations([*facts, *data.draw(again)]))) for _ in range(2)
    )
    assert one[0] is other[0]
    overruled = {stage for stage in (Stage.CANCELLED, Stage.GAVE_UP, Stage.UNDELIVERED) if stage is not one[0]}
    assert set(one[1]) - overruled == set(other[1]) - overruled
    for _, events in (one, other):
        assert [RANK[event] for event in events] == sorted(RANK[event] for event in events)


@given(st.permutations([Stage.SENT, Stage.DELIVERED, Stage.QUEUED]))
def test_a_message_in_parts_is_as_far_as_its_slowest_part(parts: list[Stage]) -> None:
    assert statuses.of_parts(parts) is Stage.QUEUED
    assert statuses.of_parts([Stage.DELIVERED, *parts[:0]]) is Stage.DELIVERED
    assert statuses.of_parts([]) is Stage.QUEUED
    assert statuses.of_parts([Stage.UNDELIVERED, Stage.DELIVERED]) is Stage.UNDELIVERED
    assert statuses.of_parts([Stage.UNDELIVERED, Stage.SENT]) is Stage.SENT, "it may still turn out delivered"
