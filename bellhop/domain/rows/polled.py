"""What lies in the conversations of stays until the other side polls it, as the database has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from bellhop.domain.conversations import Side
from bellhop.domain.stays import StayStatus


@dataclass(slots=True)
class Thread:
    """A stay, and its conversation if there is one. Its repr shows nothing personal."""

    stay_id: UUID
    reservation: str = field(repr=False)
    conversation_id: UUID | None
    guests: list[UUID]
    """Who booked first."""
    status: StayStatus
    departure: date | None
    ended_on: date | None
    today: date
    """Where the property is, as all of its days."""
    answered: date | None
    """The day of the guest's last message."""


@dataclass(slots=True)
class Unconfirmed:
    """A message that the other side has not confirmed yet."""

    id: UUID
    direction: str
    content: str | None = field(repr=False)
    details: dict[str, Any] | None = field(repr=False)
    conversation_id: UUID
    reservation: str = field(repr=False)
    guest_id: UUID | None
    name: str | None = field(repr=False)
    """That of its guest."""
    at: datetime

    @property
    def side(self) -> Side:
        """Who wrote it."""
        return side_of(self.direction)


@dataclass(slots=True)
class Attachment:
    """A picture of a conversation."""

    id: UUID
    content_type: str
    size: int
    """Bytes."""
    filename: str | None = field(repr=False)


def side_of(direction: str) -> Side:
    """Who wrote a message."""
    return Side.GUEST if direction == "inbound" else Side.PROPERTY
