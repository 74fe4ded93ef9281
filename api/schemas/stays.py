"""Stays on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from api.schemas.fields import VISIBLE, GuestId, JsonObject, Paging, Shown, Strict, id_pattern, wrong
from bellhop.domain.ids import Prefix
from bellhop.domain.stays import MOST_GUESTS, StayStatus

EXAMPLE: dict[str, Any] = {
    "id": "sty_01kaj3q5d8f9g0h1j2k3m4n5p6",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "source": "pms",
    "reservation": "R-88213",
    "status": "booked",
    "arrival": "2027-03-15",
    "departure": "2027-03-19",
    "room": "412",
    "guests": ["gst_01kaj3p0m5e6s7t8v9w0x1y2z3"],
    "details": {"rate": "flexible"},
    "created_at": "2026-03-15T10:00:00.000000Z",
    "updated_at": "2026-03-15T10:00:00.000000Z",
}
_EARLIEST, _LATEST = date(1970, 1, 1), date(9000, 1, 1)


def _day(value: Any) -> Any:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not _EARLIEST <= day <= _LATEST:
        raise wrong("date", "expected a day such as 2027-03-15")
    return day


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A day where the property is."""


Guests = Annotated[
    list[GuestId],
    Field(max_length=MOST_GUESTS, description="Who stays; the one who booked first. Replaced as a whole."),
]
Word = Annotated[str, Field(min_length=1, max_length=255), VISIBLE]
Status = Annotated[StayStatus, Field(strict=False, description="`booked` unless said, of a new stay.")]


class CreateStay(Strict):
    """A stay to make, or to change where this source has told of the reservation before."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    name: EXAMPLE[name]
                    for name in ("source", "reservation", "status", "arrival", "departure", "room", "guests", "details")
                }
            ]
        }
    }

    source: Annotated[Word, Field(description="Which of your systems, or which platform, the reservation is of.")]
    reservation: Annotated[Word, Field(description="Its id there.")]
    guests: Guests = []
    arrival: Day | None = None
    departure: Annotated[Day | None, Field(description="Not before `arrival`.")] = None
    room: Annotated[Word | None, Field(description="A number or a name.")] = None
    status: Status = StayStatus.BOOKED
    details: Annotated[JsonObject, Field(description="Your own keys and values.")] = {}


class ChangeStay(Strict):
    """Fields to change. Those left out stay; null clears a day or the room; guests and details are replaced."""

    model_config = {"json_schema_extra": {"examples": [{"status": "in_house", "room": "415"}]}}

    guests: Guests = []
    arrival: Day | None = None
    departure: Day | None = None
    room: Word | None = None
    status: Status = StayStatus.BOOKED
    details: JsonObject = {}


class ListStays(Paging):
    """Which stays."""

    guest_id: Annotated[GuestId | None, Field(description="Of this guest.")] = None
    status: Annotated[StayStatus | None, Field(description="That stand so.")] = None
    source: Annotated[str | None, Field(max_length=255, description="Of this source.")] = None
    reservation: Annotated[str | None, Field(max_length=255, description="Of this reservation.")] = None
    first: Annotated[
        Day | None, Field(alias="from", description="With a day on or after this one; it may be the last.")
    ] = None
    last: Annotated[Day | None, Field(alias="to", description="With a day on or before this one.")] = None


class Stay(Shown):
    """When which guests are at the property."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.STAY))]
    property_id: str
    source: str
    reservation: str
    status: StayStatus
    arrival: date | None
    departure: date | None
    room: str | None
    guests: list[str]
    details: dict[str, Any]
    created_at: datetime
    updated_at: datetime
