"""Guests' sessions and inboxes on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from api.schemas.fields import VISIBLE, Query, Shown, Strict, id_pattern, wrong
from bellhop.domain.content import MAX_CONTENT
from bellhop.domain.ids import Prefix
from bellhop.domain.session_tokens import LONGEST, SHORTEST
from bellhop.engine.inbox import MOST_REPORTED


class Lasts(Strict):
    """How long a session is good."""

    model_config = {"json_schema_extra": {"examples": [{"expires_in": 900}, {}]}}

    expires_in: Annotated[
        int,
        Field(ge=SHORTEST, le=LONGEST, description=f"Seconds from now; {LONGEST} (an hour, the most) if left out."),
    ] = LONGEST


SESSION_EXAMPLE: dict[str, Any] = {
    "id": "gss_01kaj3p6zve5jvqzkqdk1w4yb2",
    "guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "created_at": "2026-03-15T10:00:00.000000Z",
    "expires_at": "2026-03-15T11:00:00.000000Z",
    "revoked_at": None,
}


class GuestSession(Shown):
    """A session of a guest's app, without its token."""

    model_config = {"json_schema_extra": {"examples": [SESSION_EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.SESSION))]
    guest_id: str
    created_at: datetime
    expires_at: Annotated[datetime, Field(description="From then on its token opens nothing, unless it is renewed.")]
    revoked_at: datetime | None


class MintedSession(GuestSession):
    """A new session with its token, shown this once."""

    model_config = {
        "json_schema_extra": {"examples": [{**SESSION_EXAMPLE, "token": "gs_test_01kaj3p6zve5jvqzkqdk1w4yb2_…"}]}
    }

    token: Annotated[str, Field(description="For the guest's app: it opens this guest's inbox and nothing else.")]


class InboxFile(Shown):
    """A file that came with a message."""

    url: str
    content_type: str
    filename: str
    size: Annotated[int, Field(description="Bytes.")]


class InboxMessage(Shown):
    """A message as its guest's app sees it."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "omsg_01kaj3p6zve5jvqzkqdk1w4yb2",
                    "from": "property",
                    "status": "sent",
                    "content": "Your room is ready.",
                    "content_type": "text/plain",
                    "title": "Check-in",
                    "data": {"screen": "room-key"},
                    "media": [],
                    "sent_at": "2026-03-15T10:00:00.000000Z",
                    "read_at": None,
                    "expires_at": "2026-04-14T10:00:00.000000Z",
                }
            ]
        }
    }

    id: Annotated[str, Field(description="`omsg_…`, or `imsg_…` of what the guest wrote.")]
    from_: Annotated[
        Literal["property", "guest"], Field(alias="from", description="`guest`: the guest wrote it, on any device.")
    ]
    status: Annotated[
        Literal["sent", "delivered", "read"],
        Field(
            description="What the guest's apps have reported of it so far. What the guest wrote is `delivered`: the "
            "property has it."
        ),
    ]
    content: str
    content_type: str
    title: Annotated[str | None, Field(description="The line above the text: the message's `options.title`.")]
    data: Annotated[dict[str, str], Field(description="What the property gives to its app: `options.data`.")]
    media: list[InboxFile]
    sent_at: datetime
    read_at: datetime | None
    expires_at: Annotated[datetime, Field(description="From then on it lies in the inbox no more.")]


class InboxPaging(Query):
    """Which page of an inbox."""

    limit: Annotated[int, Field(ge=1, le=100, description="Most messages in one answer.")] = 25
    cursor: Annotated[str | None, Field(max_length=100, description="The `next_cursor` of the page before.")] = None


MessageIds = Annotated[list[Annotated[str, Field(pattern=id_pattern(Prefix.MESSAGE))]], Field(max_length=MOST_REPORTED)]


KEY = r"^[A-Za-z0-9_-]{8,64}$"
GuestKey = Annotated[
    str,
    Field(
        pattern=KEY,
        description="Made up by the app for this message, e.g. a UUID. Said again with it, it is stored once.",
    ),
]


class GuestWrites(Strict):
    """What a guest writes to the property."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"key": "b7c3f0e2-6a55-4d0a-9f6e-2f1d5b1f7c11", "content": "When is check-in?"}]
        }
    }

    key: GuestKey
    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), VISIBLE]


class GuestFile(Strict):
    """What comes beside a file that a guest sends."""

    key: GuestKey
    content: Annotated[str, Field(max_length=MAX_CONTENT)] = ""


GUEST_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "example": {"file": "(bytes)", "key": "b7c3f0e2-6a55-4d0a-9f6e-2f1d5b1f7c11"},
                "schema": {
                    "type": "object",
                    "required": ["file", "key"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "contentMediaType": "application/octet-stream",
                            "description": "A picture, or what else `POST /v1/assets` takes.",
                        },
                        "key": {"type": "string", "pattern": KEY, "description": "As with a message."},
                        "content": {"type": "string", "description": "What the guest writes with it."},
                    },
                },
            }
        },
    }
}


class Report(Strict):
    """What a guest's app says of messages, 25 of them at most."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"delivered": ["omsg_01kaj3p6zve5jvqzkqdk1w4yb2"], "read": []}],
        }
    }

    delivered: Annotated[MessageIds, Field(description="The app has them.")] = []
    read: Annotated[MessageIds, Field(description="The guest has read them.")] = []

    @model_validator(mode="after")
    def _not_too_many(self) -> Report:
        if len({*self.delivered, *self.read}) > MOST_REPORTED:
            raise wrong("too_many_messages", f"expected at most {MOST_REPORTED} messages in one call")
        return self


class Standing(Shown):
    """Where a message stands."""

    model_config = {"json_schema_extra": {"examples": [{"id": "omsg_01kaj3p6zve5jvqzkqdk1w4yb2", "status": "read"}]}}

    id: str
    status: Annotated[str, Field(description="sent, delivered or read; it only moves up.")]


class Standings(Shown):
    """Where the messages of a report stand; those that are not this guest's are left out."""

    data: list[Standing]
