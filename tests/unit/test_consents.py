"""What an address allows: a function of the set of what was said of it, by when it was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.consents import (
    ALL,
    LIFTED_BY,
    MARKETING,
    OF_A_GROUP,
    ConsentFact,
    Effect,
    SaidTo,
    allowed,
    binding,
    in_force,
    lifts,
    reopened,
)

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
LIFTS = [effect for effect in Effect if effect not in LIFTED_BY]


DESK, SPA, CHAT = (SaidTo(Channel.SMS, "+1305"), SaidTo(Channel.SMS, "+1306"), SaidTo(Channel.WHATSAPP, "+1305"))


def fact(
    effect: Effect, minute: int, number: int = 0, group: str | None = None, said_to: SaidTo | None = None
) -> ConsentFact:
    purpose = f"group:{group}" if group else ALL
    return ConsentFact(UUID(int=number), effect, NOON + timedelta(minutes=minute), purpose, said_to)


@st.composite
def said(draw: st.DrawFn) -> list[ConsentFact]:
    """What was said of one address: often in the same minute, sometimes of groups, to several senders."""
    effects = draw(st.lists(st.sampled_from(Effect), max_size=12))
    return [
        fact(
            effect,
            draw(st.integers(0, 5)),
            number,
            draw(st.sampled_from("ab")) if effect in OF_A_GROUP else None,
            draw(st.sampled_from([None, DESK, SPA, CHAT])),
        )
        for number, effect in enumerate(effects)
    ]


def newest(facts: list[ConsentFact]) -> list[ConsentFact]:
    """The last of each effect, purpose and sender: what the store reads."""
    last: dict[tuple[Effect, str, SaidTo | None], ConsentFact] = {}
    for one in sorted(facts, key=lambda each: each.place):
        last[one.effect, one.purpose, one.said_to] = one
    return list(last.values())


@given(said(), st.data())
def test_the_order_in_which_it_came_to_be_known_does_not_matter(facts: list[ConsentFact], data: st.DataObject) -> None:
    other = data.draw(st.permutations(facts))
    again = data.draw(st.lists(st.sampled_from(facts), max_size=3)) if facts else []
    assert in_force(facts) == in_force(other)
    assert allowed(facts) is allowed([*other, *again]) is (not in_force(facts))


@given(said())
def test_the_last_of_each_effect_and_purpose_suffices(facts: list[ConsentFact]) -> None:
    assert allowed(newest(facts)) is allowed(facts)
    assert reopened(newest(facts), Category.MARKETING) == reopened(facts, Category.MARKETING)
    assert {(one.effect, one.purpose) for one in in_force(newest(facts))} == {
        (one.effect, one.purpose) for one in in_force(facts)
    }


@given(said())
def test_what_was_said_before_lifts_nothing_and_a_refusal_said_last_always_holds(facts: list[ConsentFact]) -> None:
    for refusal in LIFTED_BY:
        group = "a" if refusal in OF_A_GROUP else None
        last = fact(refusal, 99, 99, group)
        assert in_force([*facts, last])[0] == last
    for late in LIFTS:
        old = fact(late, -99, 99, "a" if late in OF_A_GROUP else None)
        assert in_force([*facts, old]) == in_force(facts), "an older word that comes late lifts nothing"


@given(said())
def test_an_operator_lifts_all_of_it(facts: list[ConsentFact]) -> None:
    assert allowed([*facts, fact(Effect.OPERATOR_OPT_IN, 99, 99)])


LIFTED = {
    # Written out, so that a change of the table has to be made here as well.
    (Effect.OPT_IN, Effect.OPT_OUT),
    (Effect.OPT_IN, Effect.PROVIDER_REFUSAL),
    (Effect.GROUP_RESUBSCRIBE, Effect.GROUP_UNSUBSCRIBE),
    *((Effect.OPERATOR_OPT_IN, refusal) for refusal in LIFTED_BY),
}


@pytest.mark.parametrize(("later", "refusal"), list(product(Effect, LIFTED_BY)))
def test_each_pair(later: Effect, refusal: Effect) -> None:
    before = fact(refusal, 0, 1, "a" if refusal in OF_A_GROUP else None)
    after = fact(later, 1, 2, "a" if later in OF_A_GROUP else None)
    assert lifts(after, before) is ((later, refusal) in LIFTED)
    assert allowed([after, before]) is ((later, refusal) in LIFTED)
    assert not lifts(before, after)


def test_a_group_is_not_another() -> None:
    left = fact(Effect.GROUP_UNSUBSCRIBE, 0, 1, "a")
    assert not allowed([left, fact(Effect.GROUP_RESUBSCRIBE, 1, 2, "b")])
    assert allowed([left, fact(Effect.GROUP_RESUBSCRIBE, 1, 2, "a")])


def test_what_is_about_marketing_binds_marketing_alone_and_is_lifted_by_what_is_about_marketing() -> None:
    left = replace(fact(Effect.OPT_OUT, 0, 1), purpose=MARKETING)
    for category in Category:
        assert allowed([left], category) is (category is not Category.MARKETING)
    for later in (Effect.OPT_IN, Effect.OPERATOR_OPT_IN):
        assert binding([left, fact(later, 1, 2)], Category.MARKETING) == [left], "a START is no wish for offers"
        assert allowed([left, replace(fact(later, 1, 2), purpose=MARKETING)], Category.MARKETING)
    stop = fact(Effect.OPT_OUT, 0, 3)
    only_offers = replace(fact(Effect.OPT_IN, 1, 4), purpose=MARKETING)
    assert not any(allowed([stop, only_offers], category) for category in Category)


def test_of_what_was_said_at_one_moment_the_later_known_counts() -> None:
    assert not allowed([fact(Effect.OPT_IN, 0, 1), fact(Effect.OPT_OUT, 0, 2)])
    assert allowed([fact(Effect.OPT_IN, 0, 2), fact(Effect.OPT_OUT, 0, 1)])
    assert allowed([])


def test_a_start_takes_back_a_stop_to_the_same_sender_and_else_opens_its_own() -> None:
    stop = fact(Effect.OPT_OUT, 0, 1, said_to=DESK)
    refusal = fact(Effect.PROVIDER_REFUSAL, 0, 2, said_to=DESK)
    for one in (stop, refusal):
        assert [binding([one], Category.TRANSACTIONAL, sender) for sender in (None, DESK, SPA, CHAT)] == [[one]] * 4
        assert allowed([one, fact(Effect.OPT_IN, 1, 3, said_to=DESK)])
        assert allowed([one, fact(Effect.OPT_IN, 1, 3)]), "nobody knows to which"
        elsewhere = [one, fact(Effect.OPT_IN, 1, 3, said_to=SPA)]
        assert not allowed(elsewhere)
        assert reopened(elsewhere, Category.TRANSACTIONAL) == [SPA]
        assert [bool(binding(elsewhere, Category.TRANSACTIONAL, sender)) for sender in (DESK, SPA, CHAT)] == [
            True,
            False,
            True,
        ]
    again = [stop, fact(Effect.OPT_IN, 1, 3, said_to=SPA), fact(Effect.OPT_OUT, 2, 4, said_to=SPA)]
    assert reopened(again, Category.TRANSACTIONAL) == []
    mail, other = (SaidTo(Channel.EMAIL, name) for name in ("desk@h.example", "spa@h.example"))
    by_mail = [fact(Effect.OPT_OUT, 0, 1, said_to=mail), fact(Effect.OPT_IN, 1, 2, said_to=other)]
    assert allowed(by_mail), "no carrier keeps it for each sender there"
    assert reopened([fact(Effect.OPT_IN, 0, 1, said_to=DESK)], Category.TRANSACTIONAL) == [], "nothing is kept back"


@given(said())
def test_what_holds_for_a_sender_holds_for_any_to_which_nothing_was_said(facts: list[ConsentFact]) -> None:
    for sender in (DESK, SPA, CHAT):
        assert set(in_force(facts, sender)) <= set(in_force(facts))
