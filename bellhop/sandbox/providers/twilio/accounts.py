"""Twilio's accounts as the sandbox makes them up; the default one is the same in each process."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

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


@dataclass(slots=True)
class TwilioAccount:
    """`numbers` are the senders it owns."""

    sid: str
    auth_token: str
    numbers: list[str]

    @property
    def id(self) -> str:
        return self.sid


class AccountRequest(BaseModel):
    """A further account; what is left out is made up. A known SID with another token rotates it."""

    model_config = ConfigDict(extra="forbid")

    account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$")
    auth_token: str | None = None
    numbers: list[str] | None = None
