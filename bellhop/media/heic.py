"""HEIC, the format of an iPhone's photos, without what the camera wrote beside the picture: that becomes empty, and
everything else stays where it is. No pixel is unpacked.

A file is made of boxes; one of them, `meta`, lists its items (ISO 14496-12, section 8.11; ISO 23008-12): pictures,
their tiles, and what says when, where and with what they were taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bellhop.media.photos import Damaged

MOST_ITEMS = 4_096
"""A photo of 48 megapixels has about a hundred, most in one piece each."""
_PICTURES = frozenset({b"hvc1", b"hev1", b"hvt1", b"av01", b"jpeg", b"grid", b"iovl", b"iden", b"tmap"})
"""The types of items that are pictures, or parts and versions of one."""
_EMPTY = {
    b"Exif": b"\0\0\0\0MM\0\x2a\0\0\0\x08\0\0\0\0\0\0",
    b"mime": b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
}
"""What says nothing and can be read: programs expect there what the list of items says."""
_BESIDE_THE_ITEMS = frozenset({b"ftyp", b"meta", b"mdat", b"free", b"skip"})


class _Box(NamedTuple):
    name: bytes
    start: int
    """Of what is in it."""
    end: int


@dataclass(slots=True)
class _Reader:
    """Reads numbers one after another, never past `end`. Raises Damaged."""

    raw: bytes
    at: int
    end: int

    def number(self, size: int) -> int:
        if self.at + size > self.end:
            raise Damaged
        value = int.from_bytes(self.raw[self.at : self.at + size], "big")
        self.at += size
        return value

    def bytes(self, size: int) -> bytes:
        if self.at + size > self.end:
            raise Damaged
        self.at += size
        return self.raw[self.at - size : self.at]


def clean(raw: bytes) -> bytes:
    """The picture, nothing in it but pictures. Raises Damaged, also of a film."""
    out = bytearray(raw)
    meta = None
    for box in _boxes(raw, 0, len(raw)):
        if box.name == b"meta" and meta is None:
            meta = box
        elif box.name not in _BESIDE_THE_ITEMS or box.name == b"meta":
            raise Damaged
        elif box.name in (b"free", b"skip"):
            out[box.start : box.end] = bytes(box.end - box.start)
    if meta is None:
        raise Damaged
    inside = {box.name: box for box in _boxes(raw, meta.start + 4, meta.end)}
    if not {b"iinf", b"iloc"} <= inside.keys():
        raise Damaged
    kinds = dict(_items(raw, inside[b"iinf"]))
    if _PICTURES.isdisjoint(kinds.values()):
        raise Damaged
    data = inside.get(b"idat")
    emptied = 0
    for number, start, end in _places(raw, inside[b"iloc"], data):
        if not 0 <= start <= end <= len(raw):
            raise Damaged
        if (kind := kinds.get(number)) not in _PICTURES:
            if start < meta.end and not (data and data.start <= start and end <= data.end):
                raise Damaged  # what describes the picture is none of its data
            emptied += end - start
            if emptied > len(raw):
                raise Damaged  # no byte is in two of them
            out[start:end] = _empty(kind, end - start)
    return bytes(out)


def _empty(kind: bytes | None, size: int) -> bytes:
    says_nothing = _EMPTY.get(kind or b"", b"")
    filler = b" " if kind == b"mime" else b"\0"
    return says_nothing + filler * (size - len(says_nothing)) if len(says_nothing) <= size else filler * size


def pixels(raw: bytes) -> int:
    """How many pixels the largest picture in it unfolds to. Raises Damaged."""
    found = 0
    for box in _within(raw, (b"meta", b"iprp", b"ipco")):
        if box.name == b"ispe":
            reader = _Reader(raw, box.start + 4, box.end)
            found = max(found, reader.number(4) * reader.number(4))
    if not found:
        raise Damaged
    return found


def _within(raw: bytes, path: tuple[bytes, ...]) -> Iterator[_Box]:
    """The boxes in the box at that path."""
    start, end = 0, len(raw)
    for name in path:
        box = next((box for box in _boxes(raw, start, end) if box.name == name), None)
        if box is None:
            raise Damaged
        start, end = box.start + (4 if name == b"meta" else 0), box.end
    yield from _boxes(raw, start, end)


def _boxes(raw: bytes, start: int, end: int) -> Iterator[_Box]:
    at, count = start, 0
    while at < end:
        count += 1
        reader = _Reader(raw, at, end)
        length, name = reader.number(4), reader.bytes(4)
        if length == 1:
            length = reader.number(8)
        elif length == 0:
            length = end - at
        if length < reader.at - at or at + length > end or count > MOST_ITEMS:
            raise Damaged
        yield _Box(name, reader.at, at + length)
        at += length


def _items(raw: bytes, box: _Box) -> Iterator[tuple[int, bytes]]:
    """The number and type of each item."""
    reader = _Reader(raw, box.start, box.end)
    count = reader.number(2 if reader.number(4) >> 24 == 0 else 4)
    entries = list(_boxes(raw, reader.at, box.end))
    if count != len(entries):
        raise Damaged
    for entry in entries:
        item = _Reader(raw, entry.start, entry.end)
        version = item.number(4) >> 24
        if entry.name != b"infe" or version not in (2, 3):
            raise Damaged
        number = item.number(2 if version == 2 else 4)
        item.number(2)
        yield number, item.bytes(4)


def _places(raw: bytes, box: _Box, data: _Box | None) -> Iterator[tuple[int, int, int]]:
    """Of each piece of each item its number, and where it starts and ends."""
    reader = _Reader(raw, box.start, box.end)
    version = reader.number(4) >> 24
    if version > 2:
        raise Damaged
    sizes = reader.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 0xF for shift in (12, 8, 4, 0))
    wide = 2 if version < 2 else 4
    count = reader.number(wide)
    if count > MOST_ITEMS:
        raise Damaged
    pieces = 0
    for _ in range(count):
        number = reader.number(wide)
        method = reader.number(2) & 0xF if version else 0
        if reader.number(2) != 0 or method > 2 or (method == 1 and data is None):
            raise Damaged  # in another file, or nowhere
        base = reader.number(base_size)
        for _ in range(reader.number(2)):
            pieces += 1
            if pieces > MOST_ITEMS:
                raise Damaged  # an entry may take no bytes at all
            if version:
                reader.number(index_size)
            start, length = base + reader.number(offset_size), reader.number(length_size)
            if method == 2:
                continue  # made of another item's bytes
            if method == 1 and data is not None:
                start += data.start
            end = start + length if length else (data.end if method == 1 and data else len(raw))
            yield number, start, end
