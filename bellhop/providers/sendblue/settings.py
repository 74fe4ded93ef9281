"""Sendblue's settings, and the account they name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bellhop.domain.accounts import Seed
from bellhop.domain.addresses import BadAddress, phone
from bellhop.providers.package import ProviderSettings
from bellhop.settings_group import HttpUrl


class SendblueSettings(ProviderSettings):
    """Sendblue: the iMessage account of live scopes (seeds a row; later changes are made there)"""

    model_config = SettingsConfigDict(env_prefix="SENDBLUE_")
    needed: ClassVar[tuple[str, ...]] = ("api_key_id", "api_secret_key", "from_number")

    api_key_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]{1,128}$", description="key id: names the account, here and there"
    )
    api_secret_key: SecretStr | None = Field(default=None, description="secret of that key")
    previous_api_secret_key: SecretStr | None = Field(
        default=None, description="the secret before that one, still accepted on callbacks while rotating"
    )
    signing_secret: SecretStr | None = Field(
        default=None, description="secret of the webhook `receive`; without it guests' messages are refused"
    )
    from_number: str | None = Field(default=None, description="the line messages are sent from, in E.164 form")
    base_url: HttpUrl = Field(default="https://api.sendblue.co", description="where Sendblue's API is")

    @field_validator("from_number")
    @classmethod
    def _line(cls, value: str | None) -> str | None:
        try:
            return value and phone(value)
        except BadAddress as problem:
            raise ValueError(str(problem)) from None


def seeds(settings: SendblueSettings) -> list[Seed]:
    """The account, once its three variables are set."""
    if not (settings.api_key_id and settings.api_secret_key and settings.from_number):
        return []
    previous, signing = settings.previous_api_secret_key, settings.signing_secret
    return [
        Seed(
            provider="sendblue",
            identity=settings.api_key_id,
            base_url=settings.base_url,
            credentials={
                "api_secret_key": settings.api_secret_key.get_secret_value(),
                "signing_secret": signing.get_secret_value() if signing else "",
            },
            previous={"api_secret_key": previous.get_secret_value()} if previous else {},
            channel="imessage",
            address=settings.from_number,
        )
    ]
