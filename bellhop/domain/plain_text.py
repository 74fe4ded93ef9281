"""The text of an HTML mail, for readers that show no HTML. Pure, in time and size proportional to what it is given:
whoever may send may also write HTML that means to be costly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape

AT_MOST = 3
"""The text is at most so many times as long as the HTML. (Only lists and rules add anything.)"""

_HIDDEN = frozenset({"head", "template", "noscript", "object", "svg"})
_RAW = {
    name: re.compile(rf"</{name}\b[^>]*>?", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "iframe")
}
"""Nothing in them is markup but their end."""
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "header", "html", "legend", "li", "main", "nav", "ol", "option",
        "pre", "section", "select", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
    }
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table", "pre"})
_CELLS = frozenset({"td", "th"})
_DEEPEST = 6
"""How far lists are indented."""
_SPACES = re.compile(r"[ \t\r\n\f]+")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)")
_STOP = re.compile("[>\"']")


def of_html(html: str, quotes: Callable[[str, str], bool] | None = None) -> str:
    """What a reader would see, laid out in lines. Styles, scripts and what else is not shown are left out. `quotes`:
    whether an element of that name and those attributes holds what is quoted, whose lines begin with `>` then."""
    layout = _Layout(quotes)
    at = 0
    while (start := html.find("<", at)) >= 0:
        layout.write(html[at:start])
        at = _markup(html, start, layout)
    layout.write(html[at:])
    return layout.text()[: AT_MOST * len(html)]


def opening_tags(html: str) -> Iterator[tuple[str, int, int]]:
    """The tags that open an element, in order: its name, and where its attributes begin and end. Nothing within a
    comment or a script is one."""
    at = 0
    while (start := html.find("<", at)) >= 0:
        tag = _TAG.match(html, start)
        if tag is None:
            at = _declaration(html, start) or start + 1
            continue
        end = _end_of_tag(html, tag.end())
        if end is None:
            return
        at, name = end, tag[2].lower()
        if tag[1]:
            continue
        yield name, tag.end(), end - 1
        if name in _RAW:
            closed = _RAW[name].search(html, end)
            at = closed.end() if closed else len(html)


def _markup(html: str, start: int, layout: _Layout) -> int:
    """Take what begins with the `<` at `start`; returns where it ends. No part of the text is looked at twice."""
    tag = _TAG.match(html, start)
    if tag is None:
        end = _declaration(html, start)
        if end is None:
            layout.write("<")
            return start + 1
        return end
    end = _end_of_tag(html, tag.end())
    if end is None:
        layout.write(html[start:])
        return len(html)
    closing, name = bool(tag[1]), tag[2].lower()
    if closing:
        layout.close(name)
        return end
    if name in _RAW:
        closed = _RAW[name].search(html, end)
        return closed.end() if closed else len(html)
    layout.open(name, html[tag.end() : end - 1])
    return end


def _declaration(html: str, start: int) -> int | None:
    """The end of a comment or of what else is markup without a name; None: it is none."""
    if html.startswith("<!--", start):
        closed = html.find("-->", start + 4)
        return len(html) if closed < 0 else closed + 3
    if html.startswith(("<!doctype", "<!DOCTYPE", "<?", "<![if", "<![endif"), start):
        closed = html.find(">", start)
        return len(html) if closed < 0 else closed + 1
    return None


def _end_of_tag(html: str, at: int) -> int | None:
    """Behind the `>` that ends a tag, which may also stand in a quoted value; None: there is none."""
    while stop := _STOP.search(html, at):
        at = stop.end()
        if stop[0] == ">":
            return at
        if html[stop.start() - 1] == "=" and (closed := html.find(stop[0], at)) >= 0:
            at = closed + 1
    return None


class _Layout:
    """Lines as they are written."""

    def __init__(self, quotes: Callable[[str, str], bool] | None) -> None:
        self._quotes = quotes
        self._quoting: tuple[str, int] | None = None
        """The element whose text is quoted, and how many of its name are open within it."""
        self._lines: list[str] = []
        self._line: list[str] = []
        self._hidden = 0
        self._pre = 0
        self._lists: list[int | None] = []
        """The open lists: the number of the last item, None where they are not numbered."""

    def open(self, tag: str, attributes: str) -> None:
        """A tag begins."""
        if self._quoting is not None:
            self._quoting = (self._quoting[0], self._quoting[1] + (tag == self._quoting[0]))
        elif self._quotes is not None and not self._hidden and self._quotes(tag, attributes):
            self._break()
            self._quoting = (tag, 1)
        if tag in _HIDDEN:
            self._hidden += 1
        elif self._hidden:
            return
        elif tag == "br":
            self._break(even_empty=True)
        elif tag == "hr":
            self._paragraph()
            self._line.append("---")
            self._paragraph()
        elif tag in _CELLS:
            self._line.append(" ")
        elif tag == "li":
            self._break()
            self._line.append(self._mark())
        else:
            self._edge(tag, within_list=bool(self._lists))
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        self._pre += tag == "pre"

    def close(self, tag: str) -> None:
        """A tag ends."""
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif not self._hidden:
            self._edge(tag, within_list=len(self._lists) > 1)
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            if tag == "pre":
                self._pre = max(0, self._pre - 1)
        if self._quoting is not None and tag == self._quoting[0]:
            left = self._quoting[1] - 1
            if not left:
                self._break()
            self._quoting = (tag, left) if left else None

    def write(self, html: str) -> None:
        """Text, with its entities."""
        if self._hidden or not html:
            return
        data = unescape(html)
        if not self._pre:
            self._line.append(_SPACES.sub(" ", data))
            return
        first, *others = data.split("\n")
        self._line.append(first)
        for other in others:
            self._break(even_empty=True)
            self._line.append(other)

    def _edge(self, tag: str, *, within_list: bool) -> None:
        if tag in _PARAGRAPHS and not (within_list and tag in ("ul", "ol")):
            self._paragraph()
        elif tag in _BLOCKS:
            self._break()

    def _mark(self) -> str:
        depth = min(len(self._lists), _DEEPEST)
        mark = "* "
        if self._lists and (number := self._lists[-1]) is not None:
            self._lists[-1] = number + 1
            mark = f"{number + 1}. "
        return "\N{NO-BREAK SPACE}" * 2 * max(0, depth - 1) + mark

    def _break(self, *, even_empty: bool = False) -> None:
        written = "".join(self._line)
        line = written.rstrip() if self._pre else _SPACES.sub(" ", written).strip(" ")
        if line or even_empty:
            mark = "> " if self._quoting is not None else ""
            self._lines.append(mark + line.replace("\N{NO-BREAK SPACE}", " "))
        self._line.clear()

    def _paragraph(self) -> None:
        self._break()
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def text(self) -> str:
        self._break()
        return "\n".join(self._lines).strip("\n")
