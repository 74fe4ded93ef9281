"""Guests on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from api.schemas.fields import (
    VISIBLE,
    Email,
    JsonObject,
    Language,
    Name,
    Paging,
    Phone,
    Shown,
    Strict,
    TimeZone,
    id_pattern,
    wrong,
)
from bellhop.domain.ids import Prefix

EXAMPLE: dict[str, Any] = {
    "id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "first_name": "Jordan",
    "last_name": "Mitchell",
    "email": "jordan.mitchell@example.com",
    "phone": "+13055551234",
    "language": "en",
    "timezone": None,
    "preferences": {"room_type": "ocean_view", "dietary": ["gluten_free"]},
    "metadata": {},
    "external_id": "PMS-88213",
    "is_active": True,
    "is_provisional": False,
    "first_seen_at": "2026-03-15T10:00:00.000000Z",
    "last_seen_at": "2026-03-15T10:00:00.000000Z",
    "created_at": "2026-03-15T10:00:00.000000Z",
    "updated_at": "2026-03-15T10:00:00.000000Z",
}


class CreateGuest(Strict):
    """A guest to make, or to update when the e-mail address or external id is known already."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    name: EXAMPLE[name]
                    for name in ("first_name", "last_name", "email", "phone", "language", "preferences")
                }
            ]
        }
    }

    first_name: Name
    last_name: Name
    email: Annotated[Email | None, Field(description="Matched without regard to case.")] = None
    phone: Annotated[Phone | None, Field(description="E.164 is recommended, and needed to send to it.")] = None
    language: Annotated[
        Language, Field(description="BCP 47 tag of the preferred language; a new guest's is `en` if left out.")
    ] = "en"
    timezone: Annotated[
        TimeZone | None,
        Field(description="IANA name. It says when quiet hours are, unless the guest is in house."),
    ] = None
    preferences: Annotated[JsonObject, Field(description="Free-form, e.g. room_type, dietary, activities.")] = {}
    metadata: Annotated[JsonObject, Field(description="Your own keys and values.")] = {}
    external_id: Annotated[
        Annotated[str, Field(min_length=1, max_length=255), VISIBLE] | None,
        Field(description="The guest's id in your own system."),
    ] = None


class ChangeGuest(Strict):
    """Fields to change. Those left out stay; null clears email, phone and timezone; preferences are replaced as a
    whole."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"preferences": {"room_type": "suite"}, "is_active": True}, {"email": None, "phone": None}]
        }
    }

    first_name: Name = ""
    last_name: Name = ""
    email: Email | None = None
    phone: Phone | None = None
    language: Language = "en"
    timezone: TimeZone | None = None
    preferences: JsonObject = {}
    metadata: JsonObject = {}
    is_active: Annotated[bool, Field(description="False deactivates the guest without deleting.")] = True


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise wrong("string_nul", "expected text without NUL characters")
    return text


class ListGuests(Paging):
    """Which guests."""

    search: Annotated[
        str | None,
        AfterValidator(lambda text: None if text is None else _no_nul(text)),
        Field(
            max_length=320,
            description="Any part of first, last or full name or e-mail address; accents and case do not matter.",
        ),
    ] = None


class Guest(Shown):
    """A guest of the property."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.GUEST))]
    property_id: str
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    language: str
    timezone: str | None
    preferences: dict[str, Any]
    metadata: dict[str, Any]
    external_id: str | None
    is_active: bool
    is_provisional: Annotated[
        bool,
        Field(
            description="Made of what somebody wrote whose address was no guest's: the names are what they call "
            "themselves, or `Guest` and the end of the address. False once the property has named them."
        ),
    ]
    first_seen_at: datetime
    last_seen_at: datetime
    created_at: datetime
    updated_at: datetime
