"""Links in what messages say: found in texts and in HTML, each changed in place and nothing else. Pure, in time
proportional to the text: whoever may send may also write one that means to be costly.

Where it is in doubt how far a link goes, it is left as it is: a link that a guest's phone reads differently would lead
nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape, unescape
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import regex

from bellhop.domain import plain_text
from bellhop.domain.approved_templates import ApprovedText, refused
from bellhop.domain.content import HTML, Content

LONGEST: Final = 2_048
"""Characters of a link that is looked at."""

Change = Callable[[str], str | None]
"""What stands in place of a link; None: it stays."""

# With its scheme: whether `hotel.example` or `www.hotel.example` is one is for the guest's phone to decide. Not within
# a word, an e-mail address or another link. Letters of any script: addresses have them, too.
_FOUND = regex.compile(
    r"(?<![A-Za-z0-9_@.+=&?%#/~-])https?://[\p{L}\p{M}\p{N}\-._~:/?#\[\]@!$&'()*+,;=%]++", regex.IGNORECASE
)
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
"""Where words are not set apart, nobody can tell the end of a link from the word behind it."""
_GOES_ON = frozenset("{\\^")
"""Behind a link these mean that it goes on: they are in no address, but in what people write as one."""
_SENTENCE = frozenset(".,;:!?'*~&")
"""At the end of a link: the sentence's, or a mark that makes it bold."""
_CLOSING = {")": "(", "]": "["}
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?|\[[0-9a-f:.]+\]")
_LONGEST_HOST = 253
_ODD = re.compile(r'[\s<>"`\\]')
_SAFE = "!#$%&'()*+,/:;=?@[]~"
"""What an address has beside letters, digits and `-._`; `%` begins what is escaped already."""
_ATTRIBUTE = re.compile(r"""(?<![\s/])[\s/]++([^\s"'<>/=]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'<>`]++))?""")
_LINKING = frozenset({"a", "area"})


def in_text(text: str, change: Change) -> str:
    """A plain text with the links in it changed."""

    def changed(found: regex.Match[str]) -> str:
        whole = str(found[0])
        link = _without_sentence(whole)
        following = text[found.end() : found.end() + 1]
        if following in _GOES_ON or _UNSPACED.search(whole) or not followable(link):
            return whole
        new = change(link)
        return whole if new is None else new + whole[len(link) :]

    return str(_FOUND.sub(changed, text)) if "://" in text else text


def in_html(html: str, change: Change) -> str:
    """The same of HTML: of what `a` and `area` lead to, whatever the text shows. One that says `clicktracking="off"`
    is left as it is."""
    kept: list[str] = []
    at = 0
    for name, begin, end in plain_text.opening_tags(html):
        place = _href(html[begin:end]) if name in _LINKING else None
        if place is None:
            continue
        first, last = begin + place[0], begin + place[1]
        new = _changed_value(html[first:last], change)
        if new is not None:
            kept += [html[at:first], new]
            at = last
    return "".join([*kept, html[at:]]) if kept else html


def in_content(said: Content, change: Change) -> Content:
    """All that a message says, with the links in it changed: in its text, of HTML in what that leads to, and in the
    values of an approved template, as far as it can carry them then."""
    if said.content_type == HTML:
        text = in_html(said.text, change)
        plain = said.plain if text == said.text else plain_text.of_html(text)
        return replace(said, text=text, plain=plain)
    return replace(said, text=in_text(said.text, change), approved=_approved(said.approved, change))


def _approved(said: ApprovedText | None, change: Change) -> ApprovedText | None:
    if said is None:
        return None
    values = {name: in_text(value, change) for name, value in said.variables.items()}
    text = in_text(said.text, change)
    return said if refused(list(values.values()), text) else ApprovedText(said.content_sid, values, text)


def _without_sentence(link: str) -> str:
    """A link without what the sentence around it ends with: a bracket is its own where it also opens it."""
    surplus = {mark: link.count(mark) - link.count(opening) for mark, opening in _CLOSING.items()}
    end = len(link)
    while end:
        last = link[end - 1]
        if last in _CLOSING and surplus[last] > 0:
            surplus[last] -= 1
        elif last not in _SENTENCE:
            break
        end -= 1
    return link[:end]


def _href(attributes: str) -> tuple[int, int] | None:
    """Where the value of a tag's `href` stands, quotes and all; None: it has none that is to be changed."""
    place: tuple[int, int] | None = None
    for found in _ATTRIBUTE.finditer(attributes):
        name = found[1].lower()
        if name == "clicktracking" and (found[2] or "").strip("\"'").lower() == "off":
            return None
        if name == "href" and place is None and found[2] is not None:
            place = found.span(2)
    return place


def _changed_value(value: str, change: Change) -> str | None:
    mark = value[0] if value[0] in "\"'" else ""
    link = unescape(value.strip(mark) if mark else value).strip()
    new = change(link) if followable(link) else None
    return None if new is None else f"{mark or chr(34)}{escape(new, quote=True)}{mark or chr(34)}"


def followable(link: str) -> bool:
    """Whether it is a whole address of http or https, without a name or password in it, that can be redirected to."""
    return location(link) is not None


def location(link: str) -> str | None:
    """A link as a header names it: ASCII, its host as it is looked up. None: it is none that can be followed."""
    if len(link) > LONGEST or not link.isprintable() or _ODD.search(link):
        return None
    try:
        parts = urlsplit(link)
        host = _host(parts)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or host is None:
        return None
    netloc = host if port is None else f"{host}:{port}"
    return f"{parts.scheme}://{netloc}{quote(_behind(link), safe=_SAFE)}"


def _host(parts: SplitResult) -> str | None:
    """As it is looked up. Raises ValueError (UnicodeError is one)."""
    given = parts.hostname
    if given is None or "@" in parts.netloc or len(given) > _LONGEST_HOST:
        return None
    host = f"[{given}]" if ":" in given else given.encode("idna").decode().lower()
    return host if _HOST.fullmatch(host) else None


def _behind(link: str) -> str:
    """What follows the host."""
    authority = link.index("://") + 3
    ends = (link.find(mark, authority) for mark in "/?#")
    return link[min((end for end in ends if end >= 0), default=len(link)) :]


def with_parameters(link: str, parameters: Mapping[str, str]) -> str:
    """The link with these in its query, behind what is there. What it has itself stays as it is, and so does the
    fragment."""
    base, mark, fragment = link.partition("#")
    path, _, query = base.partition("?")
    there = {one.partition("=")[0].lower() for one in query.split("&")}
    added = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items() if name not in there)
    if not added:
        return link
    longer = f"{path}?{query}{'&' if query and not query.endswith('&') else ''}{added}{mark}{fragment}"
    return longer if len(longer) <= LONGEST else link
