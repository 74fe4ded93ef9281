"""What can be set about the sandbox: from the environment at the start, and by `PUT /_sandbox/settings` afterwards.

What was PUT is stored and wins over the environment after a restart.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from pydantic import Field, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import simulators
from bellhop.sandbox.simulator import SettingsGroup

_GROUPS = tuple(simulator.settings_group for simulator in simulators().values())

Settings = cast(type[SettingsGroup], create_model("Settings", __base__=_GROUPS))
"""The settings of every simulator together, each read as its own group (`State.settings_of`)."""


class NoSecret(Exception):
    """Nothing says which installation's sandbox this is; the message says what would."""


def secret() -> str:
    """What the accounts are derived from: `SANDBOX_SECRET`; else that of the installation whose `BELLHOP_SECRET_KEY` is
    in the environment or in `.env`, or which `bellhop dev` keeps here. Raises NoSecret."""
    given = _Secrets(_env_file=os.environ.get("BELLHOP_ENV_FILE", ".env") or None)
    if given.sandbox_secret:
        if len(given.sandbox_secret) < _SHORTEST:
            raise NoSecret(
                f"SANDBOX_SECRET is shorter than {_SHORTEST} characters; make one with: openssl rand -hex 32"
            )
        return given.sandbox_secret
    if given.bellhop_secret_key:
        return secret_of(given.bellhop_secret_key)
    kept = Path(os.environ.get("BELLHOP_STATE_DIR", ".bellhop")) / "secret_key"
    if kept.is_file():
        return secret_of(kept.read_text(encoding="utf-8").strip())
    raise NoSecret(
        "SANDBOX_SECRET is missing: what the accounts are derived from (openssl rand -hex 32). For the sandbox of an "
        "installation set BELLHOP_SECRET_KEY to that one's."
    )


_SHORTEST = 32


class _Secrets(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore")

    sandbox_secret: str = Field(default="", repr=False)
    bellhop_secret_key: str = Field(default="", repr=False)


class Process(BaseSettings):
    """How the program itself runs; the command line wins over the environment."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8900, ge=0, le=65535)
    db: Path | None = None
    allowed_hosts: str = ""
    """Names, as a comma list, that requests may be for beside localhost, addresses and `host`."""

    def names(self) -> list[str]:
        """Every name that requests may be for."""
        return [self.host, *(name.strip() for name in self.allowed_hosts.split(",") if name.strip())]
