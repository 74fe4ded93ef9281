"""SendGrid's accounts as the sandbox makes them up; the default one is the same in each process of an
installation, webhook key too."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.accounts import DefaultAccount, digest

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


FROM_EMAIL = "stay@sandbox.example"
REPLY_DOMAIN = "reply.sandbox.example"
"""All mail to it comes in by Inbound Parse."""


def api_key(secret: str, phrase: str) -> str:
    """`SG.<22 characters>.<43 characters>`, URL-safe base64 as SendGrid issues them."""
    key_id = base64.urlsafe_b64encode(digest(secret, f"sendgrid key id {phrase}")[:16]).decode().rstrip("=")
    private = base64.urlsafe_b64encode(digest(secret, f"sendgrid secret {phrase}")).decode().rstrip("=")
    return f"SG.{key_id}.{private}"


def webhook_private_key(api_key: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key the SendGrid account with that key signs its events with."""
    number = int.from_bytes(digest(api_key, "sendgrid webhook"), "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def webhook_public_key(private_key: ec.EllipticCurvePrivateKey) -> str:
    """Base64 of the DER SubjectPublicKeyInfo, the form SendGrid shows and its SDK reads."""
    der = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def default(secret: str) -> DefaultAccount:
    """The account every sandbox with this secret has."""
    key = api_key(secret, "default")
    return DefaultAccount(
        identity=key.split(".")[1],
        env={
            "SENDGRID_API_KEY": key,
            "SENDGRID_FROM_EMAIL": FROM_EMAIL,
            "SENDGRID_WEBHOOK_PUBLIC_KEY": webhook_public_key(webhook_private_key(key)),
            "SENDGRID_REPLY_DOMAIN": REPLY_DOMAIN,
        },
        callbacks={"SANDBOX_SENDGRID_EVENT_URL": "events", "SANDBOX_SENDGRID_INBOUND_URL": "inbound"},
    )


def key_half(key: str) -> str:
    """The key's public half: what is written down instead of the key."""
    return key.rpartition(".")[0] or key[:8]


@dataclass(slots=True)
class SendGridAccount:
    """`from_emails` empty: every sender is verified. `event` holds what was PATCHed, over the defaults.
    `email_activity`: whether it has that add-on; None: as the settings say."""

    api_key: str
    from_emails: list[str] = field(default_factory=list)
    event: dict[str, Any] = field(default_factory=dict)
    signed: bool = True
    email_activity: bool | None = None

    @property
    def id(self) -> str:
        return key_half(self.api_key)

    @property
    def private_key(self) -> ec.EllipticCurvePrivateKey:
        return webhook_private_key(self.api_key)


class AccountRequest(BaseModel):
    """A further account; what is left out is made up. One that exists is changed."""

    model_config = ConfigDict(extra="forbid")

    api_key: str | None = Field(default=None, pattern=r"^SG\.[^.]+\.[^.]+$")
    from_emails: list[str] | None = Field(default=None, description="verified senders; empty: every sender is")
    email_activity: bool | None = Field(default=None, description="has SendGrid's Email Activity API, or has not")
