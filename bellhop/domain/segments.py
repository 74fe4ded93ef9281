"""How many segments a text message is billed as, and in which alphabet: GSM 03.38 (160 characters, 153 of each where
there are several) or UCS-2 (70, 67). No pair is ever split between two. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

COMFORTABLE = 140
"""Characters beyond which a text is long for a phone's screen, and dearer than it looks."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")


class Encoding(StrEnum):
    """The alphabet a text goes out in."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text is billed as."""

    count: int
    encoding: Encoding


def of_text(text: str) -> Segments:
    """Of one text; an empty one is one segment."""
    if _BASIC.issuperset(text):
        return Segments(_count([1] * len(text), 160, 153), Encoding.GSM_7)
    if all(letter in _BASIC or letter in _EXTENDED for letter in text):
        widths = [2 if letter in _EXTENDED else 1 for letter in text]
        return Segments(_count(widths, 160, 153), Encoding.GSM_7)
    return Segments(_count([2 if ord(letter) > 0xFFFF else 1 for letter in text], 70, 67), Encoding.UCS_2)


def of_texts(texts: Iterable[str]) -> Segments:
    """Of the parts of one message: all their segments, and UCS-2 where any of them needs it."""
    parts = [of_text(text) for text in texts]
    wide = any(part.encoding is Encoding.UCS_2 for part in parts)
    return Segments(sum(part.count for part in parts), Encoding.UCS_2 if wide else Encoding.GSM_7)


def warnings(text: str, segments: Segments) -> list[dict[str, str]]:
    """What its sender may want to know of a text that is accepted as it is."""
    if len(text) <= COMFORTABLE:
        return []
    said = (
        f"The text has {len(text)} characters and is billed as {segments.count} segments of {segments.encoding.value}; "
        f"up to {COMFORTABLE} are read at a glance."
    )
    return [{"code": "long_text", "message": said}]


def _count(widths: list[int], single: int, several: int) -> int:
    if sum(widths) <= single:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > several:
            segments, used = segments + 1, 0
        used += width
    return segments
