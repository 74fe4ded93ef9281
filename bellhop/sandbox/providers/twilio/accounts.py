"""Twilio's accounts as the sandbox makes them up; the default one is the same in each process of an installation."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.accounts import DefaultAccount, digest

FROM_NUMBER = "+15005550006"


def account_sid(secret: str, phrase: str) -> str:
    """`AC` and 32 hexadecimal digits."""
    return "AC" + digest(secret, f"twilio account {phrase}").hex()[:32]


def auth_token(secret: str, phrase: str) -> str:
    """32 hexadecimal digits."""
    return digest(secret, f"twilio token {phrase}").hex()[:32]


def default(secret: str) -> DefaultAccount:
    """The account every sandbox with this secret has."""
    sid = account_sid(secret, "default")
    return DefaultAccount(
        identity=sid,
        env={
            "TWILIO_ACCOUNT_SID": sid,
            "TWILIO_AUTH_TOKEN": auth_token(secret, "default"),
            "TWILIO_FROM_NUMBER": FROM_NUMBER,
            "TWILIO_WHATSAPP_FROM": FROM_NUMBER,
        },
        callbacks={"SANDBOX_TWILIO_INBOUND_URL": "inbound", "SANDBOX_TWILIO_INBOUND_FALLBACK_URL": "fallback"},
    )


@dataclass(slots=True)
class TwilioAccount:
    """`numbers` are the senders it owns. With a shared key its callbacks are signed by that."""

    sid: str
    auth_token: str
    numbers: list[str]
    shared_key_id: str = ""
    shared_key: str = ""

    @property
    def id(self) -> str:
        return self.sid


class AccountRequest(BaseModel):
    """A further account; what is left out is made up. A known SID with another token rotates it."""

    model_config = ConfigDict(extra="forbid")

    account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$")
    auth_token: str | None = None
    numbers: list[str] | None = None
    shared_key_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]{0,64}$")
    """Its callbacks are signed by a shared key from now on; empty: by the auth token again."""
    shared_key: str | None = None
