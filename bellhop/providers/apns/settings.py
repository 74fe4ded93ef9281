"""Apple's settings, and the account they name."""

from __future__ import annotations

import re
import ssl
from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bellhop.domain.accounts import Seed
from bellhop.providers.package import ProviderSettings
from bellhop.settings_group import HttpUrl

PRODUCTION = "https://api.push.apple.com"
DEVELOPMENT = "https://api.sandbox.push.apple.com"
"""Where apps register that are built for development: the same key may be used there."""
_BUNDLE = re.compile(r"(?=.{3,155}\Z)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
"""developer.apple.com/documentation/bundleresources/information-property-list/cfbundleidentifier"""


class ApnsSettings(ProviderSettings):
    """Apple Push Notification service: the push account of live scopes (seeds a row; later changes are made there)"""

    model_config = SettingsConfigDict(env_prefix="APNS_")
    needed: ClassVar[tuple[str, ...]] = ("key", "key_id", "team_id", "topic")

    key: SecretStr | None = Field(
        default=None, description="the key's .p8 file: its text, line breaks written as \\n or left out"
    )
    key_id: str | None = Field(default=None, description="the key's id, ten letters and digits")
    team_id: str | None = Field(default=None, description="the developer team's id, ten letters and digits")
    topic: str | None = Field(default=None, description="the app's bundle id, e.g. com.example.hotel")
    base_url: HttpUrl = Field(default=PRODUCTION, description="where APNs is")
    ca: str | None = Field(
        default=None,
        description="certificate (PEM, written as the key is) of the authority of a stand-in for APNs; Apple's own "
        "addresses are checked by the system's authorities, whatever stands here",
    )


def seeds(settings: ApnsSettings) -> list[Seed]:
    """The account, once its key and the app are set. Raises ValueError on a key that is none."""
    if not (settings.key and settings.key_id and settings.team_id and settings.topic):
        return []
    key = pem(settings.key.get_secret_value())
    trusted = {"ca": _authority(settings.ca)} if settings.ca else {}
    return [
        Seed(
            provider="apns",
            identity=settings.key_id,
            base_url=settings.base_url,
            credentials={"team_id": settings.team_id, "private_key": key, **trusted},
            channel="push",
            address=settings.topic,
        )
    ]


def app(value: str) -> str:
    """An app of the team's, by its bundle id. Raises ValueError."""
    if not _BUNDLE.fullmatch(value):
        raise ValueError("a sender is the bundle id of an app, such as com.example.hotel")
    return value


def _authority(text: str) -> str:
    """A certificate's text. Raises ValueError."""
    problem = "APNS_CA is not a certificate"
    found = pem(text, "CERTIFICATE", problem)
    try:
        ssl.create_default_context(cadata=found)
    except ssl.SSLError:
        raise ValueError(f"{problem}: what stands between its first and its last line is none.") from None
    return found


_NO_KEY = "APNS_KEY is not the text of a .p8 file (developer.apple.com, Certificates, Identifiers & Profiles, Keys)"


def pem(text: str, label: str = "PRIVATE KEY", problem: str = _NO_KEY) -> str:
    """A PEM file's text however it was put into a variable. Raises ValueError, which quotes nothing of it."""
    begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
    plain = text.replace("\\n", "\n").strip()
    if not (plain.startswith(begin) and plain.endswith(end)):
        raise ValueError(f"{problem}: it begins with {begin} and ends with {end}.")
    inside = "".join(plain[len(begin) : -len(end)].split())
    return "\n".join([begin, *(inside[at : at + 64] for at in range(0, len(inside), 64)), end, ""])
