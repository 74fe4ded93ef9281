"""What a file is, told from its bytes; photos lose what their camera wrote into them and nothing else."""

from __future__ import annotations

import io
import random
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from bellhop.media import kinds, photos
from bellhop.media.kinds import EXTENSIONS, UnfitFile, inspect, named

PLACE = b"Quetzal-Lodge-25.76N"


def picture(size: tuple[int, int] = (64, 40), seed: int = 1) -> Image.Image:
    image = Image.new("RGB", size, (200, 180, 120))
    draw, chance = ImageDraw.Draw(image), random.Random(seed)
    for _ in range(30):
        draw.point([(chance.randrange(size[0]), chance.randrange(size[1]))], (255, 0, chance.randrange(255)))
    return image


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int | None = None) -> bytes:
    made = Image.Exif()
    made[0x010F] = PLACE.decode()
    if orientation:
        made[photos.ORIENTATION] = orientation
    made.get_ifd(0x8825)[2] = (25.0, 45.0, 36.0)
    return made.tobytes()


def kept(raw: bytes, claimed: str | None = None, filename: str | None = None) -> tuple[str, bytes]:
    found = inspect(io.BytesIO(raw), claimed, filename)
    data = found.file.read()
    assert found.size == len(data)
    return found.content_type, data


def frames(raw: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(raw)) as image:
        shown = []
        for at in range(getattr(image, "n_frames", 1)):
            image.seek(at)
            shown.append(image.convert("RGBA").tobytes())
        return shown


PHOTOS = {
    "jpeg": written(picture(), "JPEG", exif=exif(), comment=PLACE, icc_profile=b"a profile"),
    "progressive": written(picture(), "JPEG", exif=exif(), progressive=True, xmp=b"<x:xmpmeta>" + PLACE),
    "png": written(picture(), "PNG", exif=exif(), icc_profile=b"a profile"),
    "png that moves": written(
        picture(), "PNG", exif=exif(), save_all=True, append_images=[picture(seed=2)], duration=100
    ),
    "webp": written(picture(), "WEBP", exif=exif(), xmp=PLACE, icc_profile=b"a profile"),
    "webp that moves": written(picture(), "WEBP", exif=exif(), save_all=True, append_images=[picture(seed=2)]),
}


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_says_no_more_where_it_was_taken(name: str) -> None:
    raw = PHOTOS[name]
    assert PLACE in raw
    content_type, data = kept(raw)
    assert content_type == "image/" + {"progressive": "jpeg"}.get(name, name.partition(" ")[0])
    assert PLACE not in data and b"Exif" not in data and b"eXIf" not in data and b"EXIF" not in data
    assert frames(data) == frames(raw)
    with Image.open(io.BytesIO(data)) as image:
        assert dict(image.getexif()) == {}
        assert ("icc_profile" in image.info) == (b"a profile" in raw or name == "png")
    assert kept(data)[1] == data


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_photo_keeps_which_side_is_up(orientation: int) -> None:
    _, data = kept(written(picture(), "JPEG", exif=exif(orientation)))
    with Image.open(io.BytesIO(data)) as image:
        assert dict(image.getexif()) == {photos.ORIENTATION: orientation}
    assert PLACE not in data


def test_what_follows_a_photo_is_dropped() -> None:
    """Phones append a film, and a second picture with all its data."""
    raw = PHOTOS["jpeg"]
    assert kept(raw + raw + PLACE)[1] == kept(raw)[1]
    assert kept(PHOTOS["png"] + PLACE)[1] == kept(PHOTOS["png"])[1]


def test_texts_in_a_png_are_dropped() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", PLACE.decode())
    info.add_itxt("Description", PLACE.decode())
    assert PLACE not in kept(written(picture(), "PNG", pnginfo=info))[1]


def test_a_picture_that_unfolds_to_gigabytes_is_refused_unread() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(UnfitFile):
        kept(bomb)
    with pytest.raises(UnfitFile, match="pixels"):
        kept(bomb.replace(head, large := struct.pack(">IIBBBBB", 10_000, 8_000, 8, 2, 0, 0, 0)).replace(
            struct.pack(">I", zlib.crc32(b"IHDR" + head)), struct.pack(">I", zlib.crc32(b"IHDR" + large))
        ))  # fmt: skip


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_half_a_picture_is_refused(name: str, share: float) -> None:
    raw = PHOTOS[name]
    with pytest.raises(UnfitFile):
        kept(raw[: max(12, int(len(raw) * share))])


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"GIF89a", b""]),
    st.binary(max_size=300),
)
def test_nothing_breaks_whatever_the_bytes(magic: bytes, raw: bytes) -> None:
    with suppress(UnfitFile):
        kept(magic + raw, "text/plain")


@pytest.mark.parametrize(
    ("raw", "claimed", "filename", "expected"),
    [
        (b"%PDF-1.7\n...", None, None, "application/pdf"),
        (b"%PDF-1.7\n...", "image/png", "x.png", "application/pdf"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", None, None, "video/mp4"),
        (b"#!AMR\n" + b"\x0c" * 32, None, None, "audio/amr"),
        ("Schlüssel: 12".encode(), "text/plain; charset=utf-8", None, "text/plain"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR", None, "stay.ics", "text/calendar"),
        (b"begin:vcard\r\nend:vcard", "text/x-vcard", None, "text/vcard"),
        (b"name;room\nJordan;12", None, "list.CSV", "text/csv"),
    ],
)
def test_the_type_is_read_from_the_bytes(raw: bytes, claimed: str | None, filename: str | None, expected: str) -> None:
    assert kept(raw, claimed, filename) == (expected, raw)


@pytest.mark.parametrize(
    ("raw", "claimed", "filename"),
    [
        (b"", "text/plain", None),
        (b"<!doctype html><script>1</script>", None, "page.html"),
        (b"<!doctype html><script>1</script>", "text/html", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "x.svg"),
        (b"MZ\x90\0" + b"\0" * 60, "image/png", "x.png"),
        (b"PK\x03\x04" + b"\0" * 60, "application/pdf", "x.pdf"),
        (b"\x7fELF" + b"\0" * 60, "text/plain", None),
        (b"#!/bin/sh", None, None),
        (b"hello", "text/calendar", None),
        (b"caf\xe9", "text/plain", None),
        (b"a" * 9_000 + b"\0", "text/plain", None),
    ],
)  # fmt: skip
def test_what_may_not_be_sent_is_refused(raw: bytes, claimed: str | None, filename: str | None) -> None:
    with pytest.raises(UnfitFile, match="expected"):
        kept(raw, claimed, filename)


@pytest.mark.parametrize(
    ("filename", "content_type", "expected"),
    [
        ("Lobby at night.JPEG", "image/jpeg", "Lobby-at-night.jpg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\x\\Rechnung 12.pdf", "application/pdf", "Rechnung-12.pdf"),
        ("x.exe", "application/pdf", "x.pdf"),
        ("日本", "image/png", "file.png"),
        (None, "video/mp4", "file.mp4"),
        ('a"b\r\nc: d.png', "image/png", "a-b-c-d.png"),
        (".png", "image/png", "png.png"),
    ],
)
def test_names_are_plain_and_end_as_the_type_does(filename: str | None, content_type: str, expected: str) -> None:
    assert named(filename, content_type) == expected


def test_every_type_that_may_be_sent_has_an_ending_of_its_own() -> None:
    assert len(set(EXTENSIONS.values())) == len(EXTENSIONS)
    assert kinds.MOST_PIXELS < Image.MAX_IMAGE_PIXELS
