"""Settings of intents: who looks for them."""

from __future__ import annotations

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from bellhop.domain.intents import DetectorName
from bellhop.settings_group import HttpUrl, SettingsGroup


class IntentSettings(SettingsGroup):
    """What guests want: who looks for it in what they write. A hosted detector is sent guests' messages."""

    model_config = SettingsConfigDict(env_prefix="BELLHOP_INTENTS_")

    detector: DetectorName = Field(
        default=DetectorName.BUILT_IN,
        description="who looks first: built_in (offline), anthropic or openai; these two need their SDK (pip install "
        "'bellhop[anthropic]'), and where they do not answer the built-in one does",
    )
    api_key: SecretStr = Field(default=SecretStr(""), validate_default=True, description="key of the hosted detector")
    model: str = Field(
        default="",
        validate_default=True,
        max_length=200,
        description="the hosted detector's model, by its maker's name for it",
    )
    base_url: HttpUrl | None = Field(default=None, description="where the hosted detector is; unset: at its maker's")
    timeout: float = Field(default=10.0, gt=0, le=30, description="what a detector may take for a message, seconds")

    @field_validator("api_key", "model")
    @classmethod
    def _needed(cls, value: SecretStr | str, info: ValidationInfo) -> SecretStr | str:
        given = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not given and info.data.get("detector", DetectorName.BUILT_IN) is not DetectorName.BUILT_IN:
            raise ValueError(f"the detector {info.data['detector'].value} needs it")
        return value
