"""A mail as it came, read: who wrote it, what it answers, whether a program wrote it, its text and its files. Pure.

Strangers send these: whatever costs more than the mail's size is bounded, and nothing here raises but for a mail that
is none.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from typing import Final

LONGEST_HEAD: Final = 256 * 1024
"""Bytes of a mail's head that are read."""
LONGEST_HEADER: Final = 8_192
LONGEST_BODY: Final = 2 * 1024 * 1024
"""Bytes of its text, or of its HTML, that are read."""
MOST_PARTS: Final = 200
MOST_NESTED: Final = 20
MOST_LINES: Final = 800_000
"""More than 40 MB of base64 has."""
MOST_DIVIDERS: Final = 5_000
FIRST: Final = 1024 * 1024
"""What is read of a mail that has more of either."""
MOST_REFERENCES: Final = 50

_ID = re.compile(r"<[^<>\s]{1,250}>")
_NOT_TEXT = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_BULK = frozenset({"bulk", "list", "junk", "auto_reply"})
_AUTOMATIC_HEADERS = (
    "x-autoreply", "x-autorespond", "x-auto-reply", "x-failed-recipients", "list-id", "list-post", "list-unsubscribe",
    "feedback-id",
)  # fmt: skip
_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon"})


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file that came with a mail. `content_type`, `filename`: its sender's word."""

    data: bytes = field(repr=False)
    filename: str | None = field(default=None, repr=False)
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What a mail says of itself. `sender`: the address it is from; empty: it names none."""

    sender: str = field(repr=False)
    name: str | None = field(repr=False)
    subject: str | None = field(repr=False)
    message_id: str | None
    references: tuple[str, ...]
    """The ids of the mails it answers, the nearest first."""
    automatic: bool
    """A program wrote it, or a mailing list passed it on (RFC 3834, RFC 2919): nobody answers it."""


@dataclass(frozen=True, slots=True)
class Body:
    """The first text of a mail, plain and as HTML, and its files."""

    text: str | None = field(repr=False)
    html: str | None = field(repr=False)
    files: tuple[MailFile, ...] = ()


def head(raw: bytes) -> Head:
    """Of a mail's head as it came, or of all of it."""
    return _head(message_from_bytes(_only_head(raw)))


def whole(raw: bytes) -> tuple[Head, Body]:
    """A mail in MIME (RFC 2045)."""
    nested = raw.lower().count(b"multipart/") + raw.lower().count(b"message/rfc822")
    if nested > MOST_NESTED or raw.count(b"\n") > MOST_LINES:
        raw = raw[:FIRST]
    raw = _with_few_parts(raw)
    found = head(raw)
    try:
        return found, _body(message_from_bytes(raw))
    except (RecursionError, ValueError, LookupError, AttributeError):
        # What nests without an end, or breaks the library's reader, is no text to anybody.
        return found, Body(None, None)


def _with_few_parts(raw: bytes) -> bytes:
    """As much of it as has few lines that may part one thing from the next: each costs far more than its size."""
    at = -1
    for _ in range(MOST_DIVIDERS):
        at = raw.find(b"\n--", at + 1)
        if at < 0:
            return raw
    return raw[:at]


def decoded(data: bytes, charset: str | None) -> str:
    """Text in the charset that it is said to be in; in UTF-8 or else Windows' own where it is not."""
    data = data[:LONGEST_BODY]
    for name in (charset, "utf-8"):
        try:
            known = codecs.lookup(name or "utf-8").name
            if known.replace("-", "_") not in _NOT_TEXT:
                return data.decode(known)
        except (LookupError, ValueError, TypeError):
            continue
    return data.decode("cp1252", "replace")


def _only_head(raw: bytes) -> bytes:
    """The lines above the first that is empty."""
    raw = raw[:LONGEST_HEAD].lstrip(b"\r\n")
    ends = [at for end in (b"\r\n\r\n", b"\n\n") if (at := raw.find(end)) >= 0]
    return raw[: min(ends)] if ends else raw


def _head(message: Message) -> Head:
    headers: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), []).append(_unfolded(str(value)))
    first = {name: values[0] for name, values in headers.items()}
    shown, sender = address(first.get("from", ""))
    named = [*_ids(first.get("in-reply-to", "")), *reversed(_ids(first.get("references", "")))]
    return Head(
        sender=sender,
        name=shown,
        subject=_words(first.get("subject", "")) or None,
        message_id=next(iter(_ids(first.get("message-id", ""))), None),
        references=tuple(dict.fromkeys(named))[:MOST_REFERENCES],
        automatic=_automatic(first, sender),
    )


def _unfolded(value: str) -> str:
    """A header's value in one line. Eight-bit letters are UTF-8 (RFC 6532)."""
    raw = value[:LONGEST_HEADER].encode("utf-8", "surrogateescape")
    return " ".join(raw.decode("utf-8", "replace").split())


def _words(value: str) -> str:
    """A header's value with its encoded words read (RFC 2047)."""
    try:
        parts = decode_header(value)
    except (ValueError, LookupError):
        return value
    return "".join(one if isinstance(one, str) else decoded(one, charset or "ascii") for one, charset in parts).strip()


def address(value: str) -> tuple[str | None, str]:
    """The name and the address of the first of a header's mailboxes; an empty address where there is none."""
    try:
        found = getaddresses([value[:LONGEST_HEADER]])
    except (ValueError, IndexError, RecursionError):
        found = []
    for name, mailbox in found:
        if "@" in mailbox and len(mailbox) <= 320 and not any(letter.isspace() for letter in mailbox):
            return _words(name) or None, mailbox
    return None, ""


def _ids(value: str) -> list[str]:
    return _ID.findall(value)[-MOST_REFERENCES:]


def _automatic(headers: dict[str, str], sender: str) -> bool:
    submitted = headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    return (
        submitted not in ("no", "")
        or headers.get("precedence", "").strip().lower() in _BULK
        or any(name in headers for name in _AUTOMATIC_HEADERS)
        or headers.get("return-path", "?").strip() == "<>"
        or headers.get("content-type", "").strip().lower().startswith("multipart/report")
        or sender.partition("@")[0].lower() in _DAEMONS
    )


def _body(message: Message) -> Body:
    text = html = None
    files: list[MailFile] = []
    for part in _leaves(message):
        kind, name = part.get_content_type(), _filename(part)
        attached = name is not None or (part.get_content_disposition() or "inline") == "attachment"
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        if not attached and kind == "text/plain" and text is None:
            text = decoded(data, _charset(part))
        elif not attached and kind == "text/html" and html is None:
            html = decoded(data, _charset(part))
        elif attached or not kind.startswith("text/"):
            files.append(MailFile(data, name, kind))
    return Body(text, html, tuple(files))


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, but for those of mails that are attached; at most `MOST_PARTS`."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        if part.is_multipart():
            inner = part.get_payload()
            if part.get_content_maintype() == "multipart" and isinstance(inner, list):
                waiting[:0] = [one for one in inner[:MOST_PARTS] if isinstance(one, Message)]
            continue
        yield part


def _filename(part: Message) -> str | None:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return _words(name)[:255] if name else None


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except (ValueError, LookupError, TypeError):
        return None


def addresses(values: Iterable[object], most: int = 20) -> Sequence[str]:
    """Those of some values that are addresses."""
    found = (address(value)[1] for value, _ in zip(values, range(most), strict=False) if isinstance(value, str))
    return [one for one in found if one]
