"""A photo in an iPhone's own format loses what the camera wrote beside it, and nothing else."""

from __future__ import annotations

import base64
import io
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.media import heic
from bellhop.media.kinds import UnfitFile, inspect, named
from bellhop.media.photos import Damaged

PLACE = b"Quetzal-Lodge-25.76N"
# 64 × 40 pixels, made by libheif, with EXIF (make, place) and XMP.
PHOTO = base64.b64decode(
    """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAghtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAEZpbG9jAA
AAAERAAAMAAQAAAAACLAABAAAAAAAAABgAAgAAAAACRAABAAAAAAAAAHAAAwAAAAACtAABAAAAAAAAAEQAAABiaWluZgAAAAAAAwAAABVpbmZl
AgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAACppbmZlAgAAAQADAABtaW1lAGFwcGxpY2F0aW9uL3JkZit4bWwAAAAAAA5waX
RtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroC
QGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFG
lzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAKAAAAAEAAAAAAAAAAv///+gAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAA
AAAAAAEAAQWBAgMFhAAAAChpcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAADmNkc2MAAwABAAEAAADUbWRhdAAAABQoAa8FGPqbUjom8/cfk7htej
cbTwAAAAZFeGlmAABNTQAqAAAACAACAQ8AAgAAABUAAAAmiCUABAAAAAEAAAA8AAAAAFF1ZXR6YWwtTG9kZ2UtMjUuNzZOAAAAAQACAAUAAAAD
AAAATgAAAAAAAAAZAAAAAQAAAC0AAAABAAAAJAAAAAE8eDp4bXBtZXRhIHhtbG5zOng9J2Fkb2JlOm5zOm1ldGEvJz5RdWV0emFsLUxvZGdlLT
I1Ljc2TjwveDp4bXBtZXRhPg==
"""
)


def kept(raw: bytes) -> tuple[str, bytes]:
    found = inspect(io.BytesIO(raw), "image/heic", "IMG_0001.HEIC", received=True)
    return found.content_type, found.file.read()


def changed(raw: bytes, before: bytes, after: bytes) -> bytes:
    assert raw.count(before) >= 1
    return raw.replace(before, after)


def test_a_photo_says_no_more_where_it_was_taken() -> None:
    assert PHOTO.count(PLACE) == 2
    content_type, data = kept(PHOTO)
    assert content_type == "image/heic" and named("IMG 1.HEIC", content_type) == "IMG-1.heic"
    assert PLACE not in data and len(data) == len(PHOTO)
    assert kept(data)[1] == data
    # The only bytes that differ are those of the two items: what describes and makes the picture is as it was.
    pieces = [n for n, (one, other) in enumerate(zip(PHOTO, data, strict=True)) if one != other]
    assert PHOTO[: PHOTO.index(b"mdat")] == data[: PHOTO.index(b"mdat")]
    assert len(pieces) < 260


def test_it_is_received_and_not_sent() -> None:
    with pytest.raises(UnfitFile, match="not image/heic"):
        inspect(io.BytesIO(PHOTO), None, None)


def test_a_picture_that_unfolds_to_gigabytes_is_refused() -> None:
    size = PHOTO.index(b"ispe") + 8
    assert heic.pixels(PHOTO) == int.from_bytes(PHOTO[size : size + 4], "big") * int.from_bytes(
        PHOTO[size + 4 : size + 8], "big"
    )
    with pytest.raises(UnfitFile, match="pixels"):
        kept(PHOTO[:size] + (60_000).to_bytes(4, "big") * 2 + PHOTO[size + 8 :])


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
def test_half_a_picture_is_refused(share: float) -> None:
    with pytest.raises(UnfitFile):
        kept(PHOTO[: int(len(PHOTO) * share)])


@pytest.mark.parametrize("name", [b"iloc", b"iinf", b"ispe", b"meta"])
def test_what_cannot_be_understood_is_refused(name: bytes) -> None:
    with pytest.raises(UnfitFile):
        kept(changed(PHOTO, name, b"abcd"))


def test_a_film_and_what_follows_the_picture_are_refused() -> None:
    """What stands in boxes that are not looked into could say where it was taken."""
    for name in (b"moov", b"uuid", b"udta"):
        with pytest.raises(UnfitFile):
            kept(PHOTO + (8 + len(PLACE)).to_bytes(4, "big") + name + PLACE)
    data = kept(PHOTO + (8 + len(PLACE)).to_bytes(4, "big") + b"free" + PLACE)[1]
    assert PLACE not in data


@given(st.integers(0, len(PHOTO) - 1), st.binary(min_size=1, max_size=6))
def test_nothing_breaks_whatever_the_bytes(at: int, raw: bytes) -> None:
    with suppress(Damaged):
        assert len(heic.clean(PHOTO[:at] + raw + PHOTO[at + len(raw) :])) >= len(PHOTO)


def test_entries_that_take_no_bytes_cost_nothing() -> None:
    """As many items of as many pieces as can be said, in a table of some kilobytes."""
    at = PHOTO.index(b"iloc") - 4
    length = int.from_bytes(PHOTO[at : at + 4], "big")
    count = 4_000
    table = b"\0\0\0\0" + b"\0\0" + count.to_bytes(2, "big") + b"\0\1\0\0\xff\xff" * count
    large = (len(table) + 8).to_bytes(4, "big") + b"iloc" + table
    meta = PHOTO.index(b"meta") - 4
    grown = int.from_bytes(PHOTO[meta : meta + 4], "big") + len(large) - length
    raw = PHOTO[:meta] + grown.to_bytes(4, "big") + PHOTO[meta + 4 : at] + large + PHOTO[at + length :]
    began = time.thread_time()
    with pytest.raises(UnfitFile):
        kept(raw)
    assert time.thread_time() - began < 0.5
