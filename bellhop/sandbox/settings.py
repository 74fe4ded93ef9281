"""What can be set about the sandbox: from the environment at the start, and by `PUT /_sandbox/settings` afterwards.

What was PUT is stored and wins over the environment after a restart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Times are seconds after acceptance."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="forbid", validate_assignment=True)

    twilio_inbound_url: str = Field(default="", description="where texts sent TO the account's numbers are posted")
    twilio_sent_after: float = Field(default=0.15, ge=0, description="status `sent`")
    twilio_delivered_after: float = Field(default=0.5, ge=0, description="status `delivered`, or how else it ends")
    twilio_read_after: float = Field(default=1.2, ge=0, description="status `read` (channel addresses only)")
    twilio_retry_pause: float = Field(default=0.5, ge=0, description="pause before a callback's first retry; doubles")
    twilio_list_lag: float = Field(default=0, ge=0, description="how old a message must be to appear in the list")
    sendgrid_event_url: str = Field(default="", description="event webhook, unless an account has set its own")
    sendgrid_processed_after: float = Field(default=0.15, ge=0, description="event `processed`")
    sendgrid_delivered_after: float = Field(default=0.5, ge=0, description="event `delivered`, or how else it ends")
    sendgrid_open_after: float = Field(default=1.2, ge=0, description="event `open`, and what a reader does next")
    sendgrid_batch_window: float = Field(default=0.05, ge=0, description="how long events are collected into one post")
    sendgrid_email_activity: bool = Field(default=False, description="accounts have the Email Activity API's add-on")
    sendgrid_activity_lag: float = Field(default=0, ge=0, description="how old an event must be to appear there")
    sendgrid_retry_pauses: Annotated[list[float], NoDecode] = Field(
        default=[1, 2, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 28800],
        description="pauses between posts of an event that got no 2xx: a day altogether",
    )

    @field_validator("sendgrid_retry_pauses", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [float(part) for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Process(BaseSettings):
    """How the program itself runs; the command line wins over the environment."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8900, ge=0, le=65535)
    db: Path | None = None
