"""SendGrid's settings, and the account they name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bellhop.domain.accounts import Seed
from bellhop.domain.addresses import BadAddress, email
from bellhop.providers.package import ProviderSettings
from bellhop.settings_group import HttpUrl


class SendGridSettings(ProviderSettings):
    """SendGrid: the e-mail account of live scopes (seeds a row; later changes are made there)"""

    model_config = SettingsConfigDict(env_prefix="SENDGRID_")
    needed: ClassVar[tuple[str, ...]] = ("api_key", "from_email")

    api_key: SecretStr | None = Field(default=None, description="SG.… key with Mail Send permission")
    webhook_public_key: str | None = Field(default=None, description="base64 public key of the signed Event Webhook")
    previous_webhook_public_key: str | None = Field(
        default=None, description="the key before that one, still accepted while rotating"
    )
    parse_public_key: str | None = Field(
        default=None,
        description="base64 public key of the security policy of Inbound Parse; none: the Event Webhook's",
    )
    reply_domain: str | None = Field(
        default=None,
        description="domain whose mails SendGrid's Inbound Parse takes in (its MX is mx.sendgrid.net): mails without a "
        "reply_to of their own ask for answers there",
    )
    from_email: str | None = Field(default=None, description="verified sender address")
    from_name: str | None = Field(default=None, description="name shown beside the sender address")
    base_url: HttpUrl = Field(default="https://api.sendgrid.com", description="where SendGrid's API is")

    def answers_at(self) -> tuple[str, str] | None:
        return (self.reply_domain, "mx.sendgrid.net") if self.reply_domain else None

    @field_validator("reply_domain")
    @classmethod
    def _domain(cls, value: str | None) -> str | None:
        try:
            return value and email(f"r@{value.strip().rstrip('.')}").partition("@")[2]
        except BadAddress:
            raise ValueError("expected a domain such as reply.hotel.example") from None

    @field_validator("from_email")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        try:
            return value and email(value)
        except BadAddress as problem:
            raise ValueError(str(problem)) from None


def seeds(settings: SendGridSettings) -> list[Seed]:
    """The account, once its key and its sender are set. Raises ValueError on a key that is none."""
    if not (settings.api_key and settings.from_email):
        return []
    key, old = settings.api_key.get_secret_value(), settings.previous_webhook_public_key
    return [
        Seed(
            provider="sendgrid",
            identity=key_id(key),
            base_url=settings.base_url,
            credentials={
                "api_key": key,
                "webhook_public_key": settings.webhook_public_key or "",
                **({"parse_public_key": settings.parse_public_key} if settings.parse_public_key else {}),
                **({"reply_domain": settings.reply_domain} if settings.reply_domain else {}),
            },
            previous={"webhook_public_key": old} if old else {},
            channel="email",
            address=settings.from_email,
            name=settings.from_name,
        )
    ]


def key_id(api_key: str) -> str:
    """The public middle of `SG.<key id>.<secret>`: it names the account in callback addresses. Raises ValueError."""
    parts = api_key.split(".")
    if len(parts) != 3 or parts[0] != "SG" or not parts[1]:
        raise ValueError("SENDGRID_API_KEY does not look like SG.<key id>.<secret>; copy it again from SendGrid.")
    return parts[1]
