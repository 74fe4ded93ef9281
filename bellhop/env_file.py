"""Which file settings are read from. Light: programs look into it that need no settings."""

from __future__ import annotations

import os
from collections.abc import Mapping


def env_file(env: Mapping[str, str] = os.environ) -> str | None:
    """The file settings are read from beside the environment: `.env` here, or what BELLHOP_ENV_FILE names (empty: none;
    the embedded stack's programs get everything by their environment)."""
    return env.get("BELLHOP_ENV_FILE", ".env") or None
