"""What guests write, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.fields import ChannelWord, Shown, Strict, id_pattern
from api.schemas.timeline import TimelineEntry
from bellhop.domain.ids import Prefix

EXAMPLE: dict[str, Any] = {
    "id": "imsg_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "property_id": "pty_01kaj2b1c3d4e5f6g7h8j9k0m1",
    "guest_id": "gst_01kaj2x5a6b7c8d9e0f1g2h3j4",
    "conversation_id": "cvs_01kaj2y7k8m9n0p1q2r3s4t5v6",
    "stay_id": None,
    "channel": "sms",
    "sender": "+13055551234",
    "recipient": "+13055550100",
    "subject": None,
    "content": "The lamp by the window is broken.",
    "media": [
        {
            "state": "kept",
            "url": "https://bellhop.example/m/AZq…/file.jpg",
            "content_type": "image/jpeg",
            "filename": "file.jpg",
            "size": 81_204,
            "asset_id": "ast_01kaj3p1n6f7t8v9w0x1y2z3a4",
            "problem": None,
        }
    ],
    "media_count": 1,
    "button": None,
    "location": None,
    "profile": None,
    "replied_to": None,
    "group": None,
    "service": None,
    "was_downgraded": None,
    "matched_by": None,
    "original": None,
    "automatic": False,
    "sent_at": "2026-03-15T10:00:00.000000Z",
    "created_at": "2026-03-15T10:00:00.981132Z",
}


class InboundMediaProblem(Shown):
    """Why there is no copy of a file."""

    code: Annotated[str, Field(examples=["too_large"])]
    message: Annotated[str, Field(description="A sentence for the front desk.")]


class InboundMedia(Shown):
    """A file that a guest sent."""

    state: Annotated[
        Literal["pending", "kept", "failed", "at_provider"],
        Field(
            description="`pending`: it is being fetched from the provider. `kept`: it is at `url`. `failed`: `problem` "
            "says why there is none. `at_provider`: an earlier version left it there, and `url` takes the account's "
            "credentials."
        ),
    ]
    url: Annotated[
        str | None,
        Field(description="Where the file is, for whoever knows this address, as long as it is kept. Without a key."),
    ]
    content_type: Annotated[
        str | None, Field(description="Once it is kept: told from its bytes. Before: what its sender says.")
    ]
    filename: str | None
    size: Annotated[int | None, Field(description="Bytes.")]
    asset_id: Annotated[str | None, Field(description="The file as an asset, which may be sent on or deleted.")]
    problem: InboundMediaProblem | None


class InboundButton(Shown):
    """A button that a guest pressed."""

    text: str | None
    payload: str | None


class InboundLocation(Shown):
    """A place that a guest sent, in degrees."""

    latitude: float
    longitude: float
    address: str | None
    label: str | None


class InboundProfile(Shown):
    """A guest's profile on a channel."""

    name: str | None
    id: str | None


class InboundGroup(Shown):
    """The group chat that a guest wrote in."""

    id: str | None
    name: str | None
    members: Annotated[int | None, Field(description="How many are in it, where the provider says so.")]


class InboundMessage(Shown):
    """What a guest wrote to the property."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: str
    property_id: str
    guest_id: str | None
    conversation_id: Annotated[str | None, Field(description="The conversation that it belongs to.")]
    stay_id: Annotated[
        str | None, Field(description="The stay that it is about: the guest's that is under way or nearest.")
    ]
    channel: ChannelWord
    sender: str
    recipient: str
    subject: Annotated[str | None, Field(description="Of a mail.")]
    content: Annotated[
        str,
        Field(description="The text, of a mail what is new in it; empty where the guest sent none, a picture only."),
    ]
    media: Annotated[
        list[InboundMedia],
        Field(description="Files, at most 10. `message.received` waits up to ten seconds for them to be fetched."),
    ]
    media_count: Annotated[int, Field(description="How many files the provider speaks of.")]
    button: Annotated[InboundButton | None, Field(description="The button or list row that the guest chose.")]
    location: InboundLocation | None
    profile: Annotated[InboundProfile | None, Field(description="Who the guest is on that channel, as they say it.")]
    replied_to: Annotated[str | None, Field(description="The provider's id of the message they answered.")]
    group: Annotated[
        InboundGroup | None,
        Field(description="The group chat it was written in, where it was: an answer goes to its writer alone."),
    ]
    service: Annotated[
        Literal["imessage", "rcs", "sms"] | None,
        Field(description="By what it came, where the provider says so: channel `imessage`."),
    ]
    was_downgraded: Annotated[
        bool | None, Field(description="Whether it came by something plainer than iMessage. Null: nobody says so.")
    ]
    matched_by: Annotated[
        Literal["stay", "written_to", "answered", "moved"] | None,
        Field(
            description="Of several guests with that address it is the one whose stay is under way or nearest, "
            "or who was written to last; whatever the address, the one whose message a mail answers, by its reply "
            "address or its id; `moved`: somebody said whose it is. Null: there was no choice to make."
        ),
    ]
    original: Annotated[
        str | None,
        Field(description="All of a mail's text, with what it quotes. Null: it is the same as `content`."),
    ]
    automatic: Annotated[
        bool,
        Field(
            description="A program wrote it, or a mailing list passed it on: an absence notice, a bounce. It changes "
            "no consent, and is not looked at for intents."
        ),
    ]
    sent_at: Annotated[datetime | None, Field(description="When it was written, where the provider says so.")]
    created_at: datetime


class InboundTimeline(Shown):
    """What became of a guest's message, in the order of time."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "message_id": "imsg_01kaj3p0m5e6s7t8v9w0x1y2z3",
                    "data": [
                        {"at": "2026-03-15T10:00:00.981132Z", "what": "message.received"},
                        {"at": "2026-03-15T10:00:01.204518Z", "what": "media.kept", "file": 1,
                         "detail": "the file was fetched from the provider, checked and kept"},
                    ],
                }
            ]
        }
    }  # fmt: skip

    message_id: str
    data: list[TimelineEntry]


class MoveMessage(Strict):
    """To whom a guest's message is moved."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3", "reason": "It was her husband who wrote."}]
        }
    }

    guest_id: Annotated[str, Field(pattern=id_pattern(Prefix.GUEST), description="Who wrote it.")]
    reason: Annotated[str | None, Field(max_length=500, description="Why, for the record.")] = None
