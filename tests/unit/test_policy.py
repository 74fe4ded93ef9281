"""May a message go out now: whatever is known of it, and in whatever order it is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain import policy
from bellhop.domain.categories import Category
from bellhop.domain.consents import Effect
from bellhop.domain.failures import FailureCode
from bellhop.domain.policy import (
    Cancel,
    Decision,
    Facts,
    Lookup,
    Over,
    Reason,
    Refuse,
    Send,
    Settle,
    Wait,
    Way,
    Window,
    decide,
    with_refusals,
)
from bellhop.domain.quiet_hours import NEVER, By, Quiet, Span, Zone
from bellhop.domain.statuses import Stage

NOW = datetime(2026, 3, 15, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OVER = NOW + timedelta(hours=1)


def quiet(begins: time, ends: time) -> Quiet:
    span = Span(frozenset(Category), None, begins, ends)
    return Quiet((span,), Zone(ZoneInfo("UTC"), By.PROPERTY))


QUIET = quiet(time(9), time(11))
"""It is quiet now, until `OVER`."""
LATER_QUIET = quiet(time(11), time(9))
GOOD = Facts(
    stage=Stage.QUEUED,
    erased=False,
    call_open=False,
    expires_at=NOW + SECOND,
    due_at=NOW,
    paused=False,
    opted_out=False,
    capped=False,
    quiet=LATER_QUIET,
    way=Way.OPEN,
    paced=False,
)
FORBID: dict[str, Callable[[Facts], bool]] = {
    "over": lambda facts: facts.stage is not Stage.QUEUED,
    "call open": lambda facts: facts.call_open,
    "erased": lambda facts: facts.erased,
    "expired": lambda facts: facts.expires_at is not None and facts.expires_at <= NOW,
    "not due": lambda facts: facts.due_at > NOW,
    "paused": lambda facts: facts.paused,
    "opted out": lambda facts: facts.opted_out is not False,
    "capped": lambda facts: facts.capped is not False,
    "quiet": lambda facts: facts.quiet not in (NEVER, LATER_QUIET),
    "window closed": lambda facts: facts.window not in (Window.OPEN, Window.TEMPLATE),
    "no way": lambda facts: facts.way is not Way.OPEN,
    "paced": lambda facts: facts.paced is not False,
}
"""Said once more and in other words: each of these alone keeps a message from going out."""

VALUES: dict[str, list[Any]] = {
    "stage": list(Stage),
    "erased": [False, True],
    "call_open": [False, True],
    "expires_at": [None, NOW - SECOND, NOW, NOW + SECOND],
    "due_at": [NOW - SECOND, NOW, NOW + SECOND],
    "paused": [False, True],
    "opted_out": [False, True],
    "capped": [False, True],
    "quiet": [NEVER, LATER_QUIET, QUIET],
    "window": list(Window),
    "way": list(Way),
    "paced": [False, True],
}
# Most facts good, so that each of the others is met alone as well.
known = st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(0, 6), max_size=3).map(
    lambda picked: replace(GOOD, **{name: VALUES[name][at % len(VALUES[name])] for name, at in picked.items()})
)
looked_up = st.fixed_dictionaries({fact.value: st.booleans() for fact in Lookup})


def without(facts: Facts, found: dict[str, bool]) -> Facts:
    return replace(facts, **{name: None for name, there in found.items() if not there})


def asked(facts: Facts, start: Facts) -> tuple[Decision, list[Lookup]]:
    """What is decided when each fact is looked up as it is asked for, and which were."""
    lookups: list[Lookup] = []
    while isinstance(said := decide(start, NOW), Lookup):
        assert said not in lookups, "asked twice"
        lookups.append(said)
        start = replace(start, **{said.value: getattr(facts, said.value)})
    return said, lookups


def test_nothing_goes_out_that_must_not() -> None:
    """Every combination there is, of what is known and what is not."""
    values = {**VALUES, **{fact.value: [*VALUES[fact.value], None] for fact in Lookup}}
    # Of what one rule alone looks at, and alike, one of each kind.
    values |= {"stage": [Stage.QUEUED, Stage.CANCELLED], "expires_at": [None, NOW, NOW + SECOND]}
    values |= {"due_at": [NOW, NOW + SECOND], "quiet": [LATER_QUIET, QUIET, None]}
    for combination in product(*values.values()):
        facts = Facts(**dict(zip(values, combination, strict=True)))
        assert (decide(facts, NOW) == Send()) == (not any(forbids(facts) for forbids in FORBID.values())), facts


@given(known, looked_up)
def test_the_order_in_which_facts_are_found_does_not_matter(facts: Facts, found: dict[str, bool]) -> None:
    said, lookups = asked(facts, without(facts, found))
    assert said == decide(facts, NOW)
    if said != Send():
        return
    assert {fact.value for fact in lookups} == {name for name, there in found.items() if not there}


@given(known)
def test_no_query_is_made_for_what_the_row_alone_decides(facts: Facts) -> None:
    said, lookups = asked(facts, replace(facts, opted_out=None, capped=None, quiet=None, window=None, way=None))
    if any(FORBID[why](facts) for why in ("over", "call open", "erased", "expired", "not due", "paused")):
        assert not lookups
    elif facts.opted_out:
        assert (said, lookups) == (Refuse(FailureCode.OPTED_OUT), [Lookup.OPTED_OUT])
    elif facts.capped:
        assert (said, lookups) == (Refuse(FailureCode.FREQUENCY_CAP), [Lookup.OPTED_OUT, Lookup.CAPPED])
    elif facts.quiet is QUIET:
        assert lookups == [Lookup.OPTED_OUT, Lookup.CAPPED, Lookup.QUIET]
    elif facts.window is Window.CLOSED:
        assert lookups == [Lookup.OPTED_OUT, Lookup.CAPPED, Lookup.QUIET, Lookup.WINDOW]
    else:
        assert lookups == [Lookup.OPTED_OUT, Lookup.CAPPED, Lookup.QUIET, Lookup.WINDOW, Lookup.WAY]


@given(known)
def test_what_ends_a_message_comes_before_what_delays_it(facts: Facts) -> None:
    said = decide(facts, NOW)
    if isinstance(said, Wait):
        assert not any(FORBID[why](facts) for why in ("over", "call open", "erased", "expired"))
    if isinstance(said, Wait) and said.until is not None:
        assert said.until > NOW, "a wait that is over at once would ask for ever"


LATER = NOW + 5 * SECOND


CASES: list[tuple[dict[str, Any], Decision | Lookup]] = [
    ({}, Send()),
    ({"expires_at": None}, Send()),
    *(({"stage": stage}, Over()) for stage in set(Stage) - {Stage.QUEUED}),
    ({"call_open": True}, Settle()),
    ({"erased": True}, Cancel()),
    ({"expires_at": NOW}, Refuse(FailureCode.EXPIRED)),
    ({"due_at": LATER}, Wait(Reason.NOT_DUE, LATER)),
    ({"paused": True}, Wait(Reason.PAUSED)),
    ({"opted_out": True}, Refuse(FailureCode.OPTED_OUT)),
    ({"opted_out": True, "bounced": True}, Refuse(FailureCode.BOUNCED)),
    ({"opted_out": None}, Lookup.OPTED_OUT),
    ({"capped": True}, Refuse(FailureCode.FREQUENCY_CAP)),
    ({"capped": None}, Lookup.CAPPED),
    ({"quiet": NEVER}, Send()),
    ({"quiet": QUIET, "expires_at": None}, Wait(Reason.QUIET_HOURS, OVER)),
    ({"quiet": QUIET, "expires_at": OVER + SECOND}, Wait(Reason.QUIET_HOURS, OVER)),
    # Nothing is said of it in the morning that can be said now.
    ({"quiet": QUIET, "expires_at": OVER}, Refuse(FailureCode.QUIET_HOURS)),
    ({"quiet": None}, Lookup.QUIET),
    ({"capped": True, "quiet": QUIET, "expires_at": None}, Refuse(FailureCode.FREQUENCY_CAP)),
    ({"capped": True, "opted_out": True}, Refuse(FailureCode.OPTED_OUT)),
    ({"quiet": QUIET, "expires_at": None, "window": Window.CLOSED}, Wait(Reason.QUIET_HOURS, OVER)),
    ({"window": Window.TEMPLATE}, Send()),
    ({"window": Window.CLOSED}, Refuse(FailureCode.WHATSAPP_TEMPLATE_REQUIRED)),
    ({"window": None}, Lookup.WINDOW),
    ({"window": Window.CLOSED, "opted_out": True}, Refuse(FailureCode.OPTED_OUT)),
    ({"window": Window.CLOSED, "way": Way.ACCOUNT_HELD}, Refuse(FailureCode.WHATSAPP_TEMPLATE_REQUIRED)),
    ({"way": Way.NO_SENDER}, Wait(Reason.NO_SENDER)),
    ({"way": Way.ACCOUNT_HELD}, Wait(Reason.ACCOUNT_HELD)),
    ({"way": None}, Lookup.WAY),
    # The first that objects decides.
    ({"stage": Stage.CANCELLED, "erased": True, "expires_at": NOW}, Over()),
    ({"stage": Stage.CANCELLED, "call_open": True}, Over()),
    ({"way": Way.ACCOUNT_HELD, "paced": True}, Wait(Reason.ACCOUNT_HELD)),
    ({"way": None, "paced": None}, Lookup.WAY),
    ({"paced": True}, Wait(Reason.PACED)),
    ({"paced": None}, Lookup.PACED),
    ({"call_open": True, "erased": True}, Settle()),
    ({"erased": True, "expires_at": NOW, "due_at": LATER}, Cancel()),
    ({"expires_at": NOW, "paused": True, "due_at": LATER}, Refuse(FailureCode.EXPIRED)),
    ({"due_at": LATER, "paused": True, "opted_out": True}, Wait(Reason.NOT_DUE, LATER)),
    ({"paused": True, "opted_out": True}, Wait(Reason.PAUSED)),
    ({"opted_out": True, "way": Way.NO_SENDER}, Refuse(FailureCode.OPTED_OUT)),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_each_rule(change: dict[str, Any], expected: Decision | Lookup) -> None:
    assert decide(replace(GOOD, **change), NOW) == expected


@pytest.mark.parametrize("left_out", policy.RULES, ids=lambda rule: rule.__name__)
def test_no_rule_can_be_left_out_unnoticed(left_out: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it something goes out that must not, by what is said above in other words: so each rule is one that the
    tests of this file notice, and a new one has to be said above too."""
    monkeypatch.setattr(policy, "RULES", tuple(rule for rule in policy.RULES if rule is not left_out))
    bad = [replace(GOOD, **{name: value}) for name, values in VALUES.items() for value in values]
    assert [facts for facts in bad if decide(facts, NOW) == Send() and any(said(facts) for said in FORBID.values())]


@pytest.mark.parametrize("at", range(len(policy.RULES) - 1))
def test_no_two_rules_can_change_places_unnoticed(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = list(policy.RULES)
    rules[at], rules[at + 1] = rules[at + 1], rules[at]
    monkeypatch.setattr(policy, "RULES", tuple(rules))
    assert [change for change, expected in CASES if decide(replace(GOOD, **change), NOW) != expected]


@pytest.mark.parametrize(
    ("refusals", "answers", "goes"),
    [
        ([Effect.OPT_OUT], True, True),
        ([Effect.OPT_OUT], False, False),
        ([], False, True),
        ([Effect.OPT_OUT, Effect.COMPLAINT], True, False),
        ([Effect.PROVIDER_REFUSAL], True, False),
        ([Effect.OPERATOR_OPT_OUT], True, False),
        ([Effect.HARD_BOUNCE], True, False),
    ],
)
def test_only_the_answer_to_a_keyword_goes_out_past_a_stop_and_past_nothing_else(
    refusals: list[Effect], answers: bool, goes: bool
) -> None:
    facts = with_refusals(replace(GOOD, answers_keyword=answers), refusals)
    assert isinstance(decide(facts, NOW), Send if goes else Refuse)
