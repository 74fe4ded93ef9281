"""What is so of any text: whether a person would see something of it, and how long it is to those who count in UTF-16.
Pure."""

from __future__ import annotations

import regex

# Neither a space of any kind, nor a control or format character, nor one that Unicode says is shown as nothing
# (fillers, variation selectors), nor Braille's empty cell. Characters of private use are shown by some font.
_VISIBLE = regex.compile(r"[^\s\p{Z}\p{Cc}\p{Cf}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]")


def visible(text: str) -> bool:
    """Whether a reader would see anything: a text of spaces, joiners and fillers alone is blank."""
    return _VISIBLE.search(text) is not None


def units(text: str) -> int:
    """The length of a text in UTF-16 code units, in which an emoji counts as two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def within(text: str, limit: int) -> str:
    """The longest beginning of a text that has at most `limit` UTF-16 code units."""
    return text.encode("utf-16-le", "surrogatepass")[: limit * 2].decode("utf-16-le", "ignore")
