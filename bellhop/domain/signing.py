"""Signatures of module webhooks: made for every delivery, and checked the way a customer would. Pure.

Two schemes over the same bytes: `EscapeLife-Signature` (HMAC-SHA256 of `<t>.<body>`, keyed with the secret exactly as
it was shown) and Standard Webhooks (keyed with the bytes behind `whsec_`). Both carry one signature per secret, so a
secret can be rotated without a gap.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

HEADER = "EscapeLife-Signature"
TOLERANCE = 300.0
"""How old a signature may be, in seconds: what the Standard Webhooks library allows too."""


def new_secret() -> str:
    """A fresh secret: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(randomness.token_bytes(32)).decode()


def headers(secrets: Sequence[str], event_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The signature headers of one delivery attempt. `secrets`: the current one first. `at`: time of the attempt."""
    # The library drops the zone instead of converting, and signs nonsense for any zone but UTC.
    at = at.astimezone(UTC).replace(microsecond=0)
    stamp = str(int(at.timestamp()))
    text = body.decode()
    return {
        HEADER: ",".join([f"t={stamp}", *(f"v1={_digest(secret, stamp, body)}" for secret in secrets)]),
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, at, text) for secret in secrets),
    }


def verify(
    secret: str, received: Mapping[str, str], body: bytes, *, now: datetime, tolerance: float = TOLERANCE
) -> bool:
    """True when `EscapeLife-Signature` among the received headers was made with `secret` over exactly this body."""
    value = next((value for name, value in received.items() if name.lower() == HEADER.lower()), "")
    stamp, signatures = "", []
    for part in value.split(","):
        name, _, content = part.strip().partition("=")
        if name == "t":
            stamp = content
        elif name == "v1":
            signatures.append(content.encode())
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(now.timestamp() - int(stamp)) > tolerance:
        return False
    expected = _digest(secret, stamp, body).encode()
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def _digest(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
