"""The sandbox's default accounts, as the tests' secret key makes them."""

from __future__ import annotations

from types import SimpleNamespace

from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts
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
