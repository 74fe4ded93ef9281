"""Broadcasts on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, ValidationInfo, field_validator, model_validator
from pydantic_core import CoreSchema

from api.schemas.fields import VISIBLE, DueTime, GuestId, Paging, Shown, Strict, id_pattern, wrong
from api.schemas.messages import CategoryWord, OutboundMessage, PriorityWord, SendRequest
from api.schemas.stays import Day
from bellhop.domain.broadcasts import FASTEST, MOST_LISTED, MOST_RECIPIENTS, PACE, USUAL_PACE
from bellhop.domain.ids import Prefix
from bellhop.domain.stays import StayStatus

OutcomeWord = Literal["pending", "refused", "queued", "sent", "delivered", "read", "failed", "cancelled", "accepted"]
StateWord = Literal["draft", "scheduled", "running", "paused", "cancelled", "finished"]
_TO_ONE = ("recipient", "recipients", "guest_id", "stay_id", "scheduled_at")
"""Fields of a message that say whom it goes to, and when: the broadcast does."""
EXAMPLE: dict[str, Any] = {
    "id": "brd_01kaj3qb2c3d4e5f6g7h8j9k0m",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "name": "Wine tasting on Friday",
    "state": "running",
    "problem": None,
    "message": {"channel": "email", "template": {"name": "wine-tasting", "parameters": {"day": "Friday"}}},
    "filter": {"stay_status": ["in_house"], "first": None, "last": None, "languages": ["en"], "search": None},
    "pace": None,
    "scheduled_at": "2026-03-19T09:00:00.000000Z",
    "started_at": "2026-03-19T09:00:00.120000Z",
    "ended_at": None,
    "created_at": "2026-03-18T15:20:00.000000Z",
    "updated_at": "2026-03-19T09:00:00.120000Z",
}
_PROGRESS: dict[str, Any] = {
    "recipients": 210,
    "pending": 90,
    "accepted": 117,
    "refused": {"no_address": 2, "duplicate": 1},
    "messages": {"queued": 3, "sent": 14, "delivered": 92, "read": 6, "failed": 2, "cancelled": 0},
}


class MessageToMany(SendRequest):
    """What each recipient gets: a message without `recipient` and time. A `template` is rendered for each of them, in
    their language."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE["message"]]}}

    category: Annotated[
        CategoryWord, Field(description="`marketing` unless said: it does not go to guests who want none.")
    ] = "marketing"
    priority: Annotated[
        PriorityWord, Field(description="`bulk` unless said: everything else of the property goes first.")
    ] = "bulk"

    @field_validator("recipient")
    @classmethod
    def _recipient(cls, value: str | None, info: ValidationInfo) -> str | None:
        return value

    @model_validator(mode="before")
    @classmethod
    def _to_nobody(cls, value: Any) -> Any:
        if isinstance(value, dict) and (given := [name for name in _TO_ONE if name in value]):
            raise wrong("recipient_unexpected", f"expected no {given[0]}: the broadcast says whom it goes to, and when")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        shown = super().__get_pydantic_json_schema__(core, handler)
        for name in _TO_ONE:
            handler.resolve_ref_schema(shown)["properties"].pop(name, None)
        return shown


def _status(value: Any) -> Any:
    return StayStatus(value) if isinstance(value, str) and value in set(StayStatus) else value


class GuestFilter(Strict):
    """Which guests: those of whom all of it is true. Left out: any. Guests who are not active are never meant."""

    stay_status: Annotated[
        list[Annotated[StayStatus, BeforeValidator(_status)]] | None,
        Field(min_length=1, max_length=5, description="They have a stay that stands so."),
    ] = None
    first: Annotated[Day | None, Field(description="Of that stay a day is this one or later.")] = None
    last: Annotated[Day | None, Field(description="Of that stay a day is this one or earlier.")] = None
    languages: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]] | None,
        Field(min_length=1, max_length=20, description="Their language is one of these; `de` is `de-AT` as well."),
    ] = None
    search: Annotated[str | None, Field(min_length=1, max_length=320, description="As `GET /v1/guests?search=`.")] = (
        None
    )

    @field_validator("last")
    @classmethod
    def _in_order(cls, value: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first")
        if value is not None and first is not None and value < first:
            raise wrong("date", "expected a day that is not before `first`")
        return value


class Audience(Strict):
    """Whom it goes to: one of the three."""

    guests: Annotated[
        list[GuestId] | None, Field(min_length=1, max_length=MOST_LISTED, description="These guests, each once.")
    ] = None
    recipients: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=320)]] | None,
        Field(
            min_length=1, max_length=MOST_LISTED, description="These addresses, as the channel takes them, each once."
        ),
    ] = None
    filter: Annotated[
        GuestFilter | None,
        Field(
            description=f"The guests that it means when it starts, at most {MOST_RECIPIENTS:,}; who comes to the "
            "property later is not among them."
        ),
    ] = None

    @model_validator(mode="after")
    def _one(self) -> Audience:
        if sum(one is not None for one in (self.guests, self.recipients, self.filter)) != 1:
            raise wrong("to", "expected one of guests, recipients and filter")
        return self


