"""Conversations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas import inbound, messages
from api.schemas.fields import ChannelWord, GuestId, Page, Paging, Shown, id_pattern
from api.schemas.inbound import InboundMessage
from api.schemas.messages import OutboundMessage
from bellhop.domain.conversations import MOST_UNREAD
from bellhop.domain.ids import Prefix

StatusWord = Literal["open", "snoozed", "closed"]
FamilyWord = Literal["stay", "phone", "email", "app"]
StayId = Annotated[str, Field(pattern=id_pattern(Prefix.STAY))]
Assignee = Annotated[str, Field(min_length=1, max_length=200)]

EXAMPLE: dict[str, Any] = {
    "id": "cvs_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "stay_id": "sty_01kaj3q5d8f9g0h1j2k3m4n5p6",
    "guest_id": None,
    "family": "stay",
    "channel": "sms",
    "status": "open",
    "snoozed_until": None,
    "closed_at": None,
    "assigned_to": "front-desk",
    "tags": ["late arrival"],
    "participants": [
        {"side": "property", "guest_id": None, "name": None, "address": None},
        {"side": "guest", "guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3", "name": "Jordan Mitchell", "address": None},
    ],
    "unread": 0,
    "read_marks": {
        "property": {"message_id": "imsg_01kaj3p0m5e6s7t8v9w0x1y2z3", "at": "2026-03-15T10:02:00.000000Z"},
        "guest": {"message_id": None, "at": None},
    },
    "last_message": {
        **messages.EXAMPLE,
        "conversation_id": "cvs_01kaj3p0m5e6s7t8v9w0x1y2z3",
        "stay_id": "sty_01kaj3q5d8f9g0h1j2k3m4n5p6",
        "direction": "outbound",
    },
    "last_message_at": "2026-03-15T10:00:00.981132Z",
    "created_at": "2026-03-15T09:58:00.000000Z",
    "updated_at": "2026-03-15T10:02:00.000000Z",
}


class SentEntry(OutboundMessage):
    """A message to the guest."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE["last_message"]]}}

    direction: Literal["outbound"]


class ReceivedEntry(InboundMessage):
    """A message of the guest."""

    model_config = {"json_schema_extra": {"examples": [{**inbound.EXAMPLE, "direction": "inbound"}]}}

    direction: Literal["inbound"]


Entry = Annotated[SentEntry | ReceivedEntry, Field(discriminator="direction")]
"""A message of a conversation, either way."""


class EntryPage(Page[Entry]):
    """One page of a conversation's messages."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "data": [EXAMPLE["last_message"]],
                    "total": 1,
                    "total_exact": True,
                    "limit": 50,
                    "offset": 0,
                    "has_more": False,
                    "next_cursor": None,
                }
            ]
        }
    }


class Participant(Shown):
    """Somebody who takes part."""

    side: Literal["property", "guest"]
    guest_id: str | None
    name: str | None
    address: Annotated[str | None, Field(description="Of a guest whom nobody knows: where they wrote from.")]


class ReadMark(Shown):
    """Up to where one side has read what the other wrote."""

    message_id: Annotated[str | None, Field(description="The last that was read; null: none, as far as is known.")]
    at: datetime | None


class ReadMarks(Shown):
    """Up to where each side has read."""

    property: ReadMark
    guest: Annotated[ReadMark, Field(description="By the channel's read receipts.")]


class Conversation(Shown):
    """What a property and its guests write to each other: of one stay, else with one guest."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.CONVERSATION))]
    property_id: str
    stay_id: Annotated[str | None, Field(description="The stay it is about; null: none.")]
    guest_id: Annotated[
        str | None, Field(description="Whom it is with, where it is about no stay; null too: nobody that is known.")
    ]
    family: Annotated[
        FamilyWord,
        Field(
            description="`stay`: it has every channel. Outside of a stay a guest has one each for `phone` (SMS, "
            "WhatsApp, iMessage), `email` and `app` (in_app, push)."
        ),
    ]
    channel: Annotated[ChannelWord | None, Field(description="That of its newest message.")]
    status: StatusWord
    snoozed_until: datetime | None
    closed_at: datetime | None
    assigned_to: Annotated[str | None, Field(description="Who sees to it, as the property calls them.")]
    tags: list[str]
    participants: list[Participant]
    unread: Annotated[
        int,
        Field(
            ge=0, le=MOST_UNREAD, description=f"The guest's messages after the property's mark; {MOST_UNREAD}: or more."
        ),
    ]
    read_marks: ReadMarks
    last_message: Entry | None
    last_message_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ListConversations(Paging):
    """Which conversations."""

    status: Annotated[StatusWord | None, Field(description="Only those that stand so.")] = None
    unread: Annotated[bool | None, Field(description="Only those with, or without, something unread.")] = None
    assigned_to: Annotated[Assignee | None, Field(description="Only those that they see to.")] = None
    assigned: Annotated[bool | None, Field(description="Only those that somebody, or nobody, sees to.")] = None
    guest_id: Annotated[GuestId | None, Field(description="Only those of this guest, and of their stays.")] = None
    stay_id: Annotated[StayId | None, Field(description="Only that of this stay.")] = None
    channel: Annotated[
        ChannelWord | None, Field(description="Only those whose newest message went over this channel.")
    ] = None


class ListEntries(Paging):
    """Which messages of a conversation."""

    order: Annotated[Literal["newest", "oldest"], Field(description="Which come first.")] = "newest"
