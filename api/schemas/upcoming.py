"""What is to go out, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.fields import ChannelWord, Paging, Shown
from api.schemas.messages import EXAMPLE, CategoryWord


class ListUpcoming(Paging):
    """Which of them."""

    limit: Annotated[int, Field(ge=1, le=50, description="Most results in one answer.")] = 20


class UpcomingReason(Shown):
    """Why a message does not go out, or not when it was due."""

    code: Annotated[str, Field(description="A word that programs can rely on, e.g. quiet_hours.")]
    message: Annotated[str, Field(description="A sentence for the front desk.")]


class UpcomingStep(UpcomingReason):
    """A channel by which a message cannot go out."""

    channel: ChannelWord


class UpcomingMessage(Shown):
    """A message that is to go out, and what becomes of it as far as that can be said now."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "message_id": EXAMPLE["id"],
                    "guest_id": EXAMPLE["guest_id"],
                    "channel": "sms",
                    "category": "marketing",
                    "step": 0,
                    "outlook": "goes_out",
                    "at": "2026-03-16T12:00:00.000000Z",
                    "reason": {
                        "code": "quiet_hours",
                        "message": "waits until 08:00 in the guest's time zone (by the country or region of the "
                        "guest's number), because the property leaves guests alone there from 21:00 to 08:00",
                    },
                    "instead_of": [],
                }
            ]
        }
    }

    message_id: str
    guest_id: str | None
    channel: Annotated[ChannelWord, Field(description="By which it goes out.")]
    category: CategoryWord
    step: Annotated[int, Field(description="At which of its steps, from 0.")]
    outlook: Annotated[
        Literal["goes_out", "waits", "does_not"],
        Field(description="`waits`: for something of which nobody knows when it is over."),
    ]
    at: Annotated[datetime | None, Field(description="When it goes out, or fails.")]
    reason: UpcomingReason | None
    instead_of: Annotated[list[UpcomingStep], Field(description="The channels of earlier steps, and why not by them.")]
