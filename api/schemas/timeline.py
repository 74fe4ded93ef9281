"""A message's timeline on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.fields import Shown
from api.schemas.messages import EXAMPLE, StatusWord


class TimelineEntry(Shown):
    """One thing that happened to a message. Further fields depend on what it was."""

    at: datetime
    what: Annotated[
        str, Field(description="e.g. message.queued, attempt.accepted, receipt.delivered, webhook.delivered")
    ]


class Timeline(Shown):
    """What became of a message and why, in the order of time."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "message_id": EXAMPLE["id"],
                    "status": "sent",
                    "data": [
                        {"at": "2026-03-15T10:00:00.981132Z", "what": "message.queued"},
                        {"at": "2026-03-15T10:00:01.204518Z", "what": "attempt.accepted", "provider": "twilio",
                         "provider_id": "SM0123456789abcdef0123456789abcdef"},
                        {"at": "2026-03-15T10:00:01.204518Z", "what": "message.sent"},
                    ],
                }
            ]
        }
    }  # fmt: skip

    message_id: str
    status: StatusWord
    data: list[TimelineEntry]
