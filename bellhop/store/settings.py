"""Settings of the store: its database, and when an attempt is made, asked about and given up."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bellhop.domain.run_up import RunUps
from bellhop.settings_group import SettingsGroup


class PostgresSettings(SettingsGroup):
    """PostgreSQL: the record."""

    model_config = SettingsConfigDict(env_prefix="POSTGRES_")

    dsn: SecretStr = Field(
        default=SecretStr("postgresql://postgres@localhost:5432/bellhop"),
        description="connection string of a PostgreSQL 18 database (postgresql://user:password@host:port/database)",
    )

    pool_size: int = Field(
        default=10,
        ge=1,
        le=200,
        description="connections each process keeps at most; the API a third more, for callbacks",
    )


class DeliverySettings(SettingsGroup):
    """Deliveries to providers.

    How long a call may take, and how an unknown outcome is settled. Seconds throughout.
    """

    model_config = SettingsConfigDict(env_prefix="DELIVERY_")

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
    question_rate: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="questions a second that one account at a provider is asked about messages, by all processes "
        "together; a provider that limits them itself (SendGrid: six a minute) is asked no oftener than that",
    )
    missed_after: float = Field(
        default=12.0,
        ge=0,
        le=3600,
        description="how long no API process has run, or reached the database, until providers are asked for the "
        "callbacks that came meanwhile, seconds; 0: never",
    )
    retry_first: float = Field(default=2.0, gt=0, description="first pause before another attempt, seconds; doubles")
    retry_longest: float = Field(default=300.0, gt=0, description="longest pause between attempts, seconds")
    hold: float = Field(
        default=60.0,
        gt=0,
        description="how often an account that is at fault is tried, with one of its messages, seconds",
    )
    release_rate: float = Field(
        default=20.0,
        gt=0,
        le=1000,
        description="messages a second that go out of one property on one channel once what they waited for is over",
    )
    valid_for: float = Field(
        default=259_200.0, gt=0, description="a message not sent this long after it was due expires, seconds"
    )
    inbox_kept: float = Field(
        default=2_592_000.0,
        gt=0,
        description="how long an in-app message lies in its guest's inbox, unless its `valid_until` is earlier, "
        "seconds",
    )
    marks_dir: str = Field(
        default="/dev/shm",  # noqa: S108  in it, a directory that is the user's own
        description="directory of this machine, in its memory, in which workers mark which calls they have begun to "
        "write; empty: nowhere, and each call that was cut off is asked about",
    )
    run_up: float = Field(
        default=30.0,
        ge=0,
        le=60,
        description="how long before its time the workflow of a scheduled message may be started, seconds; as little "
        "as is needed for all that are due then; 0: at its time",
    )
    run_up_rate: float = Field(
        default=100.0,
        ge=1,
        le=5000,
        description="scheduled messages a second that one process has started before their time",
    )
    threads: int = Field(
        default=48,
        ge=3,
        le=768,
        description="provider calls one worker process makes at a time in each environment; a third of them "
        "through one account of one property, half while others leave room",
    )

    def run_ups(self) -> RunUps:
        """A process's plan of starts before their time."""
        return RunUps(self.run_up, self.run_up_rate)

    @field_validator("settle_pauses", "follow_at", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
