"""Retry-After: seconds or a date, and nonsense that is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.retry_after import LONGEST, seconds

NOW = datetime(2026, 3, 15, 10, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120.0), (" 7 ", 7.0), ("1.5", 1.5), ("0", 0.0), ("-5", 0.0),
        ("Sun, 15 Mar 2026 10:02:00 GMT", 120.0), ("Sun, 15 Mar 2026 10:02:00 -0000", 120.0),
        ("Sun, 15 Mar 2026 09:00:00 GMT", 0.0),
        ("9" * 400, LONGEST), ("99999999999999999999", LONGEST), ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
        ("Fri, 31 Dec 99999 23:59:59 GMT", LONGEST), ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0), ("-" + "9" * 400, 0.0),
        ("1_000", None), ("１２", None), ("1e5", None),
        (None, None), ("", None), ("soon", None), ("nan", None), ("inf", None), ("15 Mar", None),
    ],
)  # fmt: skip
def test_what_a_header_asks_for(header: str | None, expected: float | None) -> None:
    assert seconds(header, NOW) == expected


@given(st.text())
def test_no_header_is_too_odd(header: str) -> None:
    found = seconds(header, NOW)
    assert found is None or found >= 0
