"""The status table: every edge, and that only the set of facts decides where a message ends (I3)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain import statuses
from bellhop.domain.channels import CHANNELS, AddressKind, Channel, ChannelRules, Family
from bellhop.domain.events import OF_STAGE
from bellhop.domain.statuses import (
    ODD_EDGES,
    ODD_EDGES_OF_ANY,
    ODD_EDGES_WHERE_TAKEN,
    PASSES,
    RANK,
    RANK_OF_ANY,
    RANK_WHERE_TAKEN,
    STATUS,
    Stage,
    Status,
)
from bellhop.ops.statuses_page import sentences, upward_edges

PROVIDER_SAYS = (Stage.SENT, Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ)
OURS = (Stage.QUEUED, Stage.CANCELLED, Stage.GAVE_UP)
ARRIVES = ChannelRules(name="a letter", address=AddressKind.DEVICE, family=Family.APP)
"""Where `delivered` is the handset's word."""
TAKEN = replace(ARRIVES, delivered_is_final=False)
"""Where it is that of a server, which may send it back."""
ANY = replace(ARRIVES, any_part=True)
"""Where one of several devices is enough."""
RULES = {"arrives": ARRIVES, "taken": TAKEN, "any": ANY}
ODD = {"arrives": ODD_EDGES, "taken": ODD_EDGES_WHERE_TAKEN, "any": ODD_EDGES_OF_ANY}
both = pytest.mark.parametrize("kind", RULES)

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


UPWARD_WHERE_TAKEN = {
    **UPWARD,
    Stage.UNDELIVERED: {Stage.READ},
    Stage.DELIVERED: {Stage.UNDELIVERED, Stage.READ},
}
REPORTED_WHERE_TAKEN = {**REPORTED, (Stage.DELIVERED, Stage.UNDELIVERED): [Stage.UNDELIVERED]}
UPWARD_OF_ANY = {
    **UPWARD,
    Stage.UNDELIVERED: {Stage.SENT, Stage.DELIVERED, Stage.READ},
    Stage.SENT: {Stage.DELIVERED, Stage.READ},
}
# That it was sent has been told with the failure already.
REPORTED_OF_ANY = {**REPORTED, (Stage.UNDELIVERED, Stage.SENT): []}
EDGES = {
    "arrives": (UPWARD, REPORTED),
    "taken": (UPWARD_WHERE_TAKEN, REPORTED_WHERE_TAKEN),
    "any": (UPWARD_OF_ANY, REPORTED_OF_ANY),
}


@both
@pytest.mark.parametrize(("before", "after"), list(product(Stage, Stage)))
def test_each_edge(kind: str, before: Stage, after: Stage) -> None:
    upward, reported = EDGES[kind]
    moved = statuses.higher(before, after, RULES[kind])
    if after in upward[before]:
        assert moved is after
        assert list(statuses.news(before, after, RULES[kind])) == reported[before, after]
    else:
        assert moved is before
        assert statuses.news(before, after, RULES[kind]) == ()


ORDINARY_FROM = frozenset({Stage.QUEUED, Stage.SENT})
"""Moving up from these needs no explanation, nor being read what was delivered; every other upward edge has its
sentence."""


@both
def test_an_upward_edge_is_ordinary_or_has_its_sentence(kind: str) -> None:
    edges = upward_edges(RULES[kind])
    for before, after in edges:
        ordinary = before in ORDINARY_FROM or (before, after) == (Stage.DELIVERED, Stage.READ)
        assert ordinary != ((before, after) in ODD[kind])
    assert set(ODD[kind]) <= set(edges)
    assert all(why.endswith(".") and len(why.split()) > 3 for why in ODD[kind].values())


def test_every_stage_has_a_rank_of_its_own_a_status_its_events_and_a_sentence() -> None:
    assert set(RANK) == set(RANK_WHERE_TAKEN) == set(RANK_OF_ANY) == set(STATUS) == set(PASSES) == set(Stage)
    assert all(len(set(rank.values())) == len(Stage) for rank in (RANK, RANK_WHERE_TAKEN, RANK_OF_ANY))
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
    rules = ARRIVES
    assert statuses.closes(stage, replace(rules, reports_delivery=False)) is no_receipts
    assert statuses.closes(stage, replace(rules, delivered_is_final=False)) is (
        delivery and stage is not Stage.DELIVERED
    )
    assert statuses.closes(stage, rules) is delivery
    assert statuses.closes(stage, replace(rules, reports_reading=True)) is reading
    assert statuses.closes(stage, replace(rules, reports_delivery=False, reports_reading=True)) is reading


