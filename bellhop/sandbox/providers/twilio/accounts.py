"""Twilio's accounts as the sandbox makes them up; the default one is the same in each process."""

from __future__ import annotations

from bellhop.sandbox.accounts import DefaultAccount, digest


def account_sid(phrase: str) -> str:
    """`AC` and 32 hexadecimal digits."""
    return "AC" + digest(f"twilio account {phrase}").hex()[:32]


def auth_token(phrase: str) -> str:
    """32 hexadecimal digits."""
    return digest(f"twilio token {phrase}").hex()[:32]


ACCOUNT_SID = account_sid("default")
AUTH_TOKEN = auth_token("default")
FROM_NUMBER = "+15005550006"

DEFAULT = DefaultAccount(
    identity=ACCOUNT_SID,
    env={"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN, "TWILIO_FROM_NUMBER": FROM_NUMBER},
    callbacks={"SANDBOX_TWILIO_INBOUND_URL": "inbound"},
)
