"""API keys: how one is made, recognised without a database, and stored. Pure.

`sk_test_<26 characters of the key's id>_<32 random base62><6 of CRC32>`: the mode is readable, the checksum lets the
API refuse a mistyped key without a query and lets secret scanners be sure. 190 bits of chance need no slow hash.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from bellhop.domain.ids import Prefix, render

EVERYTHING = "*"
RIGHTS: dict[str, str] = {
    "properties:read": "see the property",
    "properties:write": "change, pause and resume the property",
    "accounts:read": "see the provider accounts and their health",
    "accounts:write": "hold provider accounts and say that they are mended",
    "guests:read": "see guests",
    "guests:write": "create, change and erase guests, open sessions for their apps",
    "messaging:read": "see messages",
    "messaging:write": "send, cancel and reschedule messages, send failed ones again",
    "webhooks:read": "see webhook endpoints and deliveries",
    "webhooks:write": "create, change, delete and replay webhooks, and see their secrets",
    EVERYTHING: "everything, minting keys included",
}
USUAL_RIGHTS = ("messaging:read", "messaging:write", "guests:read", "guests:write")
"""What a key made by command may do unless it is said: what a property's software needs every day."""

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(r"sk_(?:test|live)_[0-9a-z]{26}_[0-9A-Za-z]{38}")


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key. `raw` is shown once and kept nowhere."""

    raw: str = field(repr=False)
    hash: bytes = field(repr=False)
    last4: str


def mint(environment: str, key_id: UUID) -> Minted:
    """A fresh key for `environment` under the row `key_id`."""
    return made(f"sk_{environment}", Prefix.KEY, key_id)


def made(begins: str, prefix: Prefix, row_key: UUID) -> Minted:
    """A fresh secret that begins so, with the row's public id in it and a checksum at its end."""
    public = render(prefix, row_key).removeprefix(prefix.value + "_")
    body = f"{begins}_{public}_" + "".join(secrets.choice(_BASE62) for _ in range(32))
    raw = body + _checksum(body)
    return Minted(raw=raw, hash=digest(raw), last4=raw[-4:])


def plausible(raw: str) -> bool:
    """True when the text has the form of a key and its checksum is right. Says nothing about its existence."""
    return _FORM.fullmatch(raw) is not None and checked(raw)


def names(key_id: str, raw: str) -> bool:
    """Whether that is the public id (`key_…`) of the key whose secret this is: it is a part of it."""
    return _FORM.fullmatch(raw) is not None and key_id == f"{Prefix.KEY.value}_{raw.split('_')[2]}"


def checked(raw: str) -> bool:
    """Whether a secret's checksum is right."""
    return _checksum(raw[:-6]) == raw[-6:]


def digest(raw: str) -> bytes:
    """What is stored and looked up."""
    return hashlib.sha256(raw.encode()).digest()


def allows(rights: Collection[str], needed: str) -> bool:
    """Whether a key with `rights` may do what needs `needed`."""
    return EVERYTHING in rights or needed in rights


def _checksum(text: str) -> str:
    rest = zlib.crc32(text.encode())
    letters = []
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        letters.append(_BASE62[digit])
    return "".join(reversed(letters))
