"""Every setting of Bellhop, read once from the environment (and `.env`) by a composition root and passed down.

`.env.example` is made from it by `python -m bellhop.ops.env_example`: from the first line of each group's docstring,
from its fields' descriptions and their defaults. Each room brings its own group
(`store/settings.py`, `webhooks/settings.py`, …), each provider too; only composition roots see the whole tree.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

from bellhop.domain.credentials import CredentialCipher
from bellhop.domain.media_addresses import MediaAddresses
from bellhop.domain.provider_urls import Routes
from bellhop.domain.sweeps import SweepKind
from bellhop.env_file import env_file
from bellhop.intents.settings import IntentSettings
from bellhop.media.settings import MediaSettings
from bellhop.providers import PACKAGES
from bellhop.providers.package import ProviderSettings
from bellhop.settings_group import HttpUrl, SettingsGroup
from bellhop.spool.settings import SpoolSettings
from bellhop.store.settings import DeliverySettings, PostgresSettings
from bellhop.temporal.settings import SweepSettings, TemporalSettings
from bellhop.webhooks.settings import WebhookSettings


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the environment variable and the fix."""


class BellhopSettings(SettingsGroup):
    """The program itself."""

    model_config = SettingsConfigDict(env_prefix="BELLHOP_")

    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="32 characters or more, kept for ever: keys the hashes of addresses and request fingerprints "
        "(openssl rand -hex 32)",
    )
    credentials_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default=[],
        description="keys that provider credentials are encrypted under, comma-separated, newest first; empty: one "
        "made of the secret key",
    )
    public_url: HttpUrl = Field(
        default="http://localhost:8000",
        description="where providers reach the API for their callbacks; live accounts need a public https address",
    )
    fallback_url: HttpUrl | None = Field(
        default=None,
        description="another way to the same API (a second host or proxy), where Twilio takes a guest's text that it "
        "could not deliver at the first; unset: BELLHOP_PUBLIC_URL",
    )
    sandbox_url: HttpUrl | None = Field(
        default=None, description="where the sandbox providers are; unset: no test scopes"
    )
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
    inbound_every: float = Field(
        default=300.0,
        ge=0,
        description="how often Twilio is asked for guests' texts that it could not deliver, seconds; 0: never "
        "(`bellhop inbound fetch` does it by hand)",
    )
    approvals_every: float = Field(
        default=6 * 3600.0,
        ge=0,
        description="how often Twilio is asked which of the named WhatsApp templates are approved, seconds, and each "
        "quarter of an hour for those that are not yet; 0: never (`bellhop templates refresh` does it by hand)",
    )
    accept_wait: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="how long a send waits for the provider's acceptance before it answers, seconds",
    )

    @field_validator("credentials_keys", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("credentials_keys")
    @classmethod
    def _long_enough(cls, value: list[SecretStr]) -> list[SecretStr]:
        if any(len(key.get_secret_value()) < 32 for key in value):
            raise ValueError("each key has 32 characters or more (openssl rand -hex 32)")
        return value

    def credential_cipher(self) -> CredentialCipher:
        """What provider credentials are sealed with and opened by."""
        keys = [key.get_secret_value() for key in self.credentials_keys]
        return CredentialCipher(self.secret_key.get_secret_value(), keys)

    @property
    def fallback(self) -> str:
        """The base of addresses for what a provider could not deliver at the first."""
        return self.fallback_url or self.public_url

    @property
    def encrypted(self) -> bool:
        """Whether providers reach the API by https, whichever way they take."""
        return self.unencrypted is None

    @property
    def unencrypted(self) -> str | None:
        """The first address by which providers reach the API without encryption, as `variable is address`."""
        ways = {"BELLHOP_PUBLIC_URL": self.public_url, "BELLHOP_FALLBACK_URL": self.fallback}
        plain = (f"{name} is {url}" for name, url in ways.items() if not url.lower().startswith("https://"))
        return next(plain, None)


class ApiSettings(SettingsGroup):
    """The API's server: what anybody may cost who can reach it. Limits are those of one process."""

    model_config = SettingsConfigDict(env_prefix="BELLHOP_API_")

    max_connections: int = Field(default=2_000, ge=10, description="connections at a time")
    connections_per_address: int = Field(
        default=250,
        ge=1,
        description="connections at a time from one address; proxies named in FORWARDED_ALLOW_IPS are exempt",
    )
    keep_alive: int = Field(default=75, ge=1, description="how long a connection may rest between requests, seconds")
    head_timeout: float = Field(default=10.0, gt=0, description="how long a request's head may take to arrive, seconds")
    body_timeout: float = Field(default=30.0, gt=0, description="how long its body may take, seconds")
    answer_timeout: float = Field(
        default=30.0, gt=0, description="how long a caller may take to read an answer, seconds"
    )
    max_url: int = Field(default=8_192, ge=512, description="longest URL, bytes")
    max_head: int = Field(default=32_768, ge=1_024, description="largest head besides, bytes")
    max_headers: int = Field(default=100, ge=10, description="most headers of a request")
    max_pipelined: int = Field(
        default=16, ge=1, description="requests that may wait on a connection for the one before them"
    )
    max_bodies: int = Field(
        default=64 * 1024 * 1024,
        ge=32 * 1024 * 1024,
        description="bodies held at a time, bytes in all; as much again for callbacks",
    )
    max_unread: int = Field(
        default=128 * 1024 * 1024,
        ge=16 * 1024 * 1024,
        description="answers not yet read by their callers, bytes in all",
    )
    max_streams: int = Field(default=1_500, ge=1, description="live streams at a time")
    streams_per_property: int = Field(
        default=500, ge=1, description="live streams at a time of one property in one environment"
    )
    streams_per_guest: int = Field(
        default=10, ge=1, description="live streams at a time of one guest; one more, and the oldest gives way"
    )
    stream_heartbeat: float = Field(
        default=20.0,
        ge=1,
        le=60,
        description="how often a live stream on which nothing happens shows that it is open, seconds",
    )


G = TypeVar("G", bound=ProviderSettings)


def _provider_groups() -> dict[str, ProviderSettings]:
    return {package.name: package.settings() for package in PACKAGES}


class Settings(BaseModel):
    """The whole tree. Build it with `load()`, once."""

    bellhop: BellhopSettings = Field(default_factory=BellhopSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    temporal: TemporalSettings = Field(default_factory=TemporalSettings)
    sweeps: SweepSettings = Field(default_factory=SweepSettings)
    providers: dict[str, ProviderSettings] = Field(default_factory=_provider_groups)
    """By name, one group for each package of `bellhop.providers`: see `provider`."""
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    webhook: WebhookSettings = Field(default_factory=WebhookSettings)
    intents: IntentSettings = Field(default_factory=IntentSettings)
    spool: SpoolSettings = Field(default_factory=SpoolSettings)
    media: MediaSettings = Field(default_factory=MediaSettings)

    def provider(self, kind: type[G]) -> G:
        """The group of one provider, e.g. `settings.provider(TwilioSettings).account_sid`."""
        return next(group for group in self.providers.values() if isinstance(group, kind))

    def sweep_paces(self) -> dict[SweepKind, float]:
        """Seconds between two sweeps of each kind of work."""
        return {kind: self.sweeps.every(kind, self.bellhop.sweep_every) for kind in SweepKind}

    def media_addresses(self) -> MediaAddresses:
        """Where providers find the files of messages."""
        return MediaAddresses(self.bellhop.secret_key.get_secret_value(), self.bellhop.public_url)

    @property
    def routes(self) -> Routes:
        """Where calls go, and what they are told to call."""
        return Routes(self.bellhop.public_url, self.bellhop.sandbox_url)

    def callback_base(self, provider: str, path: str) -> str:
        """The base of the address that a provider calls for a callback path: what its signature covers."""
        return self.bellhop.fallback if (provider, path) in _FALLBACKS else self.bellhop.public_url


_FALLBACKS = {(package.name, each.path) for package in PACKAGES for each in package.callback_paths if each.fallback}


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
                problems.append(f"{variable.upper()}: {_expected(problem)}")
    if problems:
        raise SettingsError("Settings that need mending:\n  " + "\n  ".join(problems))
    return read


def _expected(problem: Mapping[str, Any]) -> str:
    """What was wrong with one setting, as a person reads it."""
    return str(problem["msg"]).removeprefix("Value error, ")


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
