"""API keys and properties on the wire."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.schemas.fields import DueTime, JsonObject, Name, Shown, Strict, TimeZone, id_pattern, wrong
from bellhop.domain import keyword_answers, policy_settings, retention, short_links
from bellhop.domain.channels import Channel
from bellhop.domain.choosing import is_order
from bellhop.domain.failures import CHOICES
from bellhop.domain.guests import SETTING_OF_SENDERS, BadLanguage, language
from bellhop.domain.ids import Prefix
from bellhop.domain.policy_settings import BadSetting
from bellhop.domain.templates import TEMPLATE_NAME

Right = Literal[
    "properties:read",
    "properties:write",
    "accounts:read",
    "accounts:write",
    "guests:read",
    "guests:write",
    "messaging:read",
    "messaging:write",
    "webhooks:read",
    "webhooks:write",
    "*",
]
Environment = Literal["test", "live"]


class MintKey(Strict):
    """A new API key, never broader than the one that asks."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"name": "front desk", "environment": "test", "scopes": ["messaging:read", "messaging:write"]}]
        }
    }

    name: Annotated[Name, Field(description="What it is for.")]
    environment: Annotated[
        Environment | None, Field(description="That of the key that asks, which is also the default.")
    ] = None
    scopes: Annotated[list[Right], Field(min_length=1, max_length=20, description="What it may do.")]
    side: Annotated[
        Literal["property", "guest"],
        Field(
            description="For whom its software speaks. `guest`: a platform on which the property's guests write; such "
            "a key opens Booking.com's messaging calls (`/messages`) and nothing else."
        ),
    ] = "property"
    expires_at: Annotated[
        DueTime | None,
        Field(
            description="From then on it is refused. Left out or null: with the key that asks, if that one expires, "
            "else never."
        ),
    ] = None


KEY_EXAMPLE: dict[str, Any] = {
    "id": "key_01kaj3p6zve5jvqzkqdk1w4yb2",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "name": "front desk",
    "environment": "test",
    "scopes": ["messaging:read", "messaging:write"],
    "last4": "x7Qd",
    "side": "property",
    "rate_limit": None,
    "created_at": "2026-03-15T10:00:00.000000Z",
    "last_used_at": None,
    "expires_at": None,
    "revoked_at": None,
}


class Key(Shown):
    """An API key, without its secret."""

    model_config = {"json_schema_extra": {"examples": [KEY_EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.KEY))]
    property_id: str
    name: str
    environment: Environment
    scopes: list[Right]
    last4: Annotated[str, Field(description="The last characters of the key.")]
    side: Annotated[
        Literal["property", "guest"], Field(description="For whom its software speaks; `guest`: a guests' platform.")
    ]
    rate_limit: Annotated[int | None, Field(description="Requests a minute; null: 1,000.")]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: Annotated[datetime | None, Field(description="From then on it is refused; null: never.")]
    revoked_at: datetime | None


class MintedKey(Key):
    """A new API key with its secret, shown this once."""

    model_config = {"json_schema_extra": {"examples": [{**KEY_EXAMPLE, "key": "sk_test_01kaj3p6zve5jvqzkqdk1w4yb2_…"}]}}

    key: Annotated[str, Field(description="The key itself. It is not kept: store it now.")]


_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]{1,255}")


def _origins(given: Any) -> bool:
    """Whether those are origins as browsers write them, 20 at most."""
    return (
        isinstance(given, list)
        and len(given) <= 20
        and all(isinstance(one, str) and _ORIGIN.fullmatch(one) is not None for one in given)
    )


_ANSWERS = (
    'expected keyword_answers to be false, or texts such as {"help": {"en": "Call +1 305 555 0100."}, "start": false}, '
    f"of {keyword_answers.LONGEST} characters at most"
)

_RETENTION = "expected retention to be days, such as " + ", ".join(
    f"{name} (1 to {most})" for name, most in retention.LONGEST.items()
)


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _project(project: str, name: object) -> bool:
    return _UUID.fullmatch(project) is not None and isinstance(name, str) and TEMPLATE_NAME.fullmatch(name) is not None