class CreateBroadcast(Strict):
    """A broadcast to make."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "name": EXAMPLE["name"],
                    "message": EXAMPLE["message"],
                    "to": {"filter": {"stay_status": ["in_house"], "languages": ["en"]}},
                },
                {
                    "name": "The pool is closed",
                    "message": {"channel": "sms", "content": "The pool is closed today.", "category": "transactional"},
                    "to": {"guests": ["gst_01kaj3p0m5e6s7t8v9w0x1y2z3"]},
                },
            ]
        }
    }

    name: Annotated[
        str, Field(min_length=1, max_length=255, description="What you call it; nobody else sees it."), VISIBLE
    ]
    message: MessageToMany
    to: Audience
    pace: Annotated[
        float | None,
        Field(
            gt=0,
            le=FASTEST,
            strict=False,
            description=f"Messages a second. Left out: the property's setting `{PACE}`, else {USUAL_PACE:g}.",
        ),
    ] = None


class StartBroadcast(Strict):
    """When it begins."""

    model_config = {"json_schema_extra": {"examples": [{}, {"at": "2026-03-19T09:00:00Z"}]}}

    at: Annotated[DueTime | None, Field(description="A time that is over, or none, means now.")] = None


class ListBroadcasts(Paging):
    """Which broadcasts."""

    state: Annotated[StateWord | None, Field(description="Only those that stand so.")] = None


class ShownFilter(Shown):
    """Which guests a broadcast means."""

    stay_status: list[str]
    first: str | None
    last: str | None
    languages: list[str]
    search: str | None


class Broadcast(Shown):
    """One message to many guests."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.BROADCAST))]
    property_id: str
    name: str
    state: StateWord
    problem: Annotated[
        str | None,
        Field(description="Why it was paused where nobody did, such as `channel_unavailable`: then `resume` it."),
    ]
    message: Annotated[dict[str, Any], Field(description="As given.")]
    filter: Annotated[ShownFilter | None, Field(description="null: it was made with a list.")]
    pace: float | None
    scheduled_at: Annotated[datetime | None, Field(description="When it begins.")]
    started_at: datetime | None
    ended_at: Annotated[datetime | None, Field(description="When it was finished or cancelled.")]
    created_at: datetime
    updated_at: datetime


class BroadcastProgress(Shown):
    """How far a broadcast is."""

    recipients: Annotated[int, Field(description="All of them, as far as they are known: of a filter once it started.")]
    pending: Annotated[int, Field(description="Who has yet to get it.")]
    accepted: Annotated[int, Field(description="For whom a message was accepted.")]
    refused: Annotated[dict[str, int], Field(description="Who gets none, by why: `no_address`, `duplicate`, …")]
    messages: Annotated[dict[str, int], Field(description="Where the messages stand, by `status`.")]


class BroadcastWithProgress(Broadcast):
    """A broadcast and how far it is."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE | {"progress": _PROGRESS}]}}

    progress: BroadcastProgress


class ListRecipients(Paging):
    """Which recipients."""

    outcome: Annotated[OutcomeWord | None, Field(description="Only those of whom this became.")] = None


class BroadcastRecipient(Shown):
    """Whom a broadcast goes to, and what became of it."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "brr_01kaj3qb2c3d4e5f6g7h8j9k0m",
                    "guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3",
                    "recipient": None,
                    "outcome": "failed",
                    "reason": "opted_out",
                    "message_id": "omsg_01kaj3p6zve5jvqzkqdk1w4yb2",
                }
            ]
        }
    }

    id: Annotated[str, Field(pattern=id_pattern(Prefix.RECIPIENT))]
    guest_id: str | None
    recipient: Annotated[
        str | None,
        Field(description="The address, where it was made with addresses: forgotten 30 days after its end."),
    ]
    outcome: Annotated[
        OutcomeWord,
        Field(
            description="`pending` (has yet to get it), `refused` (gets none), the `status` of their message, or "
            "`accepted`: it is kept no longer."
        ),
    ]
    reason: Annotated[
        str | None,
        Field(description="Why they get none (`no_address`, `duplicate`, …), or `metadata.error.code` of the message."),
    ]
    message_id: str | None


class BroadcastPreview(Shown):
    """What a broadcast would do now."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "sends": 188,
                    "unchecked": 0,
                    "refused": {"opted_out": 14, "no_address": 5, "frequency_cap": 2, "duplicate": 1},
                    "example": None,
                    "problem": {
                        "code": "unknown_template",
                        "message": "expected the name of a template of this property",
                    },
                }
            ]
        }
    }

    sends: Annotated[int, Field(description="How many would get it.")]
    unchecked: Annotated[
        int, Field(description="Of these, of how many only sending tells: of the channel `auto` of all.")
    ]
    refused: Annotated[
        dict[str, int],
        Field(
            description="How many would not, by why: `opted_out`, `bounced`, `frequency_cap`, `no_address`, "
            "`invalid_address`, `duplicate` (the address is another recipient's as well), `unknown_guest`."
        ),
    ]
    example: Annotated[
        OutboundMessage | None, Field(description="What the first of them would get, as it would look; it is not sent.")
    ]
    problem: Annotated[
        dict[str, str] | None, Field(description="Why there is no example, though somebody would get it.")
    ]
