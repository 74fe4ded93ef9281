"""A text on a phone, whichever way it goes, as the database has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

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


@dataclass(slots=True)
class ChannelText(TextRow):
    """The same of a property's channel at Bird, which is one of its senders."""

    sender_id: UUID | None = None
    """That sender: the one of `line`, else (while that is not known, or where it is gone) the usual one. None: none is
    left."""
    tries: int = 0
    """How often it was tried."""
    provider: str | None = None
    """Through whom it goes."""
    provider_ids: list[str] = field(default_factory=list)
    """What that calls its parts, as far as it has said."""
    now: datetime | None = None
    """The database's clock at the beginning of the transaction that read this."""

    @property
    def channel_id(self) -> UUID:
        """What Bird's clients call the channel."""
        return self.sender_id or uuid5(self.property_id, self.channel.value)