def _choices(settings: dict[str, Any]) -> dict[str, Any]:
    """What Bellhop itself reads in a property's settings is checked; everything else is the caller's own."""
    try:
        settings = {**settings, **({"language": language(settings["language"])} if "language" in settings else {})}
    except (BadLanguage, AttributeError, TypeError):
        raise wrong("language", "expected language to be a BCP 47 tag, such as en or pt-BR") from None
    in_app = settings.get("in_app", {})
    if not isinstance(in_app, dict) or not _origins(in_app.get("allowed_origins", [])):
        raise wrong("in_app", 'expected in_app to be such as {"allowed_origins": ["https://app.hotel.example"]}')
    first = settings.get("whatsapp_first_contact")
    if first is not None and not (isinstance(first, str) and TEMPLATE_NAME.fullmatch(first)):
        raise wrong("whatsapp_first_contact", "expected whatsapp_first_contact to be the name of a template")
    projects = settings.get("template_projects", {})
    if not isinstance(projects, dict) or not all(_project(*each) for each in projects.items()):
        expected = 'expected template_projects to be names of templates by UUIDs in lower case, {"ce6a…": "arrival"}'
        raise wrong("template_projects", expected)
    if "channel_order" in settings and not is_order(settings["channel_order"]):
        raise wrong("channel_order", 'expected channel_order to be channels, each once, e.g. ["whatsapp", "sms"]')
    chosen = settings.get("outcome_unknown", {})
    known = {channel.value for channel in Channel}
    if not isinstance(chosen, dict) or any(name not in known or chosen[name] not in CHOICES for name in chosen):
        raise wrong("outcome_unknown", 'expected outcome_unknown to be such as {"email": "resend"}: fail or resend')
    accommodation = settings.get("accommodation", "")
    if isinstance(accommodation, bool) or not isinstance(accommodation, (int, str)) or len(str(accommodation)) > 128:
        raise wrong("accommodation", "expected accommodation to be a number or a text, such as 2098153")
    if not isinstance(settings.get("detect_intents", True), bool):
        raise wrong("detect_intents", "expected detect_intents to be true or false")
    if not isinstance(settings.get(SETTING_OF_SENDERS, True), bool):
        raise wrong(SETTING_OF_SENDERS, f"expected {SETTING_OF_SENDERS} to be true or false")
    try:
        policy_settings.check(settings)
        short_links.check(settings)
    except BadSetting as problem:
        raise wrong(problem.name, str(problem)) from None
    if keyword_answers.SETTING in settings:
        try:
            settings = {**settings, keyword_answers.SETTING: keyword_answers.checked(settings[keyword_answers.SETTING])}
        except ValueError:
            raise wrong(keyword_answers.SETTING, _ANSWERS) from None
    if retention.SETTING in settings:
        try:
            settings = {**settings, retention.SETTING: retention.checked(settings[retention.SETTING])}
        except ValueError:
            raise wrong(retention.SETTING, _RETENTION) from None
    return settings


class ChangeProperty(Strict):
    """Fields to change. Those left out stay; null clears currency and country; settings are replaced as a whole, those
    of the key's environment. What a test key changes is seen by test keys only."""

    model_config = {
        "json_schema_extra": {"examples": [{"timezone": "America/New_York", "currency": "USD"}, {"country": None}]}
    }

    name: Name = ""
    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="hotel, resort, apartment …")] = "hotel"
    timezone: Annotated[TimeZone, Field(description="IANA time zone.")] = "UTC"
    currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")] = None
    country: Annotated[str | None, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")] = None
    settings: Annotated[
        JsonObject,
        AfterValidator(_choices),
        Field(
            description="Of the key's environment: your own, `language` (a BCP 47 tag: what templates are chosen by "
            "where a guest's language is not known or not there), `in_app` (`allowed_origins`: of web pages that may "
            "read guests' inboxes, e.g. `https://app.hotel.example`), `whatsapp_first_contact` (a template with the "
            "parameter `content`, as which a free text goes out on WhatsApp where the guest has not written in the "
            "last 24 hours), `channel_order` (the channels of messages sent by `auto`, in the order in which they are "
            'tried, e.g. `["whatsapp", "sms"]`), `accommodation` (what Booking.com\'s messaging calls name '
            "the property by, e.g. `2098153`), `inbox_copies` (true: what is written there for a platform to poll also "
            "goes out on the guest's own channel, chosen as by `auto`), "
            "`template_projects` (names of templates by what Bird's clients call "
            'them, e.g. `{"ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318": "arrival"}`), '
            "`detect_intents` (false: what guests want is not looked for), "
            "`guests_from_inbound` (false: whoever writes and is not known becomes no guest), "
            '`validity` (seconds for which messages of a category are of use, e.g. `{"two_factor": 300}`), '
            "`quiet_hours` (when the guest is left alone, by their clock, e.g. "
            '`[{"categories": ["marketing"], "from": "21:00", "to": "09:00"}]`, with `channels` on these only), '
            "`frequency_caps` (how many of a category a guest gets, e.g. "
            '`[{"category": "marketing", "max": 2, "per": "P7D"}]`), '
            "`short_links` (what becomes of links in messages that say nothing of it, and where short links are, e.g. "
            '`{"enabled": true, "link_tracking": false, "domain": "go.hotel.example", "expires_after": 2592000}`), and '
            "`outcome_unknown`, what to do on a channel when nobody can say whether the provider took a message, "
            "`fail` (the default) or `resend`, e.g. "
            '`{"outcome_unknown": {"email": "resend"}}`.'
        ),
    ] = {}


class Property(Shown):
    """A property: what keys, guests and messages belong to."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
                    "name": "Grand Sunset Resort",
                    "slug": "grand-sunset",
                    "type": "hotel",
                    "timezone": "America/New_York",
                    "currency": "USD",
                    "country": "US",
                    "settings": {},
                    "is_active": True,
                    "created_at": "2026-03-15T10:00:00.000000Z",
                    "updated_at": "2026-03-15T10:00:00.000000Z",
                    "paused_at": None,
                }
            ]
        }
    }

    id: Annotated[str, Field(pattern=id_pattern(Prefix.PROPERTY))]
    name: str
    slug: str
    type: str
    timezone: str
    currency: str | None
    country: str | None
    settings: dict[str, Any]
    is_active: bool
    created_at: datetime
    updated_at: datetime
    paused_at: Annotated[datetime | None, Field(description="Since when the key's environment sends nothing.")]
