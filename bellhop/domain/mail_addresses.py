"""The addresses and ids with which an answer by mail finds the message that it answers. Nobody can make one, and what
one names is known without asking the database. Pure.

Mail programs may write addresses in capitals, so they are of base32; the part before the `@` has 50 letters of the 64
that it may have (RFC 5321, 4.5.3.1.1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

_MAC = 13
_TOKEN = re.compile(r"<?\s*([rmu])-([a-z2-7]{48})@", re.IGNORECASE)
MOST_READ = 100
"""Addresses and ids of one mail that are looked at."""


class MailToken(StrEnum):
    """What an address or id of ours is for: each is proved by itself, so that none serves as another."""

    REPLY = "r"
    """Answers go there."""
    MESSAGE = "m"
    """The mail's Message-ID, which answers name."""
    UNSUBSCRIBE = "u"
    """A mail to it says that its reader wants no more marketing."""


@dataclass(frozen=True, slots=True)
class Named:
    """The message, at one of its steps, that an address or id names."""

    token: MailToken
    message_id: UUID
    step: int


@dataclass(frozen=True, slots=True)
class MailNames:
    """What a mail bears so that answers find it. `reply_to`, `unsubscribe`: None without a domain that takes answers
    in."""

    message_id: str
    """What stands in the brackets."""
    reply_to: str | None = field(repr=False)
    unsubscribe: str | None = field(repr=False)


def is_token(text: str) -> bool:
    """Whether an address or id looks like one of ours."""
    return _TOKEN.match(text[:300]) is not None


class MailAddresses:
    """`secret`: the installation's."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"bellhop mail addresses\0" + secret.encode()).digest()

    def make(self, token: MailToken, message_id: UUID, step: int, domain: str) -> str:
        """The address, or what stands in the brackets of the id: the same whenever it is made."""
        said = message_id.bytes + step.to_bytes(1, "big")
        text = base64.b32encode(said + self._mac(token, said)).decode().lower()
        return f"{token.value}-{text}@{domain}"

    def names(self, message_id: UUID, step: int, domain: str | None, sender: str) -> MailNames:
        """Those of a message at one of its steps. `domain`: where answers are taken in; `sender`: whom it is from."""
        return MailNames(
            self.make(MailToken.MESSAGE, message_id, step, domain or sender.rpartition("@")[2]),
            self.make(MailToken.REPLY, message_id, step, domain) if domain else None,
            self.make(MailToken.UNSUBSCRIBE, message_id, step, domain) if domain else None,
        )

    def read(self, text: str) -> Named | None:
        """What an address or id names; None: it is none of ours."""
        match = _TOKEN.match(text[:300])
        if match is None:
            return None
        token = MailToken(match[1].lower())
        try:
            raw = base64.b32decode(match[2].upper())
        except (binascii.Error, ValueError):
            return None
        said, mac = raw[:-_MAC], raw[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(token, said)):
            return None
        return Named(token, UUID(bytes=said[:16]), said[16])

    def first(self, texts: Iterable[str]) -> Named | None:
        """What the first of them names that is ours."""
        for _, text in zip(range(MOST_READ), texts, strict=False):
            if (named := self.read(text)) is not None:
                return named
        return None

    def _mac(self, token: MailToken, said: bytes) -> bytes:
        return hashlib.blake2b(token.value.encode() + said, key=self._key, digest_size=_MAC).digest()
