"""Sendblue's requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from api.schemas.fields import Query, Strict, wrong
from api.schemas.media import is_url
from api.schemas.options import StyleWord
from api.schemas.recipients import MOST
from bellhop.domain import addresses
from bellhop.domain.addresses import BadAddress
from bellhop.domain.groups import FEWEST, twice
from bellhop.domain.paging import COUNTED

LONGEST = 18_996
"""Characters of a text."""
StatusWord = Literal[
    "REGISTERED", "PENDING", "SENT", "DELIVERED", "RECEIVED", "QUEUED", "ERROR", "DECLINED", "ACCEPTED", "SUCCESS"
]


def _absent(value: Any) -> Any:
    """Its clients send empty texts for what they leave out."""
    return None if value == "" else value


def _phone(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return addresses.phone(value)
    except BadAddress as problem:
        raise wrong("number", str(problem)) from None


def _moment(value: Any) -> Any:
    """ISO 8601, as its clients write what a Python or JavaScript program gives them: without a zone it is UTC."""
    if not isinstance(value, str) or len(value) > 40:
        return value
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong("datetime", "expected a time in ISO 8601, such as 2026-03-19T09:00:00Z") from None


ABSENT = BeforeValidator(_absent)


def _plus(value: Any) -> Any:
    """A plus that was not percent-encoded is read as a space."""
    return f"+{value[1:]}" if isinstance(value, str) and value[:1] == " " else value


Phone = Annotated[str, BeforeValidator(_phone), Field(max_length=40)]
AskedPhone = Annotated[str, BeforeValidator(_phone), BeforeValidator(_plus), Field(max_length=40)]
AskedNumber = Annotated[str | None, BeforeValidator(_plus), Field(max_length=64)]


def _url(value: str | None) -> str | None:
    if value is not None and not is_url(value):
        raise wrong("url", "expected a URL that begins with https:// and names a host")
    return value


def _header(value: str | None) -> str | None:
    """It goes into a header as it is."""
    if value is not None and not (value.isascii() and value.isprintable() and value == value.strip()):
        raise wrong("secret", "expected printable ASCII characters, without blanks at its ends")
    return value


Url = Annotated[str | None, Field(max_length=2_048), ABSENT, AfterValidator(_url)]
Moment = Annotated[datetime, BeforeValidator(_moment)]


Address = Annotated[str, Field(min_length=1, max_length=2_048), AfterValidator(_url)]
Secret = Annotated[str | None, Field(max_length=256), ABSENT, AfterValidator(_header)]
WebhookType = Literal["receive", "outbound"]


class ReplyTo(Strict):
    """The message that this one answers."""

    message_handle: Annotated[str, Field(min_length=1, max_length=64)]
    part_index: Annotated[int | None, Field(ge=0, le=1_000)] = None


class SendMessage(Strict):
    """`POST /api/send-message`."""

    number: Phone
    content: Annotated[str | None, Field(max_length=LONGEST), ABSENT] = None
    media_url: Url = None
    from_number: Annotated[str | None, Field(max_length=64), ABSENT] = None
    send_style: Annotated[StyleWord | None, ABSENT] = None
    status_callback: Url = None
    seat_id: Annotated[str | None, Field(max_length=128), ABSENT] = None
    reply_to: ReplyTo | None = None

    @model_validator(mode="after")
    def _something(self) -> SendMessage:
        if self.content is None and self.media_url is None:
            raise wrong("content_required", "expected content or media_url")
        return self


class SendGroupMessage(Strict):
    """`POST /api/send-group-message`."""

    numbers: Annotated[list[Phone] | None, Field(min_length=FEWEST, max_length=MOST)] = None
    group_id: Annotated[str | None, Field(max_length=128), ABSENT] = None
    content: Annotated[str | None, Field(max_length=LONGEST), ABSENT] = None
    media_url: Url = None
    from_number: Annotated[str | None, Field(max_length=64), ABSENT] = None
    send_style: Annotated[StyleWord | None, ABSENT] = None
    status_callback: Url = None
    seat_id: Annotated[str | None, Field(max_length=128), ABSENT] = None
    reply_to: ReplyTo | None = None

    @model_validator(mode="after")
    def _something(self) -> SendGroupMessage:
        if self.content is None and self.media_url is None:
            raise wrong("content_required", "expected content or media_url")
        if (self.numbers is None) == (self.group_id is None):
            raise wrong("recipients", "expected numbers or group_id, one of them")
        if self.numbers is not None and twice(self.numbers):
            raise wrong("recipients", "expected each number once")
        return self


class ListMessages(Query):
    """`GET /api/v2/messages`."""

    limit: Annotated[int, Field(ge=1, le=100)] = 100
    offset: Annotated[int, Field(ge=0, le=COUNTED)] = 0
    order_by: Literal["createdAt", "updatedAt", "sentAt"] = "createdAt"
    order_direction: Literal["asc", "desc"] = "desc"
    status: StatusWord | None = None
    service: Literal["iMessage", "SMS", "RCS"] | None = None
    is_outbound: Literal["true", "false"] | None = None
    message_type: Literal["message", "group"] | None = None
    number: AskedNumber = None
    from_number: AskedNumber = None
    to_number: AskedNumber = None
    sendblue_number: AskedNumber = None
    group_id: Annotated[str | None, Field(max_length=128)] = None
    account_email: Annotated[str | None, Field(max_length=320)] = None
    created_at_gte: Moment | None = None
    created_at_lte: Moment | None = None
    updated_at_gte: Moment | None = None
    updated_at_lte: Moment | None = None
    sent_at_gte: Moment | None = None
    sent_at_lte: Moment | None = None


class StatusOf(Query):
    """`GET /api/status`."""

    handle: Annotated[str, Field(min_length=1, max_length=128)]


class Evaluate(Query):
    """`GET /api/evaluate-service`."""

    number: AskedPhone


class Webhook(Strict):
    """A webhook with a secret of its own."""

    url: Address
    secret: Secret = None


class Webhooks(Strict):
    """Those of each type; one that is left out stays as it is."""

    receive: Annotated[list[Address | Webhook] | None, Field(max_length=50)] = None
    outbound: Annotated[list[Address | Webhook] | None, Field(max_length=50)] = None
    global_secret: Annotated[Secret, Field(alias="globalSecret")] = None


class AddWebhooks(Strict):
    """`POST /api/account/webhooks`."""

    webhooks: Annotated[list[Address | Webhook], Field(min_length=1, max_length=50)]
    type: WebhookType = "receive"
    global_secret: Annotated[Secret, Field(alias="globalSecret")] = None


class ReplaceWebhooks(Strict):
    """`PUT /api/account/webhooks`."""

    webhooks: Webhooks


class RemoveWebhooks(Strict):
    """`DELETE /api/account/webhooks`."""

    webhooks: Annotated[list[Annotated[str, Field(max_length=2_048)]], Field(min_length=1, max_length=50)]
    type: WebhookType = "receive"


class OptOut(Strict):
    """`POST /api/v2/contacts/opt-out`."""

    number: Phone
    opted_out: bool | None = None


class Typing(Strict):
    """`POST /api/send-typing-indicator`."""

    number: Phone
    from_number: Annotated[str | None, Field(max_length=64), ABSENT] = None
    state: Literal["start", "stop"] | None = None
    max_duration_ms: Annotated[int | None, Field(ge=0)] = None
