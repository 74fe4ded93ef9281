"""Tells the sandbox where its callbacks go: addresses that contain the ids of its default accounts.

python -m bellhop.dev.callbacks http://api:8000 COMMAND…     runs COMMAND with them in its environment
"""

from __future__ import annotations

import os
import sys

from bellhop.domain.provider_urls import receipts_url
from bellhop.sandbox.providers import default_accounts


def callback_env(api_url: str) -> dict[str, str]:
    """The sandbox's settings for an API at that address."""
    return {
        setting: receipts_url(api_url, provider, account.identity, path)
        for provider, account in default_accounts().items()
        for setting, path in account.callbacks.items()
    }


if __name__ == "__main__":
    os.environ.update(callback_env(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is the container's own
