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
    """The texts a message goes out as: one, or for a long SMS several of at most `limit` characters, cut at spaces."""
    if channel is not Channel.SMS or len(content) <= limit:
        return [content]
    found: list[str] = []
    rest = content
    while len(rest) > limit:
        # A cut inside a combining sequence would change the text; a space or line break is always safe.
        cut = max(rest.rfind(" ", 0, limit + 1), rest.rfind("\n", 0, limit + 1))
        if cut <= 0:
            cut = limit
            while cut > limit - 32 and (unicodedata.combining(rest[cut]) or rest[cut] in "\u200d\ufe0f"):
                cut -= 1
        found.append(rest[:cut].rstrip() or rest[:cut])
        rest = rest[cut:].lstrip(" \n") if rest[cut] in " \n" else rest[cut:]
    if rest:
        found.append(rest)
    return found


STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "arret", "arrêt", "baja", "alto"}
)
START_WORDS = frozenset({"start", "yes", "unstop"})


def consent_keyword(text: str) -> str | None:
    """`opt_out` or `opt_in` when the whole text is a keyword carriers define (STOP, START …), else None.

    Only the full body counts: "cancel my dinner" is a wish, not an opt-out.
    """
    word = unicodedata.normalize("NFKC", text).casefold().strip(" \t\r\n.!\"'*")
    if word in STOP_WORDS:
        return "opt_out"
    return "opt_in" if word in START_WORDS else None
