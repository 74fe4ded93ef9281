"""Provider credentials as they are stored: encrypted, under keys that can be replaced. Pure.

A column holds `{"encrypted": "<token>"}`, a Fernet token over the JSON object; `{}` holds nothing. What was written
before there was encryption stands there in plain and is read as it is.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK = "encrypted"
"""The one name in a column that holds a token; no provider's credential is called that."""
CACHED = 16_384
"""Tokens whose content is remembered: an account has one or two, each claim of a message opens one, and a callback
those of every property that shares the account, where one of them was changed. Were there fewer places than tokens,
none would ever be found again."""


class CredentialsUnreadable(Exception):
    """An account's credentials are encrypted under a key that is not set. Nothing is lost: put that key back into
    BELLHOP_CREDENTIALS_KEYS, after the newer ones. Where it is gone for good, give the credentials anew with
    `bellhop accounts set --forget-previous`."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


class Sealing(StrEnum):
    """How stored credentials are kept."""

    EMPTY = "empty"
    """There are none."""
    CURRENT = "current"
    """Under the newest key."""
    OLDER = "older"
    """Under a key that is still read."""
    PLAIN = "plain"
    """As they are."""
    UNREADABLE = "unreadable"
    """Under a key that is not set."""


class CredentialCipher:
    """Seals credentials under the newest key and opens them under any. `keys`: newest first; `secret_key`: that of the
    installation, from which the last of all keys is made, so that there is always one."""

    def __init__(self, secret_key: str, keys: Sequence[str] = ()) -> None:
        ring = [Fernet(_derived(key)) for key in (*keys, secret_key)]
        self._newest, self._ring = ring[0], MultiFernet(ring)
        self._opened = lru_cache(maxsize=CACHED)(self._decrypt)

    def seal(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """As they are stored."""
        if not credentials:
            return {}
        return {MARK: self._newest.encrypt(json.dumps(dict(credentials)).encode()).decode()}

    def open(self, stored: Mapping[str, str]) -> Mapping[str, str]:
        """As they are used. Raises CredentialsUnreadable."""
        return self._opened(str(stored[MARK])) if _is_sealed(stored) else stored

    def seal_bytes(self, content: bytes) -> bytes:
        """Anything, as it is kept outside of the database."""
        return self._newest.encrypt(content)

    def open_bytes(self, sealed: bytes) -> bytes:
        """What was sealed. Raises CredentialsUnreadable."""
        try:
            return self._ring.decrypt(sealed)
        except InvalidToken:
            raise CredentialsUnreadable from None

    def sealing(self, stored: Mapping[str, str]) -> Sealing:
        """How they are kept."""
        if not stored:
            return Sealing.EMPTY
        if not _is_sealed(stored):
            return Sealing.PLAIN
        for ring, sealing in ((self._newest, Sealing.CURRENT), (self._ring, Sealing.OLDER)):
            try:
                ring.decrypt(str(stored[MARK]).encode())
            except InvalidToken:
                continue
            return sealing
        return Sealing.UNREADABLE

    def _decrypt(self, token: str) -> Mapping[str, str]:
        try:
            opened = self._ring.decrypt(token.encode())
        except InvalidToken:
            raise CredentialsUnreadable from None
        return MappingProxyType(json.loads(opened))


def _is_sealed(stored: Mapping[str, str]) -> bool:
    return len(stored) == 1 and MARK in stored


def _derived(key: str) -> bytes:
    """A Fernet key of its own purpose: what else is keyed with the same secret says nothing about it."""
    derived = HKDF(SHA256(), length=32, salt=None, info=b"bellhop: provider credentials").derive(key.encode())
    return urlsafe_b64encode(derived)
