"""What operators do by hand, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from api.schemas.fields import Shown, Strict, id_pattern, wrong
from api.schemas.messages import ChannelWord
from bellhop.domain.ids import Prefix
from bellhop.domain.text import visible


def _some(value: str) -> str:
    if not visible(value):
        raise wrong("reason", "expected some text")
    return value.strip()


Reason = Annotated[str, Field(min_length=1, max_length=500, description="Why, for the record."), AfterValidator(_some)]


class WithReason(Strict):
    """Why something is done."""

    model_config = {"json_schema_extra": {"examples": [{"reason": "The guest has corrected their number."}]}}

    reason: Reason


class Sender(Shown):
    """An address that messages go out from."""

    channel: ChannelWord
    address: str
    name: str | None
    used: Annotated[bool, Field(description="Whether its channel goes out from it; else it only receives answers.")]


class Account(Shown):
    """A provider account that messages go through. No secrets."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "acc_01kaj3nm2xf7k8c9d0e1f2g3h4",
                    "environment": "live",
                    "provider": "twilio",
                    "identity": "AC0123456789abcdef0123456789abcdef",
                    "health": "held",
                    "held_since": "2026-03-15T10:00:00.000000Z",
                    "held_code": "20003",
                    "waiting": 12,
                    "rotating": False,
                    "senders": [{"channel": "sms", "address": "+13055550100", "name": None, "used": True}],
                }
            ]
        }
    }

    id: Annotated[str, Field(pattern=id_pattern(Prefix.ACCOUNT))]
    environment: Literal["test", "live"]
    provider: str
    identity: str
    health: Literal["ok", "held"]
    held_since: datetime | None
    held_code: Annotated[
        str | None,
        Field(description="The provider's code, `credentials_unreadable`, or `operator`: held by hand."),
    ]
    waiting: Annotated[int, Field(description="How many messages wait for it.")]
    rotating: Annotated[bool, Field(description="Whether callbacks signed with earlier credentials are accepted.")]
    senders: list[Sender]
