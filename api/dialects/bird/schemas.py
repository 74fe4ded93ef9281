"""Bird's requests."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from api.schemas.fields import MOST_BYTES, DueTime, Instant, JsonObject, Query, Strict, wrong
from api.schemas.media import is_url
from bellhop.domain.categories import LONGEST
from bellhop.domain.content import MAX_CONTENT
from bellhop.domain.formats.bird import STATUSES
from bellhop.domain.media import MOST_MEDIA

MOST_TAGS = 10
MOST_TOGETHER = 100
"""Messages of a batch."""
LONGEST_TITLE = 250
LATEST = "latest"
META = frozenset(
    (
        "campaign", "email", "extraInformation", "flow", "journey", "navigatorId", "navigatorMessageId", "order",
        "pushNotifications", "referral", "referredProduct",
    )
)  # fmt: skip
"""What `meta` may have."""


def _uuid(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = UUID(value)
    except ValueError:
        found = None
    if found is None or str(found) != value.lower():
        raise wrong("uuid", "expected a UUID, such as 6f9619ff-8b86-4d01-b42d-00c04fc964ff")
    return found


def _version(value: Any) -> Any:
    return value if value == LATEST else _uuid(value)


def _url(value: str) -> str:
    if not is_url(value):
        raise wrong("url", "expected a URL that begins with https:// and names a host")
    return value


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(to_json(value)) > MOST_BYTES:
        raise wrong("too_large", f"expected at most {MOST_BYTES} bytes of JSON")
    return value


def _meta(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if name not in META:
            raise wrong("unknown_name", f"expected no others than {', '.join(sorted(META))}")
    extra = value.get("extraInformation")
    if extra is not None and not isinstance(extra, dict):
        raise wrong("dict_type", "expected an object as extraInformation")
    return value


def _tags(value: list[str]) -> list[str]:
    return list(dict.fromkeys(tag.lower() for tag in value))


Uuid = Annotated[UUID, BeforeValidator(_uuid)]
MediaUrl = Annotated[str, Field(min_length=1, max_length=2_048), AfterValidator(_url)]
Text = Annotated[str, Field(max_length=MAX_CONTENT)]
Word = Annotated[str, Field(min_length=1, max_length=255)]
Meta = Annotated[JsonObject, AfterValidator(_meta)]
Tag = Annotated[str, Field(min_length=1, max_length=100)]


class Object(Strict):
    """An object of a request, whose names are Bird's."""

    model_config = ConfigDict(alias_generator=to_camel)


class Annotations(Object):
    """What a sender is called."""

    name: Word | None = None


class Connector(Object):
    """The channel, as who sends."""

    id: Uuid | None = None
    identifier_value: Word | None = None
    annotations: Annotations | None = None
    types: Annotated[list[Word], Field(max_length=10)] | None = None


class Sender(Object):
    """Who sends."""

    connector: Connector


class Contact(Object):
    """To whom: a guest by their id, or whoever has a number."""

    id: Uuid | None = None
    identifier_key: Literal["phonenumber"] | None = None
    identifier_value: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    type: Literal["to"] | None = None

    @model_validator(mode="after")
    def _someone(self) -> Contact:
        if (self.id is None) == (self.identifier_value is None):
            raise wrong("contact", "expected id or identifierValue, one of them")
        if self.identifier_key is not None and self.identifier_value is None:
            raise wrong("contact", "expected identifierValue beside identifierKey")
        return self


class Receiver(Object):
    """To whom."""

    contacts: Annotated[list[Contact], Field(min_length=1, max_length=1)]


class Title(Object):
    """What is beside a text: its title, and what is for other platforms."""

    subject: Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)] | None = None
    whatsapp: JsonObject | None = None
    line: JsonObject | None = None
    telegram: JsonObject | None = None


class Attachment(Object):
    """A file beside a text."""

    media_url: MediaUrl
    filename: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    inline: bool | None = None


class Link(Object):
    """Where a button leads."""

    text: Annotated[str, Field(min_length=1, max_length=200)]
    url: Annotated[str, Field(min_length=1, max_length=2_048)]


class Action(Object):
    """A button."""

    type: Literal["link"]
    link: Link


