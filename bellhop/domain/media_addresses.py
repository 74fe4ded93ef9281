"""The addresses at which providers find the files of messages: nobody can guess one, and whether it is ours is known
without asking the database. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

PATH = "/m/"
_MAC = 12
_LENGTH = 38
"""Characters of a token: 16 bytes of an id and 12 that prove it is ours."""


class MediaAddresses:
    """`secret`: the installation's. `public_url`: what providers call."""

    def __init__(self, secret: str, public_url: str) -> None:
        self._key = hashlib.sha256(b"addresses of media\0" + secret.encode()).digest()
        self._base = public_url.rstrip("/") + PATH

    def url(self, link: UUID, filename: str) -> str:
        """Of one file of one message. Its last part ends as the file's type does: providers look at that."""
        token = base64.urlsafe_b64encode(link.bytes + self._mac(link)).decode().rstrip("=")
        return f"{self._base}{token}/{filename}"

    def link(self, token: str) -> UUID | None:
        """Which file a token is of; None: it is none of ours."""
        if len(token) != _LENGTH or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        link = UUID(bytes=raw[:16])
        return link if hmac.compare_digest(raw[16:], self._mac(link)) else None

    def _mac(self, link: UUID) -> bytes:
        return hashlib.blake2b(link.bytes, key=self._key, digest_size=_MAC).digest()
