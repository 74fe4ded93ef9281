"""Fields that several shapes share: each checks what it says, and its message tells what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, to_json

from bellhop.domain import addresses, time_zones
from bellhop.domain.addresses import BadAddress
from bellhop.domain.guests import BadLanguage, language
from bellhop.domain.ids import Prefix
from bellhop.domain.paging import COUNTED
from bellhop.domain.text import visible

MOST_FIELDS = 1_000
"""Fields of an object, ours and others together: each that we do not know is an error, and errors are dear."""
MOST_KEYS = 50
MOST_BYTES = 16 * 1024
FURTHEST_YEARS = 10


ChannelWord = Literal["sms", "email", "in_app", "whatsapp", "push", "imessage", "inbox"]
AnyChannelWord = Literal["sms", "email", "in_app", "whatsapp", "push", "imessage", "inbox", "auto"]


class Strict(BaseModel):
    """A request body: no coercion of types, no unknown fields, and no defaults in its description.

    A generated client fills in the defaults it reads and sends them: one that changes a guest's name, or posts a known
    guest again, would set its language back. What a missing field means is said in words.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _not_many(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) > MOST_FIELDS:
            raise wrong("too_many_fields", f"expected at most {MOST_FIELDS} fields")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        shown = handler(core)
        for described in handler.resolve_ref_schema(shown).get("properties", {}).values():
            described.pop("default", None)
        return shown


class Query(BaseModel):
    """The query of a request: no unknown names, so that a mistyped filter does not list everything."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """An object as it is answered. Documentation only: answers are rendered from rows. So what would check one is built
    when the description is made, not at each start."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=True, defer_build=True)


T = TypeVar("T")


class Page(Shown, Generic[T]):
    """One page of a list."""

    data: list[T]
    total: Annotated[int, Field(description=f"How many there are in all; beyond {COUNTED:,}: {COUNTED:,}.")]
    total_exact: Annotated[bool, Field(description="False: there are more than `total` says.")]
    limit: int
    offset: int
    has_more: Annotated[bool, Field(description="True when a next page has something.")]
    next_cursor: Annotated[
        str | None, Field(description="`cursor` of the next page; null: this is the last. It means nothing else.")
    ]


def wrong(kind: str, message: str) -> PydanticCustomError:
    """An error of a field, with a word for programs and a sentence for people."""
    # Braces would be read as places to fill in.
    return PydanticCustomError(kind, "{said}", {"said": message})


def _not_far(value: int) -> int:
    if value > COUNTED:
        raise wrong(
            "offset_too_large", f"expected at most {COUNTED}; beyond, go on with `cursor`: the answer's `next_cursor`"
        )
    return value


class Paging(Query):
    """Which page of a list."""

    limit: Annotated[int, Field(ge=1, le=200, description="Most results in one answer.")] = 50
    offset: Annotated[
        int,
        Field(
            ge=0,
            json_schema_extra={"maximum": COUNTED},
            description=f"How many results to skip: at most {COUNTED:,}. `cursor` goes further, and is quicker.",
        ),
        AfterValidator(_not_far),
    ] = 0
    cursor: Annotated[
        str | None,
        Field(
            max_length=100,
            description="The `next_cursor` of the page before, instead of an offset. What is added meanwhile "
            "moves nothing on to another page.",
        ),
    ] = None


_RFC3339 = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def _instant(value: Any) -> Any:
    if value is None:
        return None
    expected = "expected an RFC 3339 time with its zone, such as 2026-03-19T09:00:00Z"
    parts = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise wrong("datetime", expected)
    day, clock, fraction, zone = parts.groups()
    text = f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{'+00:00' if zone in 'Zz' else zone}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong("datetime", expected) from None


def _soon(value: datetime | None) -> datetime | None:
    if value is not None and value.year > datetime.now(UTC).year + FURTHEST_YEARS:
        raise wrong("datetime_too_far", f"expected a time within {FURTHEST_YEARS} years")
    return value


_DATE_TIME = WithJsonSchema({"type": "string", "format": "date-time"})

Instant = Annotated[datetime, BeforeValidator(_instant), _DATE_TIME]
"""A moment, with its zone."""
DueTime = Annotated[datetime, BeforeValidator(_instant), AfterValidator(_soon), _DATE_TIME]
"""A moment a message may be scheduled for."""


def _json_object(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) > MOST_KEYS:
        raise wrong("too_many_keys", f"expected at most {MOST_KEYS} keys")
    if len(to_json(value)) > MOST_BYTES:
        raise wrong("too_large", f"expected at most {MOST_BYTES} bytes of JSON")
    return value


def _no_error_key(value: dict[str, Any]) -> dict[str, Any]:
    if "error" in value:
        raise wrong("reserved_key", "expected no key `error`: Bellhop puts the reason of a failure there")
    return value


JsonObject = Annotated[
    dict[str, Any], AfterValidator(_json_object), Field(json_schema_extra={"maxProperties": MOST_KEYS})
]
"""Free-form key-value pairs: at most 50 keys and 16 KiB."""
MessageMetadata = Annotated[
    dict[str, Any],
    AfterValidator(_json_object),
    AfterValidator(_no_error_key),
    Field(json_schema_extra={"maxProperties": MOST_KEYS, "propertyNames": {"not": {"const": "error"}}}),
]
"""The same, without the reserved key `error`."""


def _with(check: Callable[[str], str], error: type[ValueError], kind: str) -> AfterValidator:
    def checked(value: str) -> str:
        try:
            return check(value)
        except error as problem:
            raise wrong(kind, str(problem)) from None

    return AfterValidator(checked)


Email = Annotated[
    str, Field(max_length=320, json_schema_extra={"format": "email"}), _with(addresses.email, BadAddress, "email")
]
"""An e-mail address."""


def _seen(text: str) -> str:
    if not visible(text):
        raise wrong("blank", "expected text with a visible character")
    return text


VISIBLE = AfterValidator(_seen)
"""Something a reader sees: spaces, joiners and fillers alone are blank."""


def _written_phone(text: str) -> str:
    try:
        return addresses.phone(text)
    except BadAddress:
        return text


Phone = Annotated[str, Field(min_length=1, max_length=40), VISIBLE, AfterValidator(_written_phone)]
"""A guest's phone number as known; E.164 is recommended, and needed to send to it."""
Language = Annotated[str, Field(min_length=1, max_length=35), _with(language, BadLanguage, "language")]
"""A BCP 47 language tag."""


def _zone(name: str) -> str:
    if not time_zones.known(name):
        raise wrong("timezone", time_zones.EXPECTED)
    return name


TimeZone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_zone)]
"""The name of a time zone, as the IANA database has it."""
Name = Annotated[str, Field(min_length=1, max_length=200), VISIBLE]
"""A person's or thing's name."""


def id_pattern(prefix: Prefix) -> str:
    """The form of a public id, for the documentation and the checks of filters."""
    return rf"^{prefix.value}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"


GuestId = Annotated[str, Field(pattern=id_pattern(Prefix.GUEST))]
"""Names a guest."""
