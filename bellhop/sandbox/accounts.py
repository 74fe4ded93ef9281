"""What an installation and its sandbox know of a simulator's accounts without a call: the default one, and how made-up
ones are derived.

Credentials are derived from a secret of the installation's own, so that nobody else's callbacks are believed and nobody
else's calls are taken. The sandbox is given it as `SANDBOX_SECRET`; the installation derives it from its secret key,
which the sandbox need not know. `python -m bellhop.sandbox --accounts` prints the accounts.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@dataclass(frozen=True, slots=True)
class DefaultAccount:
    """The account that every sandbox of an installation has at one provider.

    `identity` names it in callback addresses. `env` is what somebody would put into the environment to send with it.
    `callbacks`: a `SANDBOX_…` setting → the last part of the address that is posted to
    (`/v1/receipts/<provider>/<identity>/<last part>`), for what no message brings its own address.
    `app_reports`: the setting that says where guests' apps report (`/v1/push/receipts`).
    """

    identity: str
    env: Mapping[str, str]
    callbacks: Mapping[str, str]
    app_reports: str | None = None


def secret_of(secret_key: str) -> str:
    """The sandbox's secret of the installation with that `BELLHOP_SECRET_KEY`."""
    return HKDF(SHA256(), 32, salt=None, info=b"bellhop sandbox").derive(secret_key.encode()).hex()


def digest(secret: str, phrase: str) -> bytes:
    """32 bytes, the same in every process that knows the secret."""
    return hmac.digest(secret.encode(), f"bellhop sandbox: {phrase}".encode(), hashlib.sha256)


def new_phrase() -> str:
    """Something to derive a fresh account from."""
    return secrets.token_hex(16)
