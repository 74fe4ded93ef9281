"""The bench's arithmetic: percentiles, rates and CPU a message."""

from __future__ import annotations

import asyncio

import pytest

from bench import crowd
from bench.figures import Rounds, percentile, spread
from bench.scenarios import Sizes


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5.0], 0.99, 5.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
        ([float(n) for n in range(1, 1001)], 0.99, 990.0),
    ],
)
def test_percentile_is_the_smallest_value_that_the_share_does_not_exceed(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def test_a_spread_is_in_milliseconds() -> None:
    found = spread([0.001, 0.002, 0.5])
    assert (found.p50, found.p99, found.max, found.count) == (2.0, 500.0, 500.0, 3)


def test_nothing_measured_is_no_spread() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_a_size_is_of_all_that_is_in_trouble() -> None:
    assert Sizes().times(0.1) == Sizes(
        crowd=100, paused=200, resumed=1_000, hanging=16, endpoints=15, due=(50, 150, 500)
    )
    assert Sizes().times(0.0).crowd == 1


def test_rounds_add_up() -> None:
    rounds = Rounds()
    rounds.add(100, 4.0, {"api": 1.0}, 0.5)
    rounds.add(100, 6.0, {"api": 3.0}, 0.5)
    assert rounds.rates == [25.0, 16.67]
    assert rounds.cpu_each() == {"api": 20.0}
    assert rounds.foreign == 1.0


def test_a_round_that_stalled_does_not_move_the_rate() -> None:
    rounds = Rounds()
    for seconds in (5.0, 20.0, 4.0):
        rounds.add(100, seconds, {}, 0.0)
    assert rounds.rate == 20.0


async def test_never_more_at_once_than_asked_for() -> None:
    under_way = most = done = 0

    async def one(_: int) -> None:
        nonlocal under_way, most, done
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        done += 1

    await crowd.saturate(50, 7, one)
    assert (done, most) == (50, 7)
