"""Twilio's settings, and the account they name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bellhop.domain.accounts import Seed
from bellhop.providers.package import ProviderSettings
from bellhop.settings_group import HttpUrl


class TwilioSettings(ProviderSettings):
    """Twilio: the SMS account of live scopes (seeds a row; later changes are made there)"""

    model_config = SettingsConfigDict(env_prefix="TWILIO_")
    needed: ClassVar[tuple[str, ...]] = ("account_sid", "auth_token", "from_number")

    account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$", description="AC… of the account")
    auth_token: SecretStr | None = Field(default=None, description="auth token: signs callbacks, authenticates calls")
    previous_auth_token: SecretStr | None = Field(
        default=None, description="the token before that one, still accepted on callbacks while rotating"
    )
    from_number: str | None = Field(default=None, description="E.164 number messages are sent from")
    base_url: HttpUrl = Field(default="https://api.twilio.com", description="where Twilio's API is")


def seeds(settings: TwilioSettings) -> list[Seed]:
    """The account, once its three variables are set."""
    if not (settings.account_sid and settings.auth_token and settings.from_number):
        return []
    previous = settings.previous_auth_token
    return [
        Seed(
            provider="twilio",
            identity=settings.account_sid,
            base_url=settings.base_url,
            credentials={"auth_token": settings.auth_token.get_secret_value()},
            previous={"auth_token": previous.get_secret_value()} if previous else {},
            channel="sms",
            address=settings.from_number,
        )
    ]
