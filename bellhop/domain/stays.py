"""Stays: when which guests are at the property, as its own software knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypedDict
from uuid import UUID

MOST_GUESTS = 50
"""Of one stay."""
LONGEST = timedelta(days=2 * 366)
"""From arrival to departure. A list by date looks no further back."""


class StayStatus(StrEnum):
    """Where a stay stands."""

    BOOKED = "booked"
    IN_HOUSE = "in_house"
    DEPARTED = "departed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


OVER = frozenset({StayStatus.DEPARTED, StayStatus.CANCELLED, StayStatus.NO_SHOW})


class StayFields(TypedDict, total=False):
    """Fields of a stay to set; those that are absent stay as they are. Days are the property's own."""

    guests: list[UUID]
    arrival: date | None
    departure: date | None
    room: str | None
    status: StayStatus
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WhichStays:
    """Which stays to list; None: any. `first` and `last`: those of which a day is in that span."""

    guest_id: UUID | None = None
    status: StayStatus | None = None
    first: date | None = None
    last: date | None = None
    source: str | None = None
    reservation: str | None = None


class BadDates(ValueError):
    """The two days do not make a stay; its message says what was expected."""


def check_dates(arrival: date | None, departure: date | None) -> None:
    """Raises BadDates where somebody would leave before they come, or stay longer than is kept apart."""
    if arrival is None or departure is None:
        return
    if departure < arrival:
        raise BadDates("expected a day that is not before the arrival")
    if departure - arrival > LONGEST:
        raise BadDates(f"expected a day at most {LONGEST.days} days after the arrival")
