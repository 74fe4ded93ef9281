"""What a message is made of: channels, addresses, content type, and how a long text becomes parts."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

MAX_CONTENT = 10_000
SMS_PART = 1_600
"""Longest body Twilio takes in one request (error 21617 above)."""


class Channel(StrEnum):
    """How a message reaches the guest."""

    SMS = "sms"
    EMAIL = "email"
    IN_APP = "in_app"
    WHATSAPP = "whatsapp"
    PUSH = "push"


class AddressKind(StrEnum):
    """What sort of address a contact point or a consent is about."""

    PHONE = "phone"
    EMAIL = "email"
    GUEST = "guest"
    DEVICE = "device"


ADDRESS_KIND: dict[Channel, AddressKind] = {
    Channel.SMS: AddressKind.PHONE,
    Channel.EMAIL: AddressKind.EMAIL,
    Channel.IN_APP: AddressKind.GUEST,
    Channel.WHATSAPP: AddressKind.PHONE,
    Channel.PUSH: AddressKind.DEVICE,
}

REPORTS_READING: frozenset[Channel] = frozenset({Channel.EMAIL, Channel.IN_APP, Channel.WHATSAPP})
"""Channels on which a guest's reading can become known, so that a delivered message is still followed."""

_HTML = re.compile(
    r"<(?:!doctype|/?(?:html|head|body|p|br|div|span|a|b|i|u|em|strong|h[1-6]|ul|ol|li|table|tr|td|th|thead|tbody|img|"
    r"font|center|blockquote|hr|style|pre|code|small|sup|sub|section|header|footer|button))(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


def content_type(channel: Channel, content: str) -> str:
    """`text/html` for an e-mail that contains a known HTML tag, else `text/plain`. Decided once, at acceptance."""
    return "text/html" if channel is Channel.EMAIL and _HTML.search(content) else "text/plain"


def parts(channel: Channel, content: str, limit: int = SMS_PART) -> list[str]:
    """The texts a message goes out as: one, or for a long SMS several of at most `limit` characters, cut at spaces.

    None of them is blank: a provider would refuse it.
    """
    if channel is not Channel.SMS or len(content) <= limit:
        return [content]
    found: list[str] = []
    rest = content
    while len(rest) > limit:
        # A space or line break is always a safe place; without one, any place between two characters.
        cut = max(rest.rfind(" ", 0, limit + 1), rest.rfind("\n", 0, limit + 1))
        if cut <= 0:
            cut = next(
                (at for at in range(limit, max(0, limit - LONGEST_CHARACTER), -1) if not _inside(rest, at)), limit
            )
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip(" \n") if rest[cut] in " \n" else rest[cut:]
    found.append(rest)
    return [part for part in found if part.strip()] or [content[:limit]]


LONGEST_CHARACTER = 32
"""Code points: the longest emoji have about a dozen, and accents can be piled up."""


def _inside(text: str, at: int) -> bool:
    """True where a cut before `text[at]` would fall inside what people see as one character."""
    if unicodedata.combining(text[at]) or text[at] in "\u200d\ufe0f" or "\U0001f3fb" <= text[at] <= "\U0001f3ff":
        return True
    if text[at - 1] == "\u200d":
        return True
    # Two regional indicators make a flag: inside one after an odd number of them.
    before = 0
    while _indicator(text[at]) and before < at and _indicator(text[at - 1 - before]):
        before += 1
    return before % 2 == 1


def _indicator(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
