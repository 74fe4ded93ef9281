"""Webhook endpoints, their deliveries, and the events they carry."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.schemas.fields import Instant, Paging, Shown, Strict, id_pattern, wrong
from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix

EVERY_EVENT = "*"


def event_types(text: str) -> list[str]:
    """`message.sent, guest.created` → the types, each once; `*` for all."""
    return list(dict.fromkeys(word.strip() for word in text.split(",")))


def _events(text: str) -> str:
    words = event_types(text)
    known = {word.value for word in EventType}
    unknown = [word for word in words if word != EVERY_EVENT and word not in known]
    if unknown:
        raise wrong("events", f"expected * or a comma list of: {', '.join(sorted(known))}")
    return EVERY_EVENT if EVERY_EVENT in words else ",".join(words)


_WORDS = "|".join(word.value.replace(".", r"\.") for word in EventType)
Events = Annotated[
    str,
    AfterValidator(_events),
    Field(
        min_length=1,
        max_length=1000,
        description="Event types as a comma list, or * for all, which a new endpoint gets if they are left out.",
        json_schema_extra={"pattern": rf"^(\*|({_WORDS})(,({_WORDS}))*)$"},
    ),
]
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="Where events are posted: https, and no private address.",
        json_schema_extra={"format": "uri"},
    ),
]


class CreateEndpoint(Strict):
    """A webhook endpoint to make."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"url": "https://example.com/bellhop", "events": "message.delivered,message.failed"}]
        }
    }

    url: Url
    events: Events = EVERY_EVENT
    description: Annotated[str | None, Field(max_length=500)] = None


class ChangeEndpoint(Strict):
    """Fields to change; those left out stay."""

    model_config = {"json_schema_extra": {"examples": [{"is_active": False}, {"description": None}]}}

    url: Url = ""
    events: Events = EVERY_EVENT
    description: Annotated[str | None, Field(max_length=500)] = None
    is_active: Annotated[bool, Field(description="True also switches a disabled endpoint on again.")] = True


class ReplayRequest(Strict):
    """Since when failed deliveries are to be delivered again."""

    model_config = {"json_schema_extra": {"examples": [{"since": "2026-03-15T00:00:00Z"}]}}

    since: Instant


class Replay(Shown):
    """How many deliveries are owed again."""

    model_config = {"json_schema_extra": {"examples": [{"replayed": 12}]}}

    replayed: int


class ListDeliveries(Paging):
    """Which deliveries."""

    state: Annotated[
        Literal["pending", "delivered", "failed", "abandoned"] | None, Field(description="Only those that stand so.")
    ] = None


class Endpoint(Shown):
    """Where a property has its events posted."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "whe_01kaj3p6zve5jvqzkqdk1w4yb2",
                    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
                    "url": "https://example.com/bellhop",
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                    "events": "message.delivered,message.failed",
                    "is_active": True,
                    "created_at": "2026-03-15T10:00:00.000000Z",
                    "description": None,
                    "disabled_at": None,
                    "disabled_reason": None,
                    "format": "native",
                }
            ]
        }
    }

    id: Annotated[str, Field(pattern=id_pattern(Prefix.ENDPOINT))]
    property_id: str
    url: str
    secret: Annotated[
        str | None,
        Field(
            description="Signs deliveries: EscapeLife-Signature and Standard Webhooks. Shown to keys with "
            "`webhooks:write`; null for those that may only look."
        ),
    ]
    events: str
    is_active: bool
    created_at: datetime
    description: str | None
    disabled_at: datetime | None
    disabled_reason: str | None
    format: Annotated[
        str,
        Field(description="Whose objects it is sent: `native`, or `sendblue` or `bird` where it was made by that API."),
    ]


class Delivery(Shown):
    """One event owed to one endpoint."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "whd_01kaj3p6zve5jvqzkqdk1w4yb2",
                    "endpoint_id": "whe_01kaj3p6zve5jvqzkqdk1w4yb2",
                    "event_id": "evt_01kaj3p6zve5jvqzkqdk1w4yb2",
                    "event_type": "message.sent",
                    "state": "delivered",
                    "attempts": 1,
                    "next_attempt_at": None,
                    "last_attempt_at": "2026-03-15T10:00:01.300000Z",
                    "last_status": 200,
                    "last_error": None,
                    "delivered_at": "2026-03-15T10:00:01.300000Z",
                    "created_at": "2026-03-15T10:00:01.204518Z",
                }
            ]
        }
    }

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    state: Literal["pending", "delivered", "failed", "abandoned"]
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None
    created_at: datetime


class Event(Shown):
    """What an endpoint receives."""

    id: Annotated[str, Field(description="The same at every attempt: what was seen may be ignored.")]
    type: str
    property_id: str
    created_at: datetime
    data: Annotated[dict[str, Any], Field(description="{object}: the message or guest; ids only once it was erased.")]
