"""Templates on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from api.schemas.fields import JsonObject, Language, Paging, Shown, Strict, id_pattern, wrong
from bellhop.domain.content import MAX_CONTENT
from bellhop.domain.ids import Prefix
from bellhop.domain.templates import TEMPLATE_NAME
from bellhop.domain.text import visible

TemplateName = Annotated[
    str,
    Field(pattern=f"^{TEMPLATE_NAME.pattern}$", description="Lower case letters, digits, `-` and `_`."),
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
    "whatsapp": None,
    "created_at": "2026-03-15T10:00:00.000000Z",
    "archived_at": None,
}


class WhatsAppTemplate(Strict):
    """A template of Twilio's Content API that WhatsApp approves."""

    content_sid: Annotated[str, Field(pattern=r"^HX[0-9a-fA-F]{32}$", description="HX… of the template at Twilio.")]
    variables: Annotated[
        dict[str, Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+){0,4}$", max_length=128)]],
        Field(
            max_length=100,
            description='For each of its variables the parameter that goes into it: `{"1": "first_name", "2": '
            '"room.kind"}`. All of them, as Twilio would print a sample for one that is left out.',
        ),
    ] = {}


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

    whatsapp: Annotated[
        WhatsAppTemplate | None,
        Field(description="As which template it goes out on WhatsApp where a free text may not."),
    ] = None

    @field_validator("content", "subject")
    @classmethod
    def _visible(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not visible(value):
            raise wrong(str(info.field_name), "expected some text")
        if value is not None and info.field_name == "subject" and any(ord(letter) < 32 for letter in value):
            raise wrong("subject", "expected one line without control characters")
        return value


class ApprovedTemplate(Shown):
    """A template at Twilio, as it was last read from there."""

    content_sid: str
    variables: dict[str, str]
    status: Annotated[
        Literal[
            "unsubmitted", "received", "pending", "approved", "rejected", "paused", "disabled", "missing", "unknown"
        ]
        | None,
        Field(description="Where its approval stands; `missing`: there is none of that id; null: not read yet."),
    ]
    category: Annotated[str | None, Field(description="utility, marketing or authentication, as WhatsApp sees it.")]
    rejection_reason: str | None
    problem: Annotated[str | None, Field(description="Why it cannot be used just now, as a sentence; null: it can.")]
    checked_at: Annotated[datetime | None, Field(description="When Twilio last said so.")]


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
    whatsapp: Annotated[
        ApprovedTemplate | None, Field(description="As which template it goes out on WhatsApp, and how that stands.")
    ]
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
