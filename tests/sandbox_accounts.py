"""The sandbox's default accounts, as the tests' secret key makes them."""

from __future__ import annotations

import base64
import json
import time
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.providers.sendblue.accounts import FROM_NUMBER as SENDBLUE_LINE
from bellhop.sandbox.providers.sendgrid.accounts import FROM_EMAIL, webhook_private_key
from bellhop.sandbox.providers.twilio.accounts import FROM_NUMBER

SECRET_KEY = "a secret of the tests, long enough to be one"
SANDBOX_SECRET = secret_of(SECRET_KEY)

_TWILIO, _SENDGRID = (default_accounts(SANDBOX_SECRET)[name].env for name in ("twilio", "sendgrid"))
sandbox_twilio = SimpleNamespace(
    ACCOUNT_SID=_TWILIO["TWILIO_ACCOUNT_SID"], AUTH_TOKEN=_TWILIO["TWILIO_AUTH_TOKEN"], FROM_NUMBER=FROM_NUMBER
)
sandbox_sendgrid = SimpleNamespace(
    API_KEY=_SENDGRID["SENDGRID_API_KEY"],
    KEY_ID=_SENDGRID["SENDGRID_API_KEY"].split(".")[1],
    FROM_EMAIL=FROM_EMAIL,
    WEBHOOK_PUBLIC_KEY=_SENDGRID["SENDGRID_WEBHOOK_PUBLIC_KEY"],
    WEBHOOK_PRIVATE_KEY=webhook_private_key(_SENDGRID["SENDGRID_API_KEY"]),
)

_SENDBLUE = default_accounts(SANDBOX_SECRET)["sendblue"].env
sandbox_sendblue = SimpleNamespace(
    KEY_ID=_SENDBLUE["SENDBLUE_API_KEY_ID"],
    SECRET_KEY=_SENDBLUE["SENDBLUE_API_SECRET_KEY"],
    SIGNING_SECRET=_SENDBLUE["SENDBLUE_SIGNING_SECRET"],
    FROM_NUMBER=SENDBLUE_LINE,
)


def sendgrid_batch(events: list[dict[str, Any]]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a batch of events as SendGrid posts it, signed just now."""
    body = json.dumps(events).encode()
    at = str(int(time.time()))
    signature = sandbox_sendgrid.WEBHOOK_PRIVATE_KEY.sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
    return body, {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": at,
    }
