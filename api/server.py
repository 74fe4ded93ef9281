"""How the API is served: by uvicorn, with a protocol of ours that holds strangers to the settings."""

from __future__ import annotations

import resource
from contextlib import suppress
from typing import Any

from api.http_protocol import LimitedProtocol
from bellhop.settings import ApiSettings

SPARE_FILES = 256
"""Files a process opens besides its connections."""


def options(limits: ApiSettings) -> dict[str, Any]:
    """uvicorn's own settings, wherever it serves the API."""
    return {
        "http": LimitedProtocol,
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": limits.keep_alive,
    }


def allow_files(connections: int) -> None:
    """Let this process open as many files as its connections need, where the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
