"""Templates on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from api.schemas.fields import JsonObject, Language, Paging, Shown, Strict, id_pattern, wrong
from bellhop.domain.content import MAX_CONTENT
from bellhop.domain.ids import Prefix
from bellhop.domain.text import visible

TemplateName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="Lower case letters, digits, `-` and `_`."),
]
TemplateLocale = Annotated[Language, Field(description="A BCP 47 tag, such as en or pt-BR.")]
Parameters = Annotated[
    JsonObject,
    Field(
        description="A value for each name in the template: text, a number, true or false, a list or an object. "
        "Missing, unknown and empty ones are refused."
    ),
]
EXAMPLE: dict[str, Any] = {
    "id": "tpl_01kaj3p6zve5jvqzkqdk1w4yb2",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "name": "suite-ready",
    "locale": "en",
    "version": 1,
    "subject": None,
    "content": "Hi {{ first_name }}, your {{ room.kind }} is ready.",
    "content_type": "text/plain",
    "parameters": ["first_name", "room"],
    "created_at": "2026-03-15T10:00:00.000000Z",
    "archived_at": None,
}


class CreateTemplate(Strict):
    """The next version of a template in a locale, or the first."""

    model_config = {
        "json_schema_extra": {
            "examples": [{name: EXAMPLE[name] for name in ("name", "locale", "content")}],
        }
    }

    name: TemplateName
    locale: TemplateLocale
    content: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_CONTENT,
            description="Liquid: `{{ name }}`, `{% if %}`, `{% for %}`, and filters such as `upcase` and `date`. In "
            "HTML what parameters say is escaped.",
        ),
    ]
    content_type: Annotated[
        Literal["text/plain", "text/html"], Field(description="How it is written: text/plain unless said.")
    ] = "text/plain"
    subject: Annotated[
        str | None, Field(min_length=1, max_length=998, description="For e-mail; Liquid as well, and one line.")
    ] = None

    @field_validator("content", "subject")
    @classmethod
    def _visible(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not visible(value):
            raise wrong(str(info.field_name), "expected some text")
        if value is not None and info.field_name == "subject" and any(ord(letter) < 32 for letter in value):
            raise wrong("subject", "expected one line without control characters")
        return value


class Template(Shown):
    """One version of a template in one locale."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.TEMPLATE))]
    property_id: str
    name: str
    locale: str
    version: Annotated[int, Field(description="From 1; the newest that is not archived is used.")]
    subject: str | None
    content: str
    content_type: Literal["text/plain", "text/html"]
    parameters: Annotated[list[str], Field(description="The names that have to be given to use it.")]
    created_at: datetime
    archived_at: datetime | None


class ListTemplates(Paging):
    """Which templates."""

    name: Annotated[TemplateName | None, Field(description="Only those of this name.")] = None
    locale: Annotated[str | None, Field(max_length=35, description="Only those in this locale.")] = None
    archived: Annotated[bool, Field(description="Those that are archived as well.")] = False
    versions: Annotated[
        Literal["used", "all"], Field(description="The one in use of each name and locale, or every one.")
    ] = "used"


class PreviewRequest(Strict):
    """What to try a template out with."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"parameters": {"first_name": "Jordan", "room": {"kind": "ocean view suite"}}}]
        }
    }

    parameters: Parameters


class Preview(Shown):
    """What a message would say."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "content": "Hi Jordan, your ocean view suite is ready.",
                    "content_type": "text/plain",
                    "subject": None,
                }
            ]
        }
    }

    content: str
    content_type: Literal["text/plain", "text/html"]
    subject: str | None


class TemplateUse(Strict):
    """A template and what to put into it."""

    name: TemplateName
    locale: Annotated[
        TemplateLocale | None,
        Field(description="Left out or null: the guest's language, else the property's (its setting `language`)."),
    ] = None
    parameters: Parameters = {}


class UsedTemplate(Shown):
    """Which template a message says."""

    id: Annotated[str, Field(pattern=id_pattern(Prefix.TEMPLATE))]
    name: str
    locale: str
    version: int
