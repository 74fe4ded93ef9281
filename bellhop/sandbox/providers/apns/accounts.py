"""Apple's keys as the sandbox makes them up; the default one is the same in each process of an installation."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.accounts import DefaultAccount, digest
from bellhop.sandbox.authority import certificate


def topic(secret: str) -> str:
    """The bundle id of the default account's app."""
    return f"com.example.sandbox{digest(secret, 'apns topic').hex()[:8]}"


def identifier(secret: str, phrase: str) -> str:
    """Ten letters and digits, as keys and teams have."""
    return base64.b32encode(digest(secret, f"apns {phrase}"))[:10].decode()


@cache
def private_key(secret: str, phrase: str) -> ec.EllipticCurvePrivateKey:
    """On P-256."""
    return ec.derive_private_key(int.from_bytes(digest(secret, f"apns key {phrase}")) >> 1, ec.SECP256R1())


def p8(key: ec.EllipticCurvePrivateKey) -> str:
    """The text of its .p8 file, in one line."""
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return "".join(text.split("\n"))


def default(secret: str) -> DefaultAccount:
    """The account every sandbox with this secret has."""
    key_id = identifier(secret, "default")
    env = {
        "APNS_KEY": p8(private_key(secret, "default")),
        "APNS_KEY_ID": key_id,
        "APNS_TEAM_ID": identifier(secret, "team"),
        "APNS_TOPIC": topic(secret),
        "APNS_CA": "".join(certificate(secret).split("\n")),
    }
    return DefaultAccount(identity=key_id, env=env, callbacks={}, app_reports="SANDBOX_APNS_APP_URL")


@dataclass(slots=True)
class ApnsAccount:
    """A key of the one team there is. `phrase`: what it is made of beside the sandbox's secret."""

    key_id: str
    phrase: str

    @property
    def id(self) -> str:
        return self.key_id


class AccountRequest(BaseModel):
    """A further key; it is made up."""

    model_config = ConfigDict(extra="forbid")

    key_id: str | None = Field(default=None, pattern=r"^[A-Z0-9]{10}$")
