"""What can be set about the simulated Apple Push Notification service."""

from __future__ import annotations

from pydantic import Field

from bellhop.sandbox.simulator import SettingsGroup


class ApnsSettings(SettingsGroup):
    """Times are seconds after acceptance."""

    apns_sent_after: float = Field(default=0.1, ge=0, description="the device shows it; nobody is told")
    apns_app_url: str = Field(
        default="", description="where the app on a device reports that a notification was read: …/{receipt_token}/read"
    )
