"""Twilio's settings, and the account they name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bellhop.domain.accounts import Seed
from bellhop.domain.addresses import BadAddress, phone
from bellhop.domain.channels import Channel
from bellhop.providers.package import ProviderSettings
from bellhop.settings_group import HttpUrl

_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_ALPHANUMERIC = re.compile(r"(?!(?:MG|AC)[0-9])(?=.*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9 ]{0,9}[A-Za-z0-9])?")
"""twilio.com/docs/glossary/what-alphanumeric-sender-id"""


class TwilioSettings(ProviderSettings):
    """Twilio: the SMS and WhatsApp account of live scopes (seeds rows; later changes are made there)"""

    model_config = SettingsConfigDict(env_prefix="TWILIO_")
    needed: ClassVar[tuple[str, ...]] = ("account_sid", "auth_token", "from_number")

    account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$", description="AC… of the account")
    auth_token: SecretStr | None = Field(default=None, description="auth token: signs callbacks, authenticates calls")
    previous_auth_token: SecretStr | None = Field(
        default=None, description="the token before that one, still accepted on callbacks while rotating"
    )
    from_number: str | None = Field(
        default=None,
        description="what messages are sent from: an E.164 number, a Messaging Service (MG…) or an alphanumeric sender",
    )
    whatsapp_from: str | None = Field(
        default=None,
        description="what WhatsApp messages are sent from, if any: an E.164 number that is a WhatsApp sender of the "
        "account, or a Messaging Service (MG…) with one",
    )
    shared_key_id: str | None = Field(
        default=None, description="id of a shared key that signs callbacks instead of the auth token, if you made one"
    )
    shared_key: SecretStr | None = Field(default=None, description="that key's secret")
    token_signatures: bool = Field(
        default=False,
        description="take callbacks signed by the auth token beside the shared key's, while changing over",
    )
    base_url: HttpUrl = Field(default="https://api.twilio.com", description="where Twilio's API is")

    @field_validator("whatsapp_from")
    @classmethod
    def _whatsapp(cls, value: str | None) -> str | None:
        return value if value is None else whatsapp_sender(value)

    @field_validator("from_number")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        return value if value is None else sms_sender(value)


def sms_sender(value: str) -> str:
    """What SMS may be sent from. Raises ValueError."""
    if is_service(value) or _ALPHANUMERIC.fullmatch(value):
        return value
    try:
        return phone(value)
    except BadAddress as problem:
        raise ValueError(
            "a sender is a number in E.164 form, such as +13055551234, a Messaging Service (MG and 32 hexadecimal "
            "digits), or up to 11 letters, digits and spaces with a letter among them"
        ) from problem


def whatsapp_sender(value: str) -> str:
    """What WhatsApp messages may be sent from. Raises ValueError."""
    if is_service(value):
        return value
    try:
        return phone(value)
    except BadAddress as problem:
        raise ValueError(
            "a WhatsApp sender is a number in E.164 form, such as +13055551234, without `whatsapp:`, or a "
            "Messaging Service (MG and 32 hexadecimal digits)"
        ) from problem


def is_service(sender: str) -> bool:
    """Whether a sender is a Messaging Service. A hotel may be named MGM Grand."""
    return _SERVICE.fullmatch(sender) is not None


def _shared_key(settings: TwilioSettings) -> dict[str, str]:
    """What is kept of the shared key. Raises ValueError on half of one."""
    key = settings.shared_key
    if bool(key) is not bool(settings.shared_key_id):
        raise ValueError("TWILIO_SHARED_KEY and TWILIO_SHARED_KEY_ID: expected both, or none.")
    if key is None or settings.shared_key_id is None:
        return {}
    both = {"token_signatures": "allowed"} if settings.token_signatures else {}
    return {"shared_key_id": settings.shared_key_id, "shared_key": key.get_secret_value(), **both}


_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


def usual_rate(channel: Channel, sender: str) -> float | None:
    """Messages a second: of a long code of the United States or Canada, and of a WhatsApp sender. A Messaging Service
    spreads its own over its numbers; of other countries' numbers it is the carrier who says."""
    if not sender.startswith("+"):
        return None
    if channel is Channel.WHATSAPP:
        return 80.0
    return 1.0 if sender.startswith("+1") and len(sender) == 12 and not sender.startswith(_TOLL_FREE) else None


def seeds(settings: TwilioSettings) -> list[Seed]:
    """The account, once its three variables are set, and with the fourth its WhatsApp sender. Raises ValueError."""
    if not (settings.account_sid and settings.auth_token and settings.from_number):
        return []
    previous = settings.previous_auth_token
    sms = Seed(
        provider="twilio",
        identity=settings.account_sid,
        base_url=settings.base_url,
        credentials={"auth_token": settings.auth_token.get_secret_value(), **_shared_key(settings)},
        previous={"auth_token": previous.get_secret_value()} if previous else {},
        channel=Channel.SMS.value,
        address=settings.from_number,
    )
    sender = settings.whatsapp_from
    return [sms, replace(sms, channel=Channel.WHATSAPP.value, address=sender)] if sender else [sms]
