"""The sandbox's accounts and their event webhook settings: kept in the store, held in memory."""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bellhop.sandbox.providers.sendgrid import accounts as sandbox_sendgrid
from bellhop.sandbox.providers.twilio import accounts as sandbox_twilio
from bellhop.sandbox.store import Store

# The flags of GET/PATCH /v3/user/webhooks/event/settings and the event each one lets through.
EVENT_FLAGS = {
    "processed": "processed",
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounce",
    "dropped": "dropped",
    "open": "open",
    "click": "click",
    "spam_report": "spamreport",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "group_unsubscribe",
    "group_resubscribe": "group_resubscribe",
}


@dataclass(slots=True)
class TwilioAccount:
    """`numbers` are the senders it owns."""

    sid: str
    auth_token: str
    numbers: list[str]


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
        """The key's public half: what is written down instead of the key."""
        return self.api_key.rpartition(".")[0] or self.api_key[:8]

    @property
    def private_key(self) -> ec.EllipticCurvePrivateKey:
        return sandbox_sendgrid.webhook_private_key(self.api_key)


class Books:
    """Every account the sandbox knows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.twilio: dict[str, TwilioAccount] = {}
        self.sendgrid: dict[str, SendGridAccount] = {}
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.put_twilio(
            TwilioAccount(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, [sandbox_twilio.FROM_NUMBER]),
            keep=False,
        )
        self.put_sendgrid(SendGridAccount(sandbox_sendgrid.API_KEY), keep=False)
        for row in store.kept("twilio").values():
            self.put_twilio(TwilioAccount(**row), keep=False)
        for row in store.kept("sendgrid").values():
            self.put_sendgrid(SendGridAccount(**row), keep=False)

    def put_twilio(self, account: TwilioAccount, *, keep: bool = True) -> None:
        """Add an account or change one; a new token takes effect at once, as after a promotion."""
        self.twilio[account.sid] = account
        if keep:
            self._store.keep("twilio", account.sid, asdict(account))

    def put_sendgrid(self, account: SendGridAccount, *, keep: bool = True) -> None:
        self.sendgrid[account.id] = account
        if keep:
            self._store.keep("sendgrid", account.id, asdict(account))

    def twilio_named(self, sid: str, token: str) -> TwilioAccount | None:
        """The account these credentials are of."""
        account = self.twilio.get(sid)
        return account if account and hmac.compare_digest(account.auth_token.encode(), token.encode()) else None

    def sendgrid_named(self, api_key: str) -> SendGridAccount | None:
        account = self.sendgrid.get(api_key.rpartition(".")[0] or api_key[:8])
        return account if account and hmac.compare_digest(account.api_key.encode(), api_key.encode()) else None

    def sign_events(self, account: SendGridAccount, timestamp: str, body: bytes) -> bytes:
        """The DER signature over timestamp and body."""
        key = self._keys.get(account.api_key)
        if key is None:
            key = self._keys[account.api_key] = account.private_key
        return key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))


def event_settings(account: SendGridAccount, url: str) -> dict[str, Any]:
    """What SendGrid shows of an account's event webhook; `url` is the sandbox's own default."""
    defaults: dict[str, Any] = {"enabled": True, "url": url, "oauth_client_id": "", "oauth_token_url": ""}
    return {**defaults, **dict.fromkeys(EVENT_FLAGS, True), **account.event}
