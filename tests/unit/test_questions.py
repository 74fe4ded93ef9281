"""The budget of questions: never more in any span than are allowed, and nobody waits longer than that takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.questions import LONGEST_WAIT, QuestionLimit, comes_back, kept, limits, of_rate, wait
from bellhop.providers import providers

BEGAN = datetime(2026, 11, 27, tzinfo=UTC)
SIX = QuestionLimit(6, 60.0)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_what_sendgrid_limits_is_kept_to() -> None:
    assert limits(providers()) == {"sendgrid": SIX}


@pytest.mark.parametrize(("rate", "limit"), [(10.0, (10, 1.0)), (0.5, (1, 2.0)), (2.5, (2, 0.8)), (1000, (1000, 1.0))])
def test_a_rate_as_a_limit(rate: float, limit: tuple[int, float]) -> None:
    assert of_rate(rate) == QuestionLimit(*limit)


@pytest.mark.parametrize(
    ("asked", "ahead", "calls", "expected"),
    [
        ([], 0, 1, 0.0),
        ([], 5, 1, 0.0),
        ([], 6, 1, 61.0),
        ([0, 1, 2, 3, 4], 0, 1, 0.0),
        ([0, 1, 2, 3, 4], 0, 2, 51.0),
        ([0, 1, 2, 3, 4, 5], 0, 1, 51.0),
        ([0, 1, 2, 3, 4, 5], 3, 1, 54.0),
        ([0, 1, 2, 3, 4, 5], 6, 1, 112.0),
        # One that makes more calls than there are in a span is let through all the same.
        ([], 0, 9, 0.0),
        # They count no more.
        ([-60, -59, -58, -57, -56, -55], 0, 1, 0.0),
        ([], 10_000, 1, LONGEST_WAIT),
    ],
)
def test_whose_turn_it_is_when(asked: list[float], ahead: int, calls: int, expected: float) -> None:
    assert wait(SIX, [at(one) for one in asked], at(10), ahead, calls) == expected


@given(
    st.integers(1, 6),
    st.floats(0.2, 30.0),
    st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(1, 3)), min_size=1, max_size=25),
)
def test_no_span_has_more_and_each_comes_when_it_was_told(
    most: int, seconds: float, questions: list[tuple[float, int]]
) -> None:
    limit = QuestionLimit(most, seconds)
    now, budget, all_asked = BEGAN, list[datetime](), list[datetime]()
    for pause, calls in questions:
        now += timedelta(seconds=pause)
        calls = min(calls, most)
        if (left := wait(limit, budget, now, 0, calls)) > 0:
            now += timedelta(seconds=left)
            assert wait(limit, budget, now, 0, calls) == 0, "told a time, it has its turn then"
        budget = [*kept(limit, budget, now), *[now] * calls][-most:]
        all_asked += [now] * calls
    span = timedelta(seconds=seconds)
    for first in all_asked:
        assert sum(first <= one < first + span for one in all_asked) <= most


def test_a_long_wait_is_looked_at_again_half_way() -> None:
    """Turns are reckoned while others are in front, who may need none after all."""
    assert [comes_back(left) for left in (0.5, 60.0, 90.0, 240.0, 1_800.0)] == [0.5, 60.0, 60.0, 120.0, 900.0]
