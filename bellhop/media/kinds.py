"""What a file is, told from its bytes: what somebody says of it, or names it, is not believed."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from bellhop.media import heic, photos

MOST_PIXELS = 50_000_000
"""Of a picture, all frames beside one another: a small file may unfold to gigabytes on whoever shows it."""
_HEAD = 8_192

EXTENSIONS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/quicktime": "mov",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/ogg": "ogg",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/calendar": "ics",
    "text/vcard": "vcf",
}
"""What may be sent at all, and how its names end. No HTML, no SVG, nothing that runs."""
RECEIVED: Final[Mapping[str, str]] = {**EXTENSIONS, "image/heic": "heic"}
"""What is kept of what guests send. Few programs but an iPhone's show HEIC: it is not sent."""
_SAME: Final[Mapping[str, str]] = {
    "image/jpg": "image/jpeg",
    "image/apng": "image/png",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "video/3gp": "video/3gpp",
    "text/x-vcard": "text/vcard",
}
_TEXTS: Final[Mapping[str, bytes]] = {"text/calendar": b"BEGIN:VCALENDAR", "text/vcard": b"BEGIN:VCARD"}
_PHOTOS = {"image/jpeg": photos.jpeg, "image/png": photos.png, "image/webp": photos.webp}


class UnfitFile(Exception):
    """The file is none that may be sent; the text says what was expected. It quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file as it may be kept: `file` stands at its beginning and holds `size` bytes, a photo's without what its
    camera wrote into it."""

    file: BinaryIO = field(repr=False)
    content_type: str
    size: int
    sha256: bytes


def inspect(file: BinaryIO, claimed: str | None, filename: str | None, *, received: bool = False) -> Inspected:
    """What a file is. `claimed`, `filename`: its sender's word for it, believed only of texts, which look alike.
    `received`: it comes from a guest.

    Blocks; holds a picture in memory. Raises UnfitFile.
    """
    file.seek(0)
    content_type = _type_of(file.read(_HEAD), claimed, filename, RECEIVED if received else EXTENSIONS)
    if content_type.startswith("image/"):
        file = _picture(file, content_type)
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(1 << 20):
        if content_type.startswith("text/") and b"\0" in chunk:
            raise UnfitFile("expected a text without NUL characters")
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return Inspected(file, content_type, size, digest.digest())


def named(filename: str | None, content_type: str) -> str:
    """A file's name for others to see: of letters, digits, `-`, `_` and `.`, ending as its type does."""
    extension = RECEIVED[content_type]
    stem = (filename or "").replace("\\", "/").rpartition("/")[2]
    stem = stem.rpartition(".")[0] or stem
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in stem)
    kept = "-".join(part for part in kept.split("-") if part)[:60]
    return f"{kept or 'file'}.{extension}"


def _type_of(head: bytes, claimed: str | None, filename: str | None, accepted: Mapping[str, str]) -> str:
    if not head:
        raise UnfitFile("expected a file that is not empty")
    import filetype  # here, as PIL below: for the processes that see no files

    found = filetype.guess_mime(head)
    if found is not None:
        content_type = _SAME.get(found, found)
        if content_type not in accepted or content_type.startswith("text/"):
            raise UnfitFile(f"expected a file of a type that can be sent, not {content_type}")
        return str(content_type)
    return _text_type(head, claimed, filename)


def _text_type(head: bytes, claimed: str | None, filename: str | None) -> str:
    """Of a text its sender says what sort it is; nothing in it may be more than a text."""
    wanted = (claimed or "").partition(";")[0].strip().lower()
    wanted = _SAME.get(wanted, wanted)
    if wanted not in EXTENSIONS:
        ending = (filename or "").rpartition(".")[2].lower()
        wanted = next((kind for kind, extension in EXTENSIONS.items() if extension == ending), "")
    try:
        text = head.decode("utf-8", "strict") if len(head) < _HEAD else head[: _HEAD - 4].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if not wanted.startswith("text/") or "\0" in text:
        raise UnfitFile("expected a file whose type can be told from its bytes: " + ", ".join(EXTENSIONS))
    begins = _TEXTS.get(wanted)
    if begins is not None and not head.lstrip(b"\xef\xbb\xbf\r\n ").upper().startswith(begins):
        raise UnfitFile(f"expected {wanted} to begin with {begins.decode()}")
    return wanted


def _picture(file: BinaryIO, content_type: str) -> BinaryIO:
    """The picture without what its camera wrote into it: when, where and with what it was taken."""
    file.seek(0)
    raw = file.read()
    if content_type == "image/heic":
        return _heic(raw)
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            # Reads the head only; nothing is unpacked.
            with Image.open(io.BytesIO(raw), formats=[content_type.removeprefix("image/")]) as image:
                pixels = image.width * image.height * min(getattr(image, "n_frames", 1), 100)
                turned = image.getexif().get(photos.ORIENTATION) if content_type == "image/jpeg" else None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        raise UnfitFile("expected a picture that can be read") from None
    if pixels > MOST_PIXELS:
        raise UnfitFile(f"expected a picture of at most {MOST_PIXELS:,} pixels")
    if content_type not in _PHOTOS:
        return io.BytesIO(raw)
    try:
        return io.BytesIO(_PHOTOS[content_type](raw, turned if isinstance(turned, int) else None))
    except photos.Damaged:
        raise UnfitFile("expected a picture that is whole") from None


def _heic(raw: bytes) -> BinaryIO:
    try:
        if heic.pixels(raw) > MOST_PIXELS:
            raise UnfitFile(f"expected a picture of at most {MOST_PIXELS:,} pixels")
        return io.BytesIO(heic.clean(raw))
    except photos.Damaged:
        raise UnfitFile("expected a picture that is whole") from None
