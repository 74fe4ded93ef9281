"""What guests write, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.fields import ChannelWord, Shown


class InboundMedia(Shown):
    """A file that a guest sent."""

    url: str
    content_type: str | None


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


class InboundMessage(Shown):
    """What a guest wrote to the property."""

    id: str
    property_id: str
    guest_id: str | None
    conversation_id: str | None
    channel: ChannelWord
    sender: str
    recipient: str
    content: Annotated[str, Field(description="The text; empty where the guest sent none, a picture only.")]
    media: Annotated[
        list[InboundMedia], Field(description="Files, still with the provider, whose credentials open them.")
    ]
    media_count: Annotated[int, Field(description="How many files the provider speaks of.")]
    button: Annotated[InboundButton | None, Field(description="The button or list row that the guest chose.")]
    location: InboundLocation | None
    profile: Annotated[InboundProfile | None, Field(description="Who the guest is on that channel, as they say it.")]
    replied_to: Annotated[str | None, Field(description="The provider's id of the message they answered.")]
    matched_by: Annotated[
        Literal["stay", "written_to"] | None,
        Field(
            description="Of several guests with that address it is the one whose stay is under way or nearest, "
            "or who was written to last. Null: there was no choice to make."
        ),
    ]
    sent_at: Annotated[datetime | None, Field(description="When it was written, where the provider says so.")]
    created_at: datetime
