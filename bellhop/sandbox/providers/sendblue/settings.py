"""What can be set about the simulated Sendblue."""

from __future__ import annotations

from pydantic import Field

from bellhop.sandbox.simulator import SettingsGroup


class SendblueSettings(SettingsGroup):
    """Times are seconds after acceptance."""

    sendblue_inbound_url: str = Field(default="", description="where messages sent TO the account's lines are posted")
    sendblue_files_url: str = Field(
        default="", description="where the app reaches this sandbox for guests' files; empty: as whoever writes does"
    )
    sendblue_sent_after: float = Field(default=0.15, ge=0, description="status SENT")
    sendblue_delivered_after: float = Field(default=0.5, ge=0, description="status DELIVERED, or how else it ends")
    sendblue_retry_pause: float = Field(default=0.5, ge=0, description="pause before a callback's first retry; doubles")
    sendblue_list_lag: float = Field(default=0, ge=0, description="how old a message must be to appear in the list")
