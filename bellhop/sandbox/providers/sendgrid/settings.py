"""What can be set about the simulated SendGrid."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from bellhop.sandbox.simulator import SettingsGroup


class SendGridSettings(SettingsGroup):
    """Times are seconds after acceptance."""

    sendgrid_event_url: str = Field(default="", description="event webhook, unless an account has set its own")
    sendgrid_inbound_url: str = Field(default="", description="destination of Inbound Parse, for guests' mails")
    sendgrid_inbound_raw: bool = Field(default=True, description="it posts whole mails, not their parts")
    sendgrid_inbound_retry_pauses: Annotated[list[float], NoDecode] = Field(
        default=[1, 2, 5], description="pauses between posts of a mail that was answered with 5xx or not at all"
    )
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

    @field_validator("sendgrid_retry_pauses", "sendgrid_inbound_retry_pauses", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [float(part) for part in value.split(",") if part.strip()] if isinstance(value, str) else value
