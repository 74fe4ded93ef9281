"""How many segments a text is billed as: GSM-7 160/153, else UCS-2 70/67; no pair is ever split."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")


def count(text: str) -> int:
    """Segments of `text`; an empty one is one segment."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        widths, single, several = [2 if character in _EXTENDED else 1 for character in text], 160, 153
    else:
        widths, single, several = [2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67
    if sum(widths) <= single:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > several:
            segments, used = segments + 1, 0
        used += width
    return segments
