"""Sendblue's accounts as the sandbox makes them up; the default one is the same in each process of an installation."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.accounts import DefaultAccount, digest

FROM_NUMBER = "+15005550111"


def key_id(secret: str, phrase: str) -> str:
    """32 hexadecimal digits, as Sendblue issues them."""
    return digest(secret, f"sendblue key id {phrase}").hex()[:32]


def secret_key(secret: str, phrase: str) -> str:
    """32 hexadecimal digits."""
    return digest(secret, f"sendblue secret key {phrase}").hex()[:32]


def signing_secret(secret: str, phrase: str) -> str:
    """What its webhooks bear."""
    return digest(secret, f"sendblue signing secret {phrase}").hex()[:40]


def default(secret: str) -> DefaultAccount:
    """The account every sandbox with this secret has."""
    identity = key_id(secret, "default")
    return DefaultAccount(
        identity=identity,
        env={
            "SENDBLUE_API_KEY_ID": identity,
            "SENDBLUE_API_SECRET_KEY": secret_key(secret, "default"),
            "SENDBLUE_SIGNING_SECRET": signing_secret(secret, "default"),
            "SENDBLUE_FROM_NUMBER": FROM_NUMBER,
        },
        callbacks={"SANDBOX_SENDBLUE_INBOUND_URL": "inbound"},
    )


@dataclass(slots=True)
class SendblueAccount:
    """`lines` are the numbers it sends from."""

    key_id: str
    secret_key: str
    signing_secret: str
    lines: list[str]

    @property
    def id(self) -> str:
        return self.key_id

    @property
    def email(self) -> str:
        """Who owns it."""
        return f"{self.key_id[:8]}@sandbox.example"


class AccountRequest(BaseModel):
    """A further account; what is left out is made up. A known key id with another secret rotates it."""

    model_config = ConfigDict(extra="forbid")

    key_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,128}$")
    secret_key: str | None = None
    signing_secret: str | None = None
    lines: list[str] | None = None
