"""What a guest's app reports of a notification, and the token that lets it: short-lived, and of one attempt. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bellhop.domain.statuses import Stage

LIFE: Final = timedelta(days=7)
"""How long an app may report."""
FIELD: Final = "receipt_token"
"""The key in the notification's data under which the app finds its token."""
STAGES: Final = {"delivered": Stage.DELIVERED, "read": Stage.READ}
"""The words an app may say."""
_MAC = 16


class ReceiptTokens:
    """Makes tokens and reads them. `secret`: the installation's."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"bellhop app receipts\0" + secret.encode()).digest()

    def make(self, attempt_id: UUID, now: datetime) -> str:
        """A token for the app that gets this attempt: 54 letters of base64url."""
        said = attempt_id.bytes + int((now + LIFE).timestamp()).to_bytes(8, "big")
        return base64.urlsafe_b64encode(said + self._mac(said)).decode().rstrip("=")

    def read(self, token: str, now: datetime) -> UUID | None:
        """The attempt that a token is of; None: it is none of ours, or its time is over."""
        if len(token) != 54 or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        said, mac = raw[:-_MAC], raw[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        return UUID(bytes=said[:16]) if int.from_bytes(said[16:], "big") > now.timestamp() else None

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, "sha256")[:_MAC]
