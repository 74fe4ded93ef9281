"""Conversations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from api.schemas import inbound, links, messages
from api.schemas.fields import (
    VISIBLE,
    ChannelWord,
    DueTime,
    GuestId,
    MessageMetadata,
    Page,
    Paging,
    Shown,
    Strict,
    id_pattern,
    wrong,
)
from api.schemas.inbound import InboundMessage
from api.schemas.media import MediaItem
from api.schemas.messages import OutboundMessage
from api.schemas.templates import TemplateUse
from bellhop.domain.content import MAX_CONTENT
from bellhop.domain.conversations import LONGEST_NOTE, MOST_TAGS, MOST_UNREAD
from bellhop.domain.ids import Prefix
from bellhop.domain.media import MOST_MEDIA
from bellhop.domain.text import visible

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


Tag = Annotated[str, Field(min_length=1, max_length=100), VISIBLE]


class ChangeConversation(Strict):
    """Fields to change; those left out stay, tags are replaced."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"assigned_to": "front-desk", "tags": ["late arrival"]},
                {"status": "snoozed", "snoozed_until": "2026-03-16T09:00:00Z"},
                {"status": "closed"},
            ]
        }
    }

    status: Annotated[
        StatusWord,
        Field(description="`snoozed` needs `snoozed_until`. What a guest writes opens it again."),
    ] = "open"
    snoozed_until: Annotated[
        DueTime | None, Field(description="Until when it is put aside; by itself it makes it `snoozed`. Null: no more.")
    ] = None
    assigned_to: Annotated[Assignee | None, Field(description="Who sees to it, in your own words; null: nobody.")] = (
        None
    )
    tags: Annotated[list[Tag], Field(max_length=MOST_TAGS, description="Replaced as a whole.")] = []


class ReadConversation(Strict):
    """Up to where the property has read."""

    model_config = {"json_schema_extra": {"examples": [{}, {"message_id": "imsg_01kaj3p0m5e6s7t8v9w0x1y2z3"}]}}

    message_id: Annotated[
        str | None,
        Field(pattern=id_pattern(Prefix.INBOUND), description="The last of the guest's that was read; left out: all."),
    ] = None


SubjectLine = Annotated[str, Field(min_length=1, max_length=998, pattern=r"^[^\x00-\x1f\x7f]*$"), VISIBLE]


class ReplyRequest(Strict):
    """A reply in a conversation."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"content": "Of course, the garage is open all night."},
                {"content": "Your invoice is attached.", "channel": "email", "subject": "Your invoice"},
            ]
        }
    }

    content: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_CONTENT,
            description="Left out only with a `template`, or where `media` can go without a text.",
        ),
    ] = None
    channel: Annotated[
        ChannelWord | None,
        Field(description="How it goes. Left out: as the guest wrote last, else as they were last written to."),
    ] = None
    subject: Annotated[
        SubjectLine | None, Field(description="E-mail only. Left out: that of the last mail, after `Re:`.")
    ] = None
    template: Annotated[
        TemplateUse | None, Field(description="A template of the property instead of `content`, and its parameters.")
    ] = None
    media: Annotated[
        list[MediaItem] | None,
        Field(
            min_length=1,
            max_length=MOST_MEDIA,
            description="Files that go with it, as far as the channel carries them.",
        ),
    ] = None
    metadata: Annotated[MessageMetadata | None, Field(description="Your own keys and values.")] = None
    short_links: links.Asked = None
    link_tracking: links.Tracked = None

    @field_validator("content")
    @classmethod
    def _content(cls, value: str | None) -> str | None:
        if value is not None and not visible(value):
            raise wrong("content", "expected some text")
        return value

    @field_validator("template")
    @classmethod
    def _template(cls, value: TemplateUse | None, info: ValidationInfo) -> TemplateUse | None:
        if value is not None and info.data.get("content") is not None:
            raise wrong("template", "expected `content` or a `template`, not both")
        return value


NOTE: dict[str, Any] = {
    "id": "nte_01kaj3p6zve5jvqzkqdk1w4yb2",
    "conversation_id": "cvs_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "author": "Ana",
    "key_id": "key_01kaj3p6zve5jvqzkqdk1w4yb2",
    "content": "Prefers the garden side.",
    "created_at": "2026-03-15T10:05:00.000000Z",
}


class AddNote(Strict):
    """Something to note beside a conversation. Guests never see it."""

    model_config = {"json_schema_extra": {"examples": [{"content": NOTE["content"], "author": "Ana"}]}}

    content: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE), VISIBLE]
    author: Annotated[Assignee | None, Field(description="Who writes it, in your own words.")] = None


class Note(Shown):
    """What the property noted beside a conversation."""

    model_config = {"json_schema_extra": {"examples": [NOTE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.NOTE))]
    conversation_id: str
    author: str | None
    key_id: Annotated[str | None, Field(description="The API key that it was written with.")]
    content: str
    created_at: datetime
