"""The files that messages carry: small pictures, each one's bytes unlike all others'. Pure."""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import lru_cache
from random import Random

SIDE = 24
"""Pixels."""
KIND = "image/png"


@lru_cache(maxsize=4_096)
def picture(number: int) -> bytes:
    """The picture of a message, as PNG."""
    pixels = Random(f"picture {number}").randbytes(3 * SIDE * SIDE)
    rows = b"".join(b"\0" + pixels[3 * SIDE * at : 3 * SIDE * (at + 1)] for at in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@lru_cache(maxsize=4_096)
def digest(number: int) -> str:
    """SHA-256 of it, in hexadecimal digits."""
    return hashlib.sha256(picture(number)).hexdigest()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
