"""Conversations as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from bellhop.domain.channels import Channel
from bellhop.domain.conversations import ConversationStatus
from bellhop.domain.paging import PageRequest
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.stays import StayStatus


@dataclass(slots=True)
class ConversationRow:
    """A row of `conversations`, and what its messages say of it. Its repr shows nothing personal."""

    id: UUID
    scope_id: UUID
    property_id: UUID
    stay_id: UUID | None
    guest_id: UUID | None
    """Of a conversation without a stay; those of a stay are its guests."""
    contact_point_id: UUID | None
    """Of one with an address that nobody is known by."""
    guests: list[UUID]
    """Who takes part."""
    family: str
    channel: Channel | None
    """That of its newest message."""
    place: UUID
    """Where it stands among the others, by its newest message."""
    status: ConversationStatus
    snoozed_until: datetime | None
    closed_at: datetime | None
    assigned_to: str | None = field(repr=False)
    tags: list[str] = field(repr=False)
    unread: int
    """The guest's messages that the property has not read: as many as are counted, at most."""
    read_id: UUID | None
    """The last of the guest's messages that the property has read."""
    read_at: datetime | None
    seen_id: UUID | None
    """The last of the property's messages that the guest has read, as far as is known."""
    seen_at: datetime | None
    last_id: UUID | None
    """Its newest message."""
    last_message_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Participant:
    """A guest who takes part. `address`: of somebody whom nobody knows."""

    guest_id: UUID | None
    name: str | None = field(repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Entry(PublicMessage):
    """A message of a conversation, either way."""

    direction: str
    """`outbound` or `inbound`."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with those who take part, and its newest message: None where there is none, or where the time is
    over in which the property may look at it."""

    row: ConversationRow
    guests: list[Participant]
    last: Entry | None


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What the property notes beside a conversation: guests never see it. Its repr shows nothing personal."""

    id: UUID
    conversation_id: UUID
    author: str | None = field(repr=False)
    key_id: UUID | None
    content: str = field(repr=False)
    created_at: datetime


@dataclass(slots=True)
class StayEnd:
    """When a stay is over, as far as is known, in days of the property."""

    id: UUID
    status: StayStatus
    departure: date | None
    ended_on: date | None
    """When it was said to be over."""
    today: date


class ConversationFields(TypedDict, total=False):
    """Fields of a conversation to set; those that are absent stay as they are."""

    status: ConversationStatus
    snoozed_until: datetime | None
    assigned_to: str | None
    tags: list[str]


@dataclass(frozen=True, slots=True)
class WhichConversations:
    """Which conversations to list; None: any. `assigned`: whether somebody has it."""

    status: ConversationStatus | None = None
    unread: bool | None = None
    assigned_to: str | None = None
    assigned: bool | None = None
    guest_id: UUID | None = None
    stay_id: UUID | None = None
    channel: Channel | None = None
    page: PageRequest = field(default_factory=PageRequest)
