"""Booking.com's requests. Numbers that it writes as texts, and texts that it writes as numbers, are both taken."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from api.schemas.fields import Strict, wrong
from bellhop.domain.channels import MOST_ATTACHED
from bellhop.domain.content import MAX_CONTENT
from bellhop.engine.polled import PAGE

LONGEST_BASE64 = 4 * ((MOST_ATTACHED + 2) // 3)
LARGEST_BODY = LONGEST_BASE64 + 64 * 1024
"""Bytes of a request with the largest picture there is, and some room."""


def _number_or_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _id(value: Any) -> Any:
    """An id of a row as this dialect writes them; another text is the id of nothing."""
    try:
        return UUID(value) if isinstance(value, str) and len(value) <= 64 else value
    except ValueError:
        return UUID(int=0)


Number = Annotated[str, BeforeValidator(_number_or_text), Field(min_length=1, max_length=128)]
Id = Annotated[UUID, BeforeValidator(_id)]


class Asked(Strict):
    """What every call names. Fields that nobody knows are passed over: its clients know more of them than the
    description."""

    model_config = ConfigDict(extra="ignore")

    accommodation: Number


class Talk(Asked):
    """A conversation, or the reservation that it is about."""

    conversation: Id | None = None
    reservation: Number | None = None

    @model_validator(mode="after")
    def _something(self) -> Talk:
        if self.conversation is None and self.reservation is None:
            raise wrong("missing_parameter", "expected conversation or reservation")
        return self


class Send(Talk):
    """`POST /messages/send`."""

    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT)]
    attachments: Annotated[list[Id], Field(max_length=10)] = []


class Confirm(Strict):
    """`POST /messages/latest/confirm`."""

    model_config = ConfigDict(extra="ignore")

    messages: Annotated[list[Id], Field(min_length=1, max_length=PAGE)]


class Upload(Asked):
    """`POST /messages/attachments/upload`."""

    conversation: Id
    file_name: Annotated[str, Field(min_length=1, max_length=255)]
    file_type: Annotated[str, Field(max_length=100)]
    file_size: Annotated[int, Field(ge=1)]
    file_content: Annotated[str, Field(min_length=1)]


class OfAttachment(Asked):
    """`POST /messages/attachments/download` and `metadata`."""

    conversation: Id
    attachment: Id
