"""What addresses allow, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from api.schemas.fields import Instant, Page, Paging, Shown, Strict, id_pattern, wrong
from api.schemas.messages import ChannelWord
from bellhop.domain.ids import Prefix
from bellhop.domain.text import visible

KindWord = Literal["phone", "email", "guest", "device", "whatsapp_user_id"]
ActionWord = Literal["opt_out", "opt_in"]
PurposeWord = Literal["all", "marketing"]
CauseWord = Literal[
    "opt_out", "opt_in", "unsubscribe", "group_unsubscribe", "group_resubscribe", "complaint", "hard_bounce",
    "provider_refusal", "operator_opt_out", "operator_opt_in",
]  # fmt: skip

Address = Annotated[
    str, Field(min_length=1, max_length=4096, description="As the recipient of a message on `channel`.")
]

EXAMPLE: dict[str, Any] = {
    "id": "cns_01kaj3p6zve5jvqzkqdk1w4yb2",
    "kind": "email",
    "address": "jordan.mitchell@example.com",
    "action": "opt_out",
    "cause": "hard_bounce",
    "purpose": "all",
    "group": None,
    "in_force": True,
    "channel": "email",
    "sender": "stay@grand-sunset.example",
    "source": "sendgrid bounce",
    "actor": None,
    "reason": None,
    "occurred_at": "2026-03-15T10:00:03.000000Z",
    "created_at": "2026-03-15T10:00:05.204518Z",
}


class SetConsent(Strict):
    """What an operator says of an address."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "channel": "email",
                    "address": "jordan.mitchell@example.com",
                    "action": "opt_in",
                    "reason": "The mailbox was full; the guest has made room and asked for the confirmation again.",
                }
            ]
        }
    }

    channel: Annotated[
        ChannelWord,
        Field(description="Says what sort of address it is; the consent binds every channel that writes to such."),
    ]
    address: Address
    action: Annotated[
        ActionWord,
        Field(description="`opt_out`: nothing is sent there. `opt_in`: it may be written to again, whatever was said."),
    ]
    purpose: Annotated[
        PurposeWord,
        Field(
            description="What it is about: everything, or messages of the category `marketing` only. What was said of "
            "marketing, only something said of marketing lifts."
        ),
    ] = "all"
    reason: Annotated[str, Field(min_length=1, max_length=500, description="Why, for the record.")]

    @field_validator("reason")
    @classmethod
    def _reason(cls, value: str) -> str:
        if not visible(value):
            raise wrong("reason", "expected some text")
        return value.strip()


class SetGuestConsent(Strict):
    """What a guest said at the desk or on a form, or what an operator says, of one of the guest's addresses."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "channel": "email",
                    "action": "opt_in",
                    "purpose": "marketing",
                    "source": "registration_card",
                    "occurred_at": "2026-03-15T10:00:03Z",
                }
            ]
        }
    }

    channel: Annotated[
        ChannelWord,
        Field(description="Says what sort of address it is; the consent binds every channel that writes to such."),
    ]
    address: Annotated[
        Address | None,
        Field(description="One of the guest's; left out: the e-mail address or phone of the profile, by the channel."),
    ] = None
    action: Annotated[
        ActionWord,
        Field(description="`opt_out`: nothing is sent there. `opt_in`: it may be written to again, whatever was said."),
    ]
    purpose: Annotated[PurposeWord, Field(description="What it is about: everything, or marketing only.")] = "all"
    source: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9_.-]{0,39}$", description="Where you have it from, as a word: front_desk, web_form …"
        ),
    ] = "api"
    reason: Annotated[str | None, Field(min_length=1, max_length=500, description="Why, for the record.")] = None
    occurred_at: Annotated[
        Instant | None,
        Field(description="When it was said: this order counts. A time to come counts as now, as null does."),
    ] = None

    @field_validator("reason")
    @classmethod
    def _reason(cls, value: str | None) -> str | None:
        if value is not None and not visible(value):
            raise wrong("reason", "expected some text")
        return value.strip() if value else None


class ListConsents(Paging):
    """Of which address."""

    channel: Annotated[ChannelWord, Field(description="Says what sort of address it is.")]
    address: Address


class Consent(Shown):
    """One thing that was said of an address."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.CONSENT))]
    kind: KindWord
    address: str
    action: ActionWord
    cause: Annotated[CauseWord, Field(description="What happened: who said it, or what a provider reported.")]
    purpose: Annotated[PurposeWord, Field(description="What it is about: everything, or marketing only.")]
    group: Annotated[str | None, Field(description="The provider's unsubscribe group, where it is about one.")]
    in_force: Annotated[
        bool,
        Field(description="True for a refusal that nothing said later has lifted for all of the property's senders."),
    ]
    channel: Annotated[ChannelWord | None, Field(description="That of `sender`.")]
    sender: Annotated[
        str | None,
        Field(
            description="Which of the property's senders it was said to, or of. A refusal binds all of them; a START "
            "to another sender than this lifts it for that one alone, where the carrier keeps STOP for each. Null: "
            "none, or nobody knows."
        ),
    ]
    source: Annotated[str, Field(description="Where it is known from: guest, api, cli, or a provider and its word.")]
    actor: Annotated[str | None, Field(description="Who set it, where an operator did: a key's id, or cli:name.")]
    reason: str | None
    occurred_at: Annotated[datetime, Field(description="When it was said: this order counts.")]
    created_at: Annotated[datetime, Field(description="When it came to be known.")]


class AllowedFrom(Shown):
    """One of the property's senders."""

    channel: ChannelWord
    sender: str


FROM = (
    "Where it is not allowed: the senders from which messages go out all the same, since the guest said START to them "
    "and the STOP was said to another."
)


class ConsentPage(Page[Consent]):
    """What was said of an address, the last first, and what follows."""

    allowed: Annotated[bool, Field(description="Whether messages go out to it, marketing aside.")]
    refused_by: Annotated[list[CauseWord], Field(description="Why not: the refusals in force, the last said first.")]
    marketing_allowed: Annotated[bool, Field(description="Whether messages of the category `marketing` do as well.")]
    allowed_from: Annotated[list[AllowedFrom], Field(description=FROM)]


class GuestAddress(Shown):
    """One of a guest's addresses, and what it allows."""

    kind: KindWord
    address: str
    allowed: Annotated[bool, Field(description="Whether messages go out to it, marketing aside.")]
    refused_by: Annotated[list[CauseWord], Field(description="Why not: the refusals in force, the last said first.")]
    marketing_allowed: Annotated[bool, Field(description="Whether messages of the category `marketing` do as well.")]
    allowed_from: Annotated[list[AllowedFrom], Field(description=FROM)]


class GuestConsentPage(Page[Consent]):
    """What was said of a guest's addresses, the last first, and what follows for each of them."""

    addresses: Annotated[
        list[GuestAddress],
        Field(description="Those of the profile, and those the guest was written to or wrote from."),
    ]