# --- whatever the order ---


def reported(facts: list[Stage], rules: ChannelRules = ARRIVES) -> tuple[Stage, list[Stage]]:
    """Where a message of one part ends that learns these facts one by one, and what was told on the way, as the store
    does it: an event is written once."""
    stage, events = Stage.QUEUED, []
    for fact in facts:
        after = statuses.higher(stage, fact, rules)
        events += [one for one in statuses.news(stage, after, rules) if one not in events]
        stage = after
    return stage, events


def overruled(stage: Stage, rules: ChannelRules) -> set[Stage]:
    """What may have been told of a message that ends there, or not: decisions and words that a stronger one
    overruled."""
    may_be = {Stage.CANCELLED, Stage.GAVE_UP, Stage.UNDELIVERED}
    if not rules.delivered_is_final:
        may_be.add(Stage.DELIVERED)
    return may_be - set(PASSES[stage])


@st.composite
def same_facts_twice(draw: st.DrawFn) -> tuple[list[Stage], list[Stage]]:
    """One set of a provider's facts in two orders, each with repetitions of its own."""
    facts = draw(st.sets(st.sampled_from(PROVIDER_SAYS), min_size=1))
    again = st.lists(st.sampled_from(sorted(facts)), max_size=6)
    return tuple(draw(st.permutations([*facts, *draw(again)])) for _ in range(2))  # type: ignore[return-value]


@both
@given(same_facts_twice(), st.sampled_from(OURS))
def test_any_permutation_with_repetitions_ends_the_same(
    kind: str, orders: tuple[list[Stage], list[Stage]], ours: Stage
) -> None:
    rules = RULES[kind]
    (one, reported_one), (other, reported_other) = (reported([ours, *facts], rules) for facts in orders)
    assert one is other
    assert set(reported_one) - overruled(one, rules) == set(reported_other) - overruled(one, rules)
    for events in (reported_one, reported_other):
        # What its end implies is told in every order.
        assert set(PASSES[one]) <= set(events)


@given(same_facts_twice())
def test_a_bounce_beats_delivered_where_a_server_took_it_and_is_beaten_by_read(
    orders: tuple[list[Stage], list[Stage]],
) -> None:
    for facts in orders:
        if Stage.READ in facts:
            wanted = Stage.READ
        elif Stage.UNDELIVERED in facts:
            wanted = Stage.UNDELIVERED
        else:
            wanted = Stage.DELIVERED if Stage.DELIVERED in facts else Stage.SENT
        assert reported(facts, TAKEN)[0] is wanted


def test_each_channel_says_whether_delivered_is_final() -> None:
    assert {channel for channel, rules in CHANNELS.items() if not rules.delivered_is_final} == {Channel.EMAIL}
    with pytest.raises(ValueError, match="delivered has to be final"):
        replace(TAKEN, part=100)


@both
@given(st.lists(st.sampled_from(Stage)))
def test_a_message_never_moves_down_and_tells_each_stage_once(kind: str, facts: list[Stage]) -> None:
    rank = statuses.ranks(RULES[kind])
    stages = [reported(facts[:count], RULES[kind])[0] for count in range(len(facts) + 1)]
    assert [rank[stage] for stage in stages] == sorted(rank[stage] for stage in stages)
    _, events = reported(facts, RULES[kind])
    assert len(events) == len(set(events))
    provider_reported = [event for event in events if event in (Stage.SENT, Stage.DELIVERED, Stage.READ)]
    assert [RANK[event] for event in provider_reported] == sorted(RANK[event] for event in provider_reported)


@pytest.mark.parametrize("kind", ["arrives", "taken"])
@given(st.sampled_from(OURS), st.lists(st.sampled_from((Stage.QUEUED, *PROVIDER_SAYS)), max_size=4))
def test_a_decision_holds_until_a_provider_is_known_to_have_it(kind: str, decision: Stage, parts: list[Stage]) -> None:
    stage = statuses.of_message(decision, parts, RULES[kind])
    of_parts = statuses.of_parts(parts)
    assert stage is (decision if of_parts is Stage.QUEUED else of_parts)


