"""Settings of Temporal: where it is and how it is reached."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bellhop.domain.sweeps import TURNS, SweepKind
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


def _every(what: str, turns: int) -> float | None:
    times = "" if turns == 1 else f"{turns} times "
    found: float | None = Field(
        default=None, gt=0, description=f"for {what}, seconds; unset: {times}BELLHOP_SWEEP_EVERY"
    )
    return found


class SweepSettings(SettingsGroup):
    """Recovery: how often each kind of work is looked for, where it is not to be in step with BELLHOP_SWEEP_EVERY."""

    model_config = SettingsConfigDict(env_prefix="BELLHOP_SWEEP_EVERY_")

    pending: float | None = _every("messages Temporal was not notified of", TURNS[SweepKind.PENDING])
    past_due: float | None = _every("messages past due", TURNS[SweepKind.PAST_DUE])
    lapsed: float | None = _every("calls past their lease", TURNS[SweepKind.LAPSED])
    parked: float | None = _every("parked messages that can go on", TURNS[SweepKind.PARKED])
    intents: float | None = _every("guests' messages in which nobody has looked for intents", TURNS[SweepKind.INTENTS])
    inbound_files: float | None = _every(
        "guests' files that nobody has fetched, or deleted at the provider", TURNS[SweepKind.INBOUND_FILES]
    )
    broadcasts: float | None = _every("broadcasts that nobody goes on with", TURNS[SweepKind.BROADCASTS])
    endpoints: float | None = _every("endpoints that nobody drains", TURNS[SweepKind.ENDPOINTS])
    namespace: float | None = _every("a Temporal that has lost its state", TURNS[SweepKind.NAMESPACE])
    histories: float | None = _every("histories of erased guests", TURNS[SweepKind.HISTORIES])
    old: float | None = _every("what is kept for a while only", TURNS[SweepKind.OLD])
    files: float | None = _every("files that have been let go", TURNS[SweepKind.FILES])

    def every(self, kind: SweepKind, base: float) -> float:
        """Seconds between two sweeps of that kind. `base`: BELLHOP_SWEEP_EVERY."""
        own: float | None = getattr(self, kind.value.replace("-", "_"))
        return TURNS[kind] * base if own is None else own
