"""Settings of webhooks: who may be called, for how long and how often."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bellhop.settings_group import SettingsGroup


class WebhookSettings(SettingsGroup):
    """Module webhooks: calls to your customers' endpoints."""

    model_config = SettingsConfigDict(env_prefix="WEBHOOK_")

    allow: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="private networks endpoints may live in (development only), comma-separated, "
        "e.g. 127.0.0.0/8,::1/128",
    )
    timeout: float = Field(default=15.0, gt=0, le=60, description="one delivery, seconds")
    retry_pauses: Annotated[list[float], NoDecode] = Field(
        default=[5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
        description="pauses between deliveries of one event, seconds: about three days",
    )
    disable_after: float = Field(
        default=432_000.0, gt=0, description="an endpoint that only fails for this long is disabled, seconds"
    )

    nameservers: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="name servers asked for endpoints' hosts instead of the machine's, comma-separated, address or "
        "address:port",
    )
    max_endpoints: int = Field(default=50, ge=1, description="endpoints a property may have in each environment")

    @field_validator("allow", "retry_pauses", "nameservers", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
