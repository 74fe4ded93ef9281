"""A text on a phone, whichever way it goes, as the database has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bellhop.domain.rows.messages import PublicMessage


@dataclass(slots=True)
class TextRow(PublicMessage):
    """A row of `messages` on one of the channels `channels.TEXTS`."""

    direction: str
    """`outbound` or `inbound`."""
    address_hash: bytes | None = field(repr=False)
    """Of the guest's number."""
    line: str | None = field(repr=False)
    """The property's own number: which it last went out from, or came to. None: not known yet."""
    updated_at: datetime
    opted_out: bool = False
    """Whether the guest's number wants no messages now."""

    @property
    def is_outbound(self) -> bool:
        """Whether it goes to the guest."""
        return self.direction == "outbound"

    @property
    def number(self) -> str | None:
        """The guest's number."""
        return self.recipient if self.is_outbound else self.sender
