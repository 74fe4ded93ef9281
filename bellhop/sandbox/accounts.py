"""What every process knows of a simulator's accounts without a call: the default one, and how made-up ones are derived.

Credentials are derived from phrases instead of being written out: their shapes are the providers' own, and scanners
that look for leaked keys would otherwise stop every commit. `python -m bellhop.sandbox --accounts` prints them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DefaultAccount:
    """The account that every sandbox has at one provider.

    `identity` names it in callback addresses. `env` is what somebody would put into the environment to send with it.
    `callbacks`: a `SANDBOX_…` setting → the last part of the address that is posted to
    (`/v1/receipts/<provider>/<identity>/<last part>`), for what no message brings its own address.
    """

    identity: str
    env: Mapping[str, str]
    callbacks: Mapping[str, str]


def digest(phrase: str) -> bytes:
    """32 bytes, the same in every process."""
    return hashlib.sha256(f"bellhop sandbox: {phrase}".encode()).digest()


def new_phrase() -> str:
    """Something to derive a fresh account from."""
    return secrets.token_hex(16)
