"""The accounts every sandbox knows: pure constants, the same in each process, so that both sides agree without a call.

They are derived from phrases instead of being written out: their shapes are the providers' own, and scanners that
look for leaked keys would otherwise stop every commit. `python -m bellhop.sandbox --accounts` prints them.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _digest(phrase: str) -> bytes:
    return hashlib.sha256(f"bellhop sandbox: {phrase}".encode()).digest()


def twilio_account_sid(phrase: str) -> str:
    """`AC` and 32 hexadecimal digits."""
    return "AC" + _digest(f"twilio account {phrase}").hex()[:32]


def twilio_auth_token(phrase: str) -> str:
    """32 hexadecimal digits."""
    return _digest(f"twilio token {phrase}").hex()[:32]


def sendgrid_api_key(phrase: str) -> str:
    """`SG.<22 characters>.<43 characters>`, URL-safe base64 as SendGrid issues them."""
    key_id = base64.urlsafe_b64encode(_digest(f"sendgrid key id {phrase}")[:16]).decode().rstrip("=")
    secret = base64.urlsafe_b64encode(_digest(f"sendgrid secret {phrase}")).decode().rstrip("=")
    return f"SG.{key_id}.{secret}"


def webhook_private_key(phrase: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key one SendGrid account signs its events with."""
    number = int.from_bytes(_digest(f"sendgrid webhook {phrase}"), "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def webhook_public_key(private_key: ec.EllipticCurvePrivateKey) -> str:
    """Base64 of the DER SubjectPublicKeyInfo, the form SendGrid shows and its SDK reads."""
    der = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


TWILIO_ACCOUNT_SID = twilio_account_sid("default")
TWILIO_AUTH_TOKEN = twilio_auth_token("default")
TWILIO_FROM_NUMBER = "+15005550006"

SENDGRID_API_KEY = sendgrid_api_key("default")
SENDGRID_FROM_EMAIL = "stay@sandbox.example"
SENDGRID_WEBHOOK_PRIVATE_KEY = webhook_private_key(SENDGRID_API_KEY)
SENDGRID_WEBHOOK_PUBLIC_KEY = webhook_public_key(SENDGRID_WEBHOOK_PRIVATE_KEY)

DEFAULT_ACCOUNTS = {
    "TWILIO_ACCOUNT_SID": TWILIO_ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": TWILIO_AUTH_TOKEN,
    "TWILIO_FROM_NUMBER": TWILIO_FROM_NUMBER,
    "SENDGRID_API_KEY": SENDGRID_API_KEY,
    "SENDGRID_FROM_EMAIL": SENDGRID_FROM_EMAIL,
    "SENDGRID_WEBHOOK_PUBLIC_KEY": SENDGRID_WEBHOOK_PUBLIC_KEY,
}
