"""Short links: their codes and addresses, what a message and its property say of them, and which messages have none
unless their sender asks. Pure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.policy_settings import BadSetting
from bellhop.domain.scopes import LinkSettings, Scope

PATH: Final = "/s/"
SETTING: Final = "short_links"
MOST: Final = 50
"""Of a message, all its steps together; what is more stays as it is."""
LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Of a code: each is one character in the alphabet of SMS, and none looks like another (0 and O, 1 and l and I)."""
LENGTH: Final = 10
"""57¹⁰ codes, 58 bits: with ten million links in use one guess in 36 thousand million is one, and an address may make
one a second. `https://go.hotel.com/s/` and ten more are 33 of an SMS's 160 characters; a UUID would make it 59."""
SHORTEST_LIFE, LONGEST_LIFE = 60, 730 * 86_400
USUAL_LIFE: Final = 180 * 86_400
"""Seconds after a message is due that its links lead somewhere."""

_CODE = re.compile(f"[{LETTERS}]{{{LENGTH}}}")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_NAMES = frozenset({"enabled", "link_tracking", "domain", "expires_after"})
_DOOR_CODES = frozenset(
    f"{of}code{number}"
    for of in ("door", "room", "gate", "entry", "entrance", "access", "lock", "key", "keypad", "smartlock")
    for number in ("", "s")
) | {"pin", "doorpin", "roompin", "lockpin"}
_NOT_LETTERS = re.compile(r"[^a-z]+")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class ShortLinks:
    """What a message asks for of its links."""

    enabled: bool = True
    domain: str | None = None
    """The property's own, or that of the API; None: the property's, else the API's."""
    expires_after: int | None = None
    """Seconds after it is due that they lead somewhere; None: as the property has it."""


def new_code() -> str:
    """One that nobody can guess."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def is_code(given: str) -> bool:
    """Whether it could be a code: what cannot is not looked up."""
    return _CODE.fullmatch(given) is not None


def base(domain: str | None, settings: LinkSettings, public_url: str) -> str | None:
    """Where a message's links begin, up to their code; None: the property has no such domain."""
    own = f"https://{settings.domain}{PATH}" if settings.domain else None
    api = public_url.rstrip("/") + PATH
    if domain is None:
        return own or api
    if own is not None and domain.lower() == settings.domain:
        return own
    return api if domain.lower() in (urlsplit(public_url).netloc.lower(), urlsplit(public_url).hostname) else None


def lets_in(names: Collection[str]) -> bool:
    """Whether a message carries the code of a room: one of its tags, of the keys of its metadata or of its template's
    parameters is called so (`door_code`, `roomCode`, `access-code`, `pin` …)."""
    return any(_NOT_LETTERS.sub("", name[:_LONGEST_NAME].lower()) in _DOOR_CODES for name in names)


def by_default(category: Category, names: Collection[str]) -> bool:
    """Whether its property's settings count for a message that says nothing of its links."""
    return category is not Category.TWO_FACTOR and not lets_in(names)


def tracked(category: Category, scope: Scope) -> bool:
    """Whether tracking parameters are appended where that is asked for: of a campaign's messages, and of tests."""
    return category is Category.MARKETING or scope.environment == "test"


def parameters(channel: Channel, campaign: str) -> dict[str, str]:
    """What is appended: nothing of the guest's. `campaign`: the template's name, else the category."""
    return {"utm_source": "bellhop", "utm_medium": channel.value, "utm_campaign": campaign}


def read(settings: object) -> LinkSettings:
    """What a property's setting says, as far as it says anything."""
    given = settings if isinstance(settings, Mapping) else {}
    try:
        return _read(given)
    except BadSetting:
        return LinkSettings()


def check(settings: Mapping[str, Any]) -> None:
    """Raises BadSetting where a property's settings say something of short links that cannot be."""
    if SETTING in settings:
        if not isinstance(settings[SETTING], Mapping):
            raise BadSetting(SETTING, f'expected {SETTING} to be such as {{"enabled": true}}')
        _read(settings[SETTING])


def _read(given: Mapping[str, Any]) -> LinkSettings:
    if more := {*given} - _NAMES:
        raise _bad(f"nothing but {', '.join(sorted(_NAMES))}, not {min(more)[:40]},")
    enabled, tracking = given.get("enabled", False), given.get("link_tracking", False)
    if not isinstance(enabled, bool) or not isinstance(tracking, bool):
        raise _bad('"enabled" and "link_tracking" to be true or false')
    domain, life = given.get("domain"), given.get("expires_after")
    if domain is not None and (not isinstance(domain, str) or not _DOMAIN.fullmatch(domain)):
        raise _bad('"domain" to be a host name in lower case, such as go.hotel.example,')
    if life is not None and not is_life(life):
        raise _bad(f'"expires_after" to be whole seconds, {SHORTEST_LIFE} to {LONGEST_LIFE},')
    return LinkSettings(enabled, tracking, domain, life)


def is_life(given: object) -> bool:
    """Whether links can lead somewhere for so many seconds."""
    return isinstance(given, int) and not isinstance(given, bool) and SHORTEST_LIFE <= given <= LONGEST_LIFE


def _bad(expected: str) -> BadSetting:
    return BadSetting(SETTING, f"expected {expected} in {SETTING}")


def shown(details: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was done to a message's links, as its object shows it."""
    kept = (details or {}).get("links") or {}
    return {"short_links": kept.get("short"), "link_tracking": bool(kept.get("tracking"))}


def count(details: Mapping[str, Any] | None) -> int:
    """How many short links a message has."""
    return int(((details or {}).get("links") or {}).get("count", 0))
