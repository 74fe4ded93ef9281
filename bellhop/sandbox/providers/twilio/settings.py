"""What can be set about the simulated Twilio."""

from __future__ import annotations

from pydantic import Field

from bellhop.sandbox.simulator import SettingsGroup


class TwilioSettings(SettingsGroup):
    """Times are seconds after acceptance."""

    twilio_inbound_url: str = Field(default="", description="where texts sent TO the account's numbers are posted")
    twilio_inbound_fallback_url: str = Field(
        default="", description="where they are posted when that fails: Primary handler fails"
    )
    twilio_sent_after: float = Field(default=0.15, ge=0, description="status `sent`")
    twilio_delivered_after: float = Field(default=0.5, ge=0, description="status `delivered`, or how else it ends")
    twilio_read_after: float = Field(default=1.2, ge=0, description="status `read` (channel addresses only)")
    twilio_window: float = Field(
        default=86_400, ge=0, description="seconds after a guest's WhatsApp message in which free texts are delivered"
    )
    twilio_retry_pause: float = Field(default=0.5, ge=0, description="pause before a callback's first retry; doubles")
    twilio_list_lag: float = Field(default=0, ge=0, description="how old a message must be to appear in the list")
