"""Firebase's settings, and the account they name."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, SecretStr
from pydantic_core import from_json
from pydantic_settings import SettingsConfigDict

from bellhop.domain.accounts import Seed
from bellhop.providers.package import ProviderSettings
from bellhop.settings_group import HttpUrl

PARTS = ("project_id", "client_email", "private_key_id", "private_key")
"""What of a service account's file is needed to send."""


class FcmSettings(ProviderSettings):
    """Firebase Cloud Messaging: the push account of live scopes (seeds a row; later changes are made there)"""

    model_config = SettingsConfigDict(env_prefix="FCM_")
    needed: ClassVar[tuple[str, ...]] = ("service_account",)

    service_account: SecretStr | None = Field(
        default=None, description="the service account's key file, its JSON on one line"
    )
    base_url: HttpUrl = Field(default="https://fcm.googleapis.com", description="where FCM's API is")


def seeds(settings: FcmSettings) -> list[Seed]:
    """The account, once its key file is set. Raises ValueError on a file that is none."""
    if settings.service_account is None:
        return []
    parts = service_account(settings.service_account.get_secret_value())
    return [
        Seed(
            provider="fcm",
            identity=parts["project_id"],
            base_url=settings.base_url,
            credentials={name: value for name, value in parts.items() if name != "project_id"},
            channel="push",
            address=parts["project_id"],
        )
    ]


def service_account(text: str) -> dict[str, str]:
    """The needed parts of a service account's file. Raises ValueError, which quotes nothing of it."""
    try:
        found: Any = from_json(text)
    except ValueError:
        found = None
    parts = {name: found.get(name) for name in PARTS} if isinstance(found, dict) else {}
    missing = [name for name in PARTS if not isinstance(parts.get(name), str) or not parts[name]]
    if missing:
        raise ValueError(
            "FCM_SERVICE_ACCOUNT is not the JSON of a service account's key (Firebase console, Project settings, "
            f"Service accounts, Generate new private key): it has no {', '.join(missing)}."
        )
    return {name: str(value) for name, value in parts.items()}
