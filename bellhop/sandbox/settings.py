"""What can be set about the sandbox: from the environment at the start, and by `PUT /_sandbox/settings` afterwards.

What was PUT is stored and wins over the environment after a restart.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from pydantic import Field, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from bellhop.sandbox.providers import simulators
from bellhop.sandbox.simulator import SettingsGroup

_GROUPS = tuple(simulator.settings_group for simulator in simulators().values())

Settings = cast(type[SettingsGroup], create_model("Settings", __base__=_GROUPS))
"""The settings of every simulator together, each read as its own group (`State.settings_of`)."""


class Process(BaseSettings):
    """How the program itself runs; the command line wins over the environment."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8900, ge=0, le=65535)
    db: Path | None = None
