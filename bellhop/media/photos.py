"""Photos without what cameras write into them (where, when, with what, a small copy of it), cut out of the file as it
is: no pixel is unpacked, so none changes and a malicious picture costs nothing.

JPEG: ITU T.81, annex B. PNG: its specification, chapter 5. WebP: RFC 9649.
"""

from __future__ import annotations

import re
import struct

ORIENTATION = 0x0112
"""The EXIF tag that says which side of a photo is up: the one that is kept."""

_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
_KEPT_IN_PNG = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"bKGD",
     b"pHYs", b"acTL", b"fcTL", b"fdAT"}
)  # fmt: skip
_DROPPED_IN_WEBP = frozenset({b"EXIF", b"XMP "})
_WEBP_METADATA = 0b00001100
"""The flags of a VP8X chunk that announce EXIF and XMP."""


class Damaged(Exception):
    """The file is not whole."""


def jpeg(raw: bytes, orientation: int | None) -> bytes:
    """The picture, its colour profile, and which side is up. What follows its end is dropped."""
    out = [b"\xff\xd8"]
    if orientation is not None and 2 <= orientation <= 8:
        out.append(_orientation(orientation))
    at = 2
    while True:
        if at + 4 > len(raw) or raw[at] != 0xFF:
            raise Damaged
        code = raw[at + 1]
        if code == 0xFF:
            at += 1
            continue
        if code == 0xD9:
            out.append(b"\xff\xd9")
            return b"".join(out)
        (length,) = struct.unpack_from(">H", raw, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(raw):
            raise Damaged
        segment = raw[at:end]
        if code == 0xDA:
            found = _MARKER.search(raw, end)
            if found is None:
                raise Damaged
            out.append(raw[at : found.start()])
            at = found.start()
            if raw[found.end() - 1] == 0xD9:
                out.append(b"\xff\xd9")
                return b"".join(out)
            continue
        if _kept_in_jpeg(code, segment):
            out.append(segment)
        at = end


def png(raw: bytes, _: int | None) -> bytes:
    """The picture and its colours, moving or not."""
    out, at = [raw[:8]], 8
    while at + 12 <= len(raw):
        (length,) = struct.unpack_from(">I", raw, at)
        end = at + 12 + length
        name = raw[at + 4 : at + 8]
        if end > len(raw):
            raise Damaged
        if name in _KEPT_IN_PNG:
            out.append(raw[at:end])
        if name == b"IEND":
            return b"".join(out)
        at = end
    raise Damaged


def webp(raw: bytes, _: int | None) -> bytes:
    """The picture and its colours, moving or not."""
    out, at = [b"WEBP"], 12
    (announced,) = struct.unpack_from("<I", raw, 4)
    stop = min(len(raw), announced + 8)
    if announced + 8 > len(raw) + 1:
        raise Damaged
    while at + 8 <= stop:
        name = raw[at : at + 4]
        (length,) = struct.unpack_from("<I", raw, at + 4)
        end = at + 8 + length + length % 2
        if at + 8 + length > stop:
            raise Damaged
        if name == b"VP8X" and length >= 1:
            flags = raw[at + 8] & ~_WEBP_METADATA
            out.append(raw[at : at + 8] + bytes([flags]) + raw[at + 9 : end])
        elif name not in _DROPPED_IN_WEBP:
            out.append(raw[at:end])
        at = end
    body = b"".join(out)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _kept_in_jpeg(code: int, segment: bytes) -> bool:
    if code == 0xE2:
        return segment[4:16] == b"ICC_PROFILE\0"
    # APP0 (JFIF) and APP14 (how its colours are meant); no other APPn, no comment.
    return not (0xE1 <= code <= 0xEF or code == 0xFE) or code == 0xEE


def _orientation(value: int) -> bytes:
    """A segment of EXIF that says which side is up, and nothing else."""
    tiff = b"MM\0\x2a\0\0\0\x08" + struct.pack(">HHHIHHI", 1, ORIENTATION, 3, 1, value, 0, 0)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
