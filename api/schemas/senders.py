"""Senders on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.fields import ChannelWord, Shown, Strict, id_pattern
from bellhop.domain.ids import Prefix

EXAMPLE: dict[str, Any] = {
    "id": "snd_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "account_id": "acc_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "provider": "twilio",
    "channel": "sms",
    "address": "+13055550100",
    "name": None,
    "used": True,
    "standby": False,
}


class ChangeSender(Strict):
    """What of a sender can be changed."""

    model_config = {"json_schema_extra": {"examples": [{"standby": True}]}}

    standby: Annotated[
        bool,
        Field(
            description="Whether it takes over where the sender that its channel uses surely did not take a message: "
            "its account is held, or did not take it three times. Not on `whatsapp`, where the window of 24 hours is "
            "that of one sender."
        ),
    ]


class PropertySender(Shown):
    """An address that messages go out from."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.SENDER))]
    account_id: Annotated[str, Field(pattern=id_pattern(Prefix.ACCOUNT))]
    provider: str
    channel: ChannelWord
    address: str
    name: str | None
    used: Annotated[bool, Field(description="Whether its channel goes out from it.")]
    standby: Annotated[bool, Field(description="Whether it takes over where that one did not take a message.")]
