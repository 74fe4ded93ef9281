"""How long before their time messages are started: late for one alone, as early as needed for many, never beyond."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.run_up import ALONE, BEFORE, CALM, LEAST, SAYS_IT_LIVES, TOO_SOON, RunUps, task_timeout

NOW = 1_800_000_000.0
LEAST_TIMEOUT = timedelta(seconds=5)


def leads(plan: RunUps, due: float, count: int) -> list[float]:
    return [plan.lead(due, NOW) for _ in range(count)]


def test_one_alone_is_started_shortly_before() -> None:
    plan = RunUps(30.0, 60.0)
    assert plan.lead(NOW + 3600, NOW) == pytest.approx(LEAST)
    assert plan.lead(NOW + 7200.25, NOW) == pytest.approx(LEAST)


def test_many_are_spread_over_the_seconds_before() -> None:
    due, plan = NOW + 3600, RunUps(30.0, 60.0)
    found = leads(plan, due, 600)
    assert min(found) >= LEAST and max(found) <= LEAST + 600 / 60 + 1
    assert max(Counter(int(due - lead) for lead in found).values()) <= 60
    # Others due a second later find what is left, and are started no earlier than they would be alone.
    assert all(one >= LEAST for one in leads(plan, due + 1, 60))
    assert max(plan._starts.values()) <= 60


def test_who_does_not_fit_is_started_at_its_time() -> None:
    plan = RunUps(5.0, 10.0)
    found = leads(plan, NOW + 60, 80)
    assert 40 <= sum(lead > 0 for lead in found) <= 50 and max(found) <= 5.0
    assert found[-1] == 0.0
    assert plan.lead(NOW + 120, NOW) == pytest.approx(LEAST), "another time has room"


@pytest.mark.parametrize("after", [-5.0, 0.0, TOO_SOON / 2])
def test_what_is_due_now_has_none(after: float) -> None:
    assert RunUps(30.0, 60.0).lead(NOW + after, NOW) == 0.0


def test_what_is_due_soon_has_what_is_left() -> None:
    assert RunUps(30.0, 60.0).lead(NOW + 0.4, NOW) == pytest.approx(0.4)
    assert max(leads(RunUps(30.0, 60.0), NOW + 2, 100)) <= 2.0


def test_none_where_there_is_to_be_none() -> None:
    assert RunUps(0.0, 60.0).lead(NOW + 60, NOW) == 0.0


def test_the_plan_is_bounded() -> None:
    plan = RunUps(30.0, 1.0)
    for second in range(50_000):
        plan.lead(NOW + 10 + 2 * second, NOW)
    assert len(plan._starts) <= 20_000


def test_a_task_is_as_usual_where_nothing_is_waited_for() -> None:
    assert task_timeout(0.0, LEAST_TIMEOUT) == LEAST_TIMEOUT


@given(st.floats(LEAST, 60.0))
def test_a_killed_worker_costs_seconds_and_nobody_says_that_it_lives_as_all_are_handed_over(lead: float) -> None:
    timeout = task_timeout(lead, LEAST_TIMEOUT).total_seconds()
    every = SAYS_IT_LIVES * timeout
    last = every * math.floor(lead / every)
    assert last + every - lead >= min(ALONE + 1.3 * lead, CALM - 2 * BEFORE) - 0.01
    assert last == 0.0 or lead - last >= BEFORE - 0.01
    # Counted from when it last said so.
    assert 3.0 < last + timeout - lead < 22.0


def test_one_alone_is_soon_given_to_another() -> None:
    assert task_timeout(LEAST, LEAST_TIMEOUT) < timedelta(seconds=7.5)
