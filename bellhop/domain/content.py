"""What a message says, as one value, and how a long text becomes parts. Pure.

All of it is decided once, at acceptance, and handed unchanged to whoever carries it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import regex

from bellhop.domain import options, plain_text
from bellhop.domain.approved_templates import ApprovedText
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.media import Media
from bellhop.domain.options import Options
from bellhop.domain.text import units, visible, within

MAX_CONTENT = 10_000
"""Characters of a message's text, on any channel."""
PLAIN = "text/plain"
HTML = "text/html"

# Elements that are longer than a letter, and `p`: those of the HTML living standard, the obsolete ones that old mails
# are full of, and the roots of what is embedded.
_WORDS = (
    "abbr|acronym|address|area|article|aside|audio|base|bdi|bdo|big|blink|blockquote|body|br|button|canvas|caption|"
    "center|cite|code|col|colgroup|data|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption|"
    "figure|font|footer|form|frame|frameset|h1|h2|h3|h4|h5|h6|head|header|hgroup|hr|html|iframe|img|input|ins|kbd|label|"
    "legend|li|link|main|map|mark|marquee|math|menu|meta|meter|nav|nobr|noframes|noscript|object|ol|optgroup|option|"
    "output|p|param|picture|plaintext|pre|progress|rp|rt|ruby|samp|script|search|section|select|selectedcontent|slot|"
    "small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|"
    "title|tr|track|tt|ul|var|video|wbr|xmp"
)
# Elements that could as well be a letter of a sum: `a<b>c`. An end tag follows all of them.
_LETTERS = "a|b|i|q|s|u"
# Attributes that stand without a value. Any other word without one is text: `a<b and b>c`.
_SWITCHES = (
    "allowfullscreen|async|autofocus|autoplay|checked|compact|controls|default|defer|disabled|hidden|inert|ismap|loop|"
    "multiple|muted|noresize|noshade|novalidate|nowrap|open|playsinline|readonly|required|reversed|selected"
)
_VALUED = r"""\s+[^\s"'<>/=]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+)"""
_ATTRIBUTES = rf"(?:{_VALUED}|\s+(?:{_SWITCHES})(?=[\s/>]))*\s*/?>"
_HTML = re.compile(
    rf"<!doctype\s+html\b|</(?:{_WORDS}|{_LETTERS})\s*>|<(?:{_WORDS}){_ATTRIBUTES}|<(?:{_LETTERS}){_VALUED}{_ATTRIBUTES}",
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
    media: tuple[Media, ...] = ()
    options: Options = options.NONE
    approved: ApprovedText | None = field(default=None, repr=False)
    """Of a message that has one: what goes out instead of the text where that may not. Of a call: what goes out."""
    links: Mapping[str, Any] | None = None
    """What was done to its links, as its `details` keep it."""


def written(channel: Channel, text: str, subject: str | None = None, content_type: str | None = None) -> Content:
    """What a caller wrote. `content_type`: what the caller says it is; None: HTML if it contains a tag and the channel
    can show it, else plain text."""
    guessed = HTML if CHANNELS[channel].html and _HTML.search(text) is not None else PLAIN
    if (content_type or guessed) != HTML:
        return Content(text=text, subject=subject)
    return Content(text=text, content_type=HTML, subject=subject, plain=plain_text.of_html(text))


def parts(channel: Channel, text: str) -> list[str]:
    """The texts a message goes out as, one provider call each."""
    limit = CHANNELS[channel].part
    return [text] if limit is None or units(text) <= limit else split(text, limit)


def body(texts: list[str], plain: str | None = None, approved: ApprovedText | None = None) -> dict[str, Any] | None:
    """What is stored beside a message's text: `{"parts": […]}` of more than one, `{"plain": "…"}` of HTML,
    `{"approved": {…}}` where there is such a template; None where the text itself is all there is."""
    stored: dict[str, Any] = {"parts": texts} if len(texts) > 1 else {}
    stored |= {} if plain is None else {"plain": plain}
    # It goes out in one call, whatever its text would take.
    stored |= {"approved": approved.stored()} if approved is not None and len(texts) == 1 else {}
    return stored or None


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
    """A text as several of at most `limit` UTF-16 code units, cut at spaces and line breaks, which are dropped there.

    A word longer than that is cut between two graphemes (what people see as one character: an emoji of many code
    points, a letter with its accents), a grapheme longer than that anywhere. No part is blank, unless all of the text
    is: a provider would refuse it.
    """
    graphemes = cast("list[str]", regex.findall(r"\X", text))
    found: list[str] = []
    first = 0
    while (end := _fits(graphemes, first, limit)) < len(graphemes):
        if end == first:
            beginning = within(graphemes[first], limit)
            found.append(beginning)
            graphemes[first] = graphemes[first].removeprefix(beginning)
            continue
        blank = next((at for at in range(end, first, -1) if graphemes[at] in _BLANKS), None)
        cut = end if blank is None else blank
        found.append("".join(graphemes[first:cut]).rstrip())
        first = cut
        while blank is not None and first < len(graphemes) and graphemes[first] in _BLANKS:
            first += 1
    found.append("".join(graphemes[first:]))
    return [part for part in found if visible(part)] or [within(text, limit)]


def _fits(graphemes: list[str], first: int, limit: int) -> int:
    """The end of the longest run from `first` that has at most `limit` UTF-16 code units."""
    size, end = 0, first
    while end < len(graphemes) and (size := size + units(graphemes[end])) <= limit:
        end += 1
    return end