class TextBody(Object):
    """A text."""

    text: Annotated[Text, Field(min_length=1)]
    attachments: Annotated[list[Attachment], Field(max_length=MOST_MEDIA)] | None = None
    actions: Annotated[list[Action], Field(max_length=10)] | None = None
    metadata: Title | None = None


class Image(Object):
    """A picture."""

    media_url: MediaUrl
    alt_text: Word | None = None


class ImageBody(Object):
    """Pictures."""

    images: Annotated[list[Image], Field(min_length=1, max_length=MOST_MEDIA)]
    text: Text | None = None
    metadata: Title | None = None


class File(Object):
    """A file."""

    media_url: MediaUrl
    content_type: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    filename: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class FileBody(Object):
    """Files."""

    files: Annotated[list[File], Field(min_length=1, max_length=MOST_MEDIA)]
    text: Text | None = None
    metadata: Title | None = None


class Body(Object):
    """What a message says."""

    type: Literal["text", "image", "file"]
    text: TextBody | None = None
    image: ImageBody | None = None
    file: FileBody | None = None

    @model_validator(mode="after")
    def _of_its_type(self) -> Body:
        given = [name for name in ("text", "image", "file") if getattr(self, name) is not None]
        if given != [self.type]:
            raise wrong("body", f"expected {self.type}, as type says, and nothing else")
        return self


class ShortLinks(Object):
    """Whether links become short ones, and on which domain."""

    enabled: bool | None = None
    domain: Word | None = None


class Parameter(Object):
    """A value of a template."""

    type: Word
    key: Annotated[str, Field(min_length=1, max_length=100)]
    value: Any


class Template(Object):
    """A template instead of a body."""

    project_id: Uuid
    version: Annotated[Literal["latest"] | UUID, BeforeValidator(_version)]
    locale: Annotated[str, Field(min_length=1, max_length=35)] | None = None
    parameters: Annotated[list[Parameter], Field(max_length=50)] | None = None
    variables: Annotated[dict[str, str], AfterValidator(_small)] | None = None
    short_links: ShortLinks | None = None


class ReplyTo(Object):
    """What a message answers."""

    id: Word
    type: Word | None = None


class CreateMessage(Object):
    """`POST …/messages`."""

    sender: Sender | None = None
    receiver: Receiver
    reference: Annotated[str, Field(max_length=255)] | None = None
    template: Template | None = None
    meta: Meta | None = None
    reply_to: ReplyTo | None = None
    body: Body | None = None
    notification: JsonObject | None = None
    cap_frequency: bool | None = None
    enable_link_tracking: bool | None = None
    ignore_quiet_hours: bool | None = None
    tags: Annotated[list[Tag], Field(max_length=MOST_TAGS), AfterValidator(_tags)] | None = None
    short_links: ShortLinks | None = None
    scheduled_for: DueTime | None = None
    validity: Annotated[int, Field(ge=1, le=LONGEST)] | None = None

    @model_validator(mode="after")
    def _something(self) -> CreateMessage:
        if (self.body is None) == (self.template is None):
            raise wrong("body", "expected body or template, one of them")
        return self


class CreateBatch(Object):
    """`POST …/batch/messages`."""

    message_requests: Annotated[list[CreateMessage], Field(min_length=1, max_length=MOST_TOGETHER)]


class Paging(Query):
    """Which page of a list."""

    limit: Annotated[int, Field(ge=1, le=1_000)] = 10
    page_token: Annotated[str | None, Field(max_length=100, alias="pageToken")] = None
    reverse: bool = False


class ListChannels(Paging):
    """`GET …/channels`."""

    id: Annotated[UUID | None, BeforeValidator(_uuid)] = None
    platform: Annotated[str | None, Field(max_length=64)] = None
    status: Annotated[str | None, Field(max_length=64)] = None


class ListMessages(Paging):
    """`GET …/messages`."""

    limit: Annotated[int, Field(ge=1, le=100)] = 10
    status: Literal[STATUSES] | None = None  # type: ignore[valid-type]
    direction: Literal["incoming", "outgoing"] | None = None
    start_at: Annotated[Instant | None, Field(alias="startAt")] = None
    end_at: Annotated[Instant | None, Field(alias="endAt")] = None
    batch_id: Annotated[UUID | None, Field(alias="batchId"), BeforeValidator(_uuid)] = None
