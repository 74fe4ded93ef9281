"""Senders on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.fields import ChannelWord, Name, Shown, Strict, id_pattern
from bellhop.domain.ids import Prefix

EXAMPLE: dict[str, Any] = {
    "id": "snd_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "account_id": "acc_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "provider": "twilio",
    "channel": "sms",
    "address": "+13055550100",
    "name": None,
    "default": True,
    "standby": False,
    "rate": 1.0,
}

ShownName = Annotated[Name | None, Field(description="Shown beside the address, on `email`; null: none.")]
Standby = Annotated[
    bool,
    Field(
        description="Whether it takes over where the sender that its channel uses surely did not take a message: "
        "its account is held or refuses, or did not take it three times. Not on `whatsapp`, where the window of 24 "
        "hours is that of one sender."
    ),
]
Rate = Annotated[
    Annotated[float, Field(ge=0.01, le=1000, allow_inf_nan=False)] | None,
    Field(
        description="Calls a second, at the most; null: only what the account takes. What comes faster waits: what is "
        "urgent goes out first, then the oldest. Properties that share the sender share its pace, where each has set "
        "its rate."
    ),
]


class CreateSender(Strict):
    """A sender that the property has at its provider."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"channel": "sms", "address": "+13055550188"},
                {"channel": "email", "address": "spa@example.com"},
            ]
        }
    }

    channel: ChannelWord
    address: Annotated[
        str,
        Field(
            min_length=1,
            max_length=320,
            description="By the rules of the account's provider. Twilio: a number in E.164 form, a Messaging Service "
            "(`MG…`), on `sms` also an alphanumeric sender. SendGrid: a verified address. Sendblue: a line's number. "
            "APNs: an app's bundle id.",
        ),
    ]
    account_id: Annotated[
        str | None,
        Field(
            pattern=id_pattern(Prefix.ACCOUNT),
            description="Which of `GET /v1/accounts` it belongs to. Left out: the only one that carries the channel.",
        ),
    ] = None
    name: ShownName = None
    standby: Standby = False
    default: Annotated[
        bool, Field(description="Whether its channel uses it from now on. The first of a channel always is.")
    ] = False
    rate: Annotated[
        Rate,
        Field(
            description="Calls a second, at the most; null: only what the account takes. Left out: what its kind "
            "takes, where that is certain: 1 for a number of the United States or Canada, 80 for a WhatsApp number; "
            "else null."
        ),
    ] = None


class ChangeSender(Strict):
    """Fields to change; those left out stay."""

    model_config = {"json_schema_extra": {"examples": [{"default": True}, {"rate": 1}, {"name": None, "rate": None}]}}

    name: ShownName = None
    standby: Standby = False
    default: Annotated[
        bool,
        Field(description="True: its channel uses it from now on, instead of the one before. There is no false."),
    ] = True
    rate: Rate = None


class SetStandby(Strict):
    """Whether a sender stands by."""

    model_config = {"json_schema_extra": {"examples": [{"standby": True}]}}

    standby: Standby


class PropertySender(Shown):
    """An address that messages go out from."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.SENDER))]
    account_id: Annotated[str, Field(pattern=id_pattern(Prefix.ACCOUNT))]
    provider: str
    channel: ChannelWord
    address: str
    name: str | None
    default: Annotated[bool, Field(description="Whether its channel uses it.")]
    standby: Annotated[bool, Field(description="Whether it takes over where that one did not take a message.")]
    rate: Annotated[float | None, Field(description="Calls a second, at the most; null: only what the account takes.")]
