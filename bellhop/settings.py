"""Every setting of Bellhop, read once from the environment (and `.env`) by a composition root and passed down.

`.env.example` is made from it by `python -m bellhop.ops.env_example`: from the first line of each group's docstring,
from its fields' descriptions and their defaults. Providers bring groups of their own (`bellhop.providers`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

from bellhop.providers import PACKAGES
from bellhop.providers.package import ProviderSettings


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the environment variable and the fix."""


def _group(prefix: str) -> SettingsConfigDict:
    # `NAME=` in a .env file means that NAME is not set.
    return SettingsConfigDict(env_prefix=prefix, env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")


def env_file(env: Mapping[str, str] = os.environ) -> str | None:
    """The file settings are read from beside the environment: `.env` here, or what BELLHOP_ENV_FILE names (empty: none;
    the embedded stack's programs get everything by their environment)."""
    return env.get("BELLHOP_ENV_FILE", ".env") or None


class PostgresSettings(BaseSettings):
    """PostgreSQL: the record."""

    model_config = _group("POSTGRES_")

    dsn: SecretStr = Field(
        default=SecretStr("postgresql://postgres@localhost:5432/bellhop"),
        description="connection string of a PostgreSQL 18 database (postgresql://user:password@host:port/database)",
    )
    pool_size: int = Field(default=10, ge=1, le=200, description="connections each process keeps at most")


class TemporalSettings(BaseSettings):
    """Temporal: the workflows."""

    model_config = _group("TEMPORAL_")

    address: str = Field(
        default="localhost:7233",
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


class DeliverySettings(BaseSettings):
    """Deliveries to providers.

    How long a call may take, and how an unknown outcome is settled. Seconds throughout.
    """

    model_config = _group("DELIVERY_")

    call_timeout: float = Field(default=10.0, gt=0, le=60, description="one provider call, seconds")
    lease: float = Field(
        default=15.0, gt=0, le=120, description="how long an attempt may be in flight, seconds; longer than a call"
    )
    lease_margin: float = Field(
        default=2.0,
        ge=0,
        le=60,
        description="wait after a lease before the provider is asked what became of the attempt, seconds",
    )
    settle_pauses: Annotated[list[float], NoDecode] = Field(
        default=[10.0, 30.0, 60.0, 60.0],
        min_length=1,
        description="pauses between questions to a provider about an unknown outcome, seconds, comma-separated",
    )
    follow_at: Annotated[list[float], NoDecode] = Field(
        default=[300.0, 1_200.0, 4_800.0, 19_200.0, 64_800.0, 172_800.0, 330_000.0],
        min_length=1,
        description="when a provider is asked about a message it took and is silent about, seconds after it was sent",
    )
    retry_first: float = Field(default=2.0, gt=0, description="first pause before another attempt, seconds; doubles")
    retry_longest: float = Field(default=300.0, gt=0, description="longest pause between attempts, seconds")
    hold: float = Field(
        default=60.0, gt=0, description="how often the messages of an account that is at fault are tried again, seconds"
    )
    valid_for: float = Field(
        default=259_200.0, gt=0, description="a message not sent this long after it was due expires, seconds"
    )
    threads: int = Field(default=16, ge=1, le=256, description="provider calls one worker process makes at a time")

    @field_validator("settle_pauses", "follow_at", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class WebhookSettings(BaseSettings):
    """Module webhooks: calls to your customers' endpoints."""

    model_config = _group("WEBHOOK_")

    allow: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="private networks endpoints may live in (development only), comma-separated, e.g. 127.0.0.0/8",
    )
    timeout: float = Field(default=15.0, gt=0, le=60, description="one delivery, seconds")
    retry_pauses: Annotated[list[float], NoDecode] = Field(
        default=[5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
        description="pauses between deliveries of one event, seconds: about three days",
    )
    disable_after: float = Field(
        default=432_000.0, gt=0, description="an endpoint that only fails for this long is disabled, seconds"
    )

    @field_validator("allow", "retry_pauses", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class BellhopSettings(BaseSettings):
    """The program itself."""

    model_config = _group("BELLHOP_")

    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="32 characters or more, kept for ever: keys the hashes of addresses and request fingerprints "
        "(openssl rand -hex 32)",
    )
    public_url: str = Field(
        default="http://localhost:8000",
        description="where providers reach the API for their callbacks; live accounts need a public https address",
    )
    sandbox_url: str | None = Field(default=None, description="where the sandbox providers are; unset: no test scopes")
    host: str = Field(default="127.0.0.1", description="address the API listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="port the API listens on")
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="how much to log: DEBUG, INFO, WARNING or ERROR",
    )
    sweep_every: float = Field(default=30.0, gt=0, description="how often recovery looks for what was left, seconds")
    sweep_grace: float = Field(
        default=10.0,
        ge=0.5,
        le=600,
        description="how long a notification of Temporal may be pending before recovery acts, seconds",
    )
    accept_wait: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="how long a send waits for the provider's acceptance before it answers, seconds",
    )

    @field_validator("public_url", "sandbox_url")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value


G = TypeVar("G", bound=ProviderSettings)


def _provider_groups() -> dict[str, ProviderSettings]:
    return {package.name: package.settings() for package in PACKAGES}


class Settings(BaseModel):
    """The whole tree. Build it with `load()`, once."""

    bellhop: BellhopSettings = Field(default_factory=BellhopSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    temporal: TemporalSettings = Field(default_factory=TemporalSettings)
    providers: dict[str, ProviderSettings] = Field(default_factory=_provider_groups)
    """By name, one group for each package of `bellhop.providers`: see `provider`."""
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    webhook: WebhookSettings = Field(default_factory=WebhookSettings)

    def provider(self, kind: type[G]) -> G:
        """The group of one provider, e.g. `settings.provider(TwilioSettings).account_sid`."""
        return next(group for group in self.providers.values() if isinstance(group, kind))


def groups() -> dict[str, type[BaseSettings]]:
    """Every group of the tree by name, in the order of `.env.example`: the providers' stand where `providers` does."""
    found: dict[str, type[BaseSettings]] = {}
    for name, field in Settings.model_fields.items():
        if name == "providers":
            found |= {package.name: package.settings for package in PACKAGES}
        else:
            assert isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings)
            found[name] = field.annotation
    return found


def load() -> Settings:
    """Read the environment and `.env`. Raises SettingsError naming each variable that is wrong."""
    return from_env(os.environ)


def from_env(env: Mapping[str, str]) -> Settings:
    """The settings a program would load that was started with the environment `env`. Raises SettingsError."""
    return _checked(_groups(env))


def _groups(env: Mapping[str, str]) -> dict[str, BaseSettings]:
    problems: list[str] = []
    read: dict[str, BaseSettings] = {}
    for name, group in groups().items():
        prefix = group.model_config.get("env_prefix", "")
        try:
            read[name] = _read(group, env)
        except ValidationError as error:
            for problem in error.errors(include_input=False, include_url=False):
                variable = prefix + "_".join(str(part) for part in problem["loc"][:1])
                problems.append(f"{variable.upper()}: {problem['msg']}")
    if problems:
        raise SettingsError("Settings that need mending:\n  " + "\n  ".join(problems))
    return read


def _read(group: type[BaseSettings], env: Mapping[str, str]) -> BaseSettings:
    """One group from `env`, and below it from the file that `env` names. Raises pydantic's ValidationError."""
    variables = EnvSettingsSource(group)
    # The source has read `os.environ`; names are looked up in lower case, and an empty value counts as not set.
    variables.env_vars = {name.lower(): value for name, value in env.items() if value}
    return group(_build_sources=((variables, DotEnvSettingsSource(group, env_file=env_file(env))), {}))


def _checked(read: dict[str, BaseSettings]) -> Settings:
    providers = {package.name: read.pop(package.name) for package in PACKAGES}
    settings = Settings.model_validate({**read, "providers": providers})
    if len(settings.bellhop.secret_key.get_secret_value()) < 32:
        raise SettingsError(
            "BELLHOP_SECRET_KEY is missing or shorter than 32 characters.\n"
            "  It keys the hashes of guests' addresses; make one with: openssl rand -hex 32\n"
            "  Keep it: with another key, earlier opt-outs would no longer be recognised."
        )
    return settings
