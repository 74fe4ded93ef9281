"""How long each side may look at what was written about a stay, and write more."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bellhop.domain import windows
from bellhop.domain.conversations import Side
from bellhop.domain.stays import StayStatus

OUT = date(2027, 3, 19)


def later(days: int) -> date:
    return OUT + timedelta(days=days)


@pytest.mark.parametrize(("side", "days"), [(Side.PROPERTY, 365), (Side.GUEST, 66)])
def test_reading(side: Side, days: int) -> None:
    assert windows.may_read(side, OUT, later(-30))
    assert windows.may_read(side, OUT, later(days))
    assert not windows.may_read(side, OUT, later(days + 1))
    assert windows.may_read(side, None, later(5_000)), "nobody knows when it ends"


@pytest.mark.parametrize(
    ("side", "answered", "last"),
    [
        (Side.GUEST, None, 66),
        (Side.PROPERTY, None, 7),
        (Side.PROPERTY, later(-20), 7),
        (Side.PROPERTY, later(3), 17),
        (Side.PROPERTY, later(60), 74),
    ],
)
def test_writing(side: Side, answered: date | None, last: int) -> None:
    assert windows.may_write(side, OUT, later(-30), answered)
    assert windows.may_write(side, OUT, later(last), answered)
    assert not windows.may_write(side, OUT, later(last + 1), answered)
    assert windows.may_write(side, None, later(5_000), answered)


@pytest.mark.parametrize(
    ("status", "departure", "ended_on", "end"),
    [
        (StayStatus.BOOKED, OUT, None, OUT),
        (StayStatus.DEPARTED, OUT, later(-1), OUT),
        (StayStatus.DEPARTED, None, later(-1), later(-1)),
        (StayStatus.CANCELLED, OUT, later(-40), later(-40)),
        (StayStatus.NO_SHOW, OUT, later(-4), later(-4)),
        (StayStatus.CANCELLED, OUT, None, OUT),
        (StayStatus.IN_HOUSE, None, None, None),
    ],
)
def test_when_a_stay_is_over(
    status: StayStatus, departure: date | None, ended_on: date | None, end: date | None
) -> None:
    assert windows.end(status, departure, ended_on) == end