def reported_of_parts(
    count: int, decision: Stage, facts: list[tuple[int, Stage]], rules: ChannelRules = ARRIVES
) -> tuple[Stage, list[Stage]]:
    """The same for a message of several parts: facts are (part, what is said of it), or (-1, our decision)."""
    parts, ours, stage = [Stage.QUEUED] * count, Stage.QUEUED, Stage.QUEUED
    events: list[Stage] = []
    for part, fact in facts:
        if part < 0:
            ours = decision
        else:
            parts[part] = statuses.higher(parts[part], fact, rules)
        after = statuses.higher(stage, statuses.of_message(ours, parts, rules), rules)
        events += [one for one in statuses.news(stage, after, rules) if one not in events]
        stage = after
    return stage, events


@pytest.mark.parametrize("kind", ["arrives", "any"])
@given(st.data(), st.integers(1, 4), st.sampled_from(OURS))
def test_parts_in_any_order_end_the_same(kind: str, data: st.DataObject, count: int, decision: Stage) -> None:
    """Whatever is said of which part first, however often, and whenever we decide."""
    # That nothing more is done for one device is a fact as well.
    says = PROVIDER_SAYS if kind == "arrives" else (Stage.GAVE_UP, *PROVIDER_SAYS)
    said = st.tuples(st.integers(0, count - 1), st.sampled_from(says))
    facts = [*data.draw(st.lists(said, unique=True, max_size=8)), (-1, decision)]
    again = st.lists(st.sampled_from(facts), max_size=4)
    orders = [data.draw(st.permutations([*facts, *data.draw(again)])) for _ in range(2)]
    one, other = (reported_of_parts(count, decision, order, RULES[kind]) for order in orders)
    assert one[0] is other[0]
    # A weaker fact may be told before the stronger one; of several devices also that one took what others refused.
    beside = overruled(one[0], RULES[kind])
    assert set(one[1]) - beside == set(other[1]) - beside
    for _, events in (one, other):
        assert [RANK[event] for event in events] == sorted(RANK[event] for event in events)


@given(st.permutations([Stage.SENT, Stage.DELIVERED, Stage.QUEUED]))
def test_a_message_in_parts_is_as_far_as_its_slowest_part(parts: list[Stage]) -> None:
    assert statuses.of_parts(parts) is Stage.QUEUED
    assert statuses.of_parts([Stage.DELIVERED, *parts[:0]]) is Stage.DELIVERED
    assert statuses.of_parts([]) is Stage.QUEUED
    assert statuses.of_parts([Stage.UNDELIVERED, Stage.DELIVERED]) is Stage.UNDELIVERED
    assert statuses.of_parts([Stage.UNDELIVERED, Stage.SENT]) is Stage.SENT, "it may still turn out delivered"


ONE_IS_ENOUGH = [
    # our decision, what is known of each device, where the message stands
    (Stage.QUEUED, [Stage.SENT, Stage.QUEUED], Stage.QUEUED),
    (Stage.QUEUED, [Stage.SENT, Stage.GAVE_UP], Stage.SENT),
    (Stage.QUEUED, [Stage.GAVE_UP, Stage.QUEUED], Stage.QUEUED),
    (Stage.QUEUED, [Stage.GAVE_UP, Stage.GAVE_UP], Stage.GAVE_UP),
    (Stage.QUEUED, [Stage.DELIVERED, Stage.QUEUED], Stage.DELIVERED),
    (Stage.QUEUED, [Stage.DELIVERED, Stage.READ, Stage.GAVE_UP], Stage.READ),
    (Stage.QUEUED, [Stage.UNDELIVERED, Stage.SENT], Stage.SENT),
    (Stage.QUEUED, [Stage.UNDELIVERED, Stage.UNDELIVERED], Stage.UNDELIVERED),
    (Stage.GAVE_UP, [Stage.SENT, Stage.QUEUED], Stage.SENT),
    (Stage.GAVE_UP, [Stage.QUEUED, Stage.QUEUED], Stage.GAVE_UP),
    (Stage.CANCELLED, [Stage.GAVE_UP, Stage.QUEUED], Stage.CANCELLED),
]


@pytest.mark.parametrize(("decision", "parts", "stage"), ONE_IS_ENOUGH)
def test_of_several_devices_one_is_enough(decision: Stage, parts: list[Stage], stage: Stage) -> None:
    for order in (parts, parts[::-1]):
        assert statuses.of_message(decision, order, ANY) is stage
