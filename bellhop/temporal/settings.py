"""Settings of Temporal: where it is and how it is reached."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bellhop.settings_group import SettingsGroup


class TemporalSettings(SettingsGroup):
    """Temporal: the workflows."""

    model_config = SettingsConfigDict(env_prefix="TEMPORAL_")

    address: str = Field(
        default="localhost:7233",
        # Not a URL; no scheme.
        pattern=r"^[^\s/]+:\d{1,5}$",
        description="address of the Temporal frontend; when set, `make run` uses that server instead of one of its own",
    )
    namespace: str = Field(default="default", description="Temporal namespace; it must exist")
    api_key: SecretStr | None = Field(default=None, description="API key (Temporal Cloud); switches TLS on")
    tls: bool = Field(default=False, description="use TLS; implied by an API key or a client certificate")
    tls_server_ca_file: Path | None = Field(
        default=None, description="PEM file of the authority to trust, if it is a private one"
    )
    tls_client_cert_file: Path | None = Field(default=None, description="PEM client certificate for mutual TLS")
    tls_client_key_file: Path | None = Field(default=None, description="PEM key of that certificate")
