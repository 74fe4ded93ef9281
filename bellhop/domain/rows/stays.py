"""Stays as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from bellhop.domain.stays import StayStatus


@dataclass(frozen=True, slots=True)
class StayRow:
    """A row of `stays` with its guests, the one who booked first. Its repr shows nothing personal."""

    id: UUID
    scope_id: UUID
    property_id: UUID
    source: str
    reservation: str
    status: StayStatus
    arrival: date | None
    departure: date | None
    room: str | None = field(repr=False)
    details: dict[str, Any] = field(repr=False)
    guests: list[UUID]
    ended_at: datetime | None
    """When it was last said to be over; None: it is not."""
    created_at: datetime
    updated_at: datetime
