"""What strangers may try, by address."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from api.buckets import Buckets, source


def test_a_burst_then_a_rate() -> None:
    now = [100.0]
    buckets = Buckets(3, 2.0, clock=lambda: now[0])
    for _ in range(3):
        assert buckets.wait("a") == 0
        buckets.take("a")
    assert buckets.wait("a") == pytest.approx(0.5)
    assert buckets.wait("b") == 0, "nobody else waits"
    now[0] += 0.5
    assert buckets.wait("a") == 0
    for _ in range(100):
        buckets.take("a")
    assert buckets.wait("a") == pytest.approx(2.0), "not held against it for ever"


def test_what_is_remembered_is_bounded() -> None:
    buckets = Buckets(1, 0.001, most=10)
    for number in range(100):
        buckets.take(number)
    assert len(buckets._buckets) == 10
    assert (buckets.wait(0), buckets.wait(99) > 0) == (0, True)


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_where_a_request_comes_from(host: str | None, seen: str) -> None:
    request: Any = SimpleNamespace(client=SimpleNamespace(host=host) if host else None)
    assert source(request) == seen
