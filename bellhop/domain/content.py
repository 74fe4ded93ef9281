"""What a message says, as one value, and how a long text becomes parts. Pure.

All of it is decided once, at acceptance, and handed unchanged to whoever carries it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import regex

from bellhop.domain import plain_text
from bellhop.domain.channels import CHANNELS, Channel

MAX_CONTENT = 10_000
"""Characters of a message's text, on any channel."""
PLAIN = "text/plain"
HTML = "text/html"

_HTML = re.compile(
    r"<(?:!doctype|/?(?:html|head|body|p|br|div|span|a|b|i|u|em|strong|h[1-6]|ul|ol|li|table|tr|td|th|thead|tbody|img|"
    r"font|center|blockquote|hr|style|pre|code|small|sup|sub|section|header|footer|button))(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_BLANKS = frozenset({" ", "\n", "\r\n"})
"""Where people would cut a text, as graphemes: a space with an accent on it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the guest is to read. Its repr shows none of it."""

    text: str = field(repr=False)
    content_type: str = PLAIN
    """How `text` is written: `text/plain` or `text/html`."""
    subject: str | None = field(default=None, repr=False)
    plain: str | None = field(default=None, repr=False, compare=False)
    """Of HTML: its text, for readers that show none."""


def written(channel: Channel, text: str, subject: str | None = None) -> Content:
    """What a caller wrote: HTML if it contains a known tag and the channel can show it, else plain text."""
    html = CHANNELS[channel].html and _HTML.search(text) is not None
    if not html:
        return Content(text=text, subject=subject)
    return Content(text=text, content_type=HTML, subject=subject, plain=plain_text.of_html(text))


def parts(channel: Channel, text: str) -> list[str]:
    """The texts a message goes out as, one provider call each."""
    limit = CHANNELS[channel].part
    return [text] if limit is None or len(text) <= limit else split(text, limit)


def body(texts: list[str], plain: str | None = None) -> dict[str, Any] | None:
    """What is stored beside a message's text: `{"parts": […]}` of more than one, `{"plain": "…"}` of HTML; None where
    the text itself is all there is."""
    stored: dict[str, Any] = {"parts": texts} if len(texts) > 1 else {}
    return (stored if plain is None else {**stored, "plain": plain}) or None


def plain(content_type: str, text: str, stored: Mapping[str, Any] | None) -> str | None:
    """The text of HTML as it was `stored` at acceptance, or made now of what a version before this one accepted; None:
    it is no HTML."""
    if content_type != HTML:
        return None
    return str(stored["plain"]) if stored and "plain" in stored else plain_text.of_html(text)


def texts(channel: Channel, text: str, stored: Mapping[str, Any] | None) -> list[str]:
    """The parts as they were `stored` at acceptance, whatever the splitter does by now. A version before this one
    stored none: what it accepted is split now."""
    return list(stored["parts"]) if stored and "parts" in stored else parts(channel, text)


def split(text: str, limit: int) -> list[str]:
    """A text as several of at most `limit` characters, cut at spaces and line breaks, which are dropped there.

    A word longer than that is cut between two graphemes (what people see as one character: an emoji of many code
    points, a letter with its accents), a grapheme longer than that anywhere. No part is blank, unless all of the text
    is: a provider would refuse it.
    """
    graphemes = cast("list[str]", regex.findall(r"\X", text))
    found: list[str] = []
    first = 0
    while (end := _fits(graphemes, first, limit)) < len(graphemes):
        if end == first:
            found.append(graphemes[first][:limit])
            graphemes[first] = graphemes[first][limit:]
            continue
        blank = next((at for at in range(end, first, -1) if graphemes[at] in _BLANKS), None)
        cut = end if blank is None else blank
        found.append("".join(graphemes[first:cut]).rstrip())
        first = cut
        while blank is not None and first < len(graphemes) and graphemes[first] in _BLANKS:
            first += 1
    found.append("".join(graphemes[first:]))
    return [part for part in found if part.strip()] or [text[:limit]]


def _fits(graphemes: list[str], first: int, limit: int) -> int:
    """The end of the longest run from `first` that `limit` characters hold."""
    size, end = 0, first
    while end < len(graphemes) and (size := size + len(graphemes[end])) <= limit:
        end += 1
    return end
