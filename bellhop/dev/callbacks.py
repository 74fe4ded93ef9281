"""Tells the sandbox where its callbacks go: addresses that contain the ids of its default accounts.

python -m bellhop.dev.callbacks http://api:8000 COMMAND…     runs COMMAND with them in its environment, and with the
                                                             sandbox's secret instead of the installation's key
"""

from __future__ import annotations

import os
import sys

from bellhop.domain.provider_urls import receipts_url
from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts


def callback_env(api_url: str, secret: str) -> dict[str, str]:
    """The sandbox's settings for an API at that address, where the sandbox has that secret."""
    return {
        setting: receipts_url(api_url, provider, account.identity, path)
        for provider, account in default_accounts(secret).items()
        for setting, path in account.callbacks.items()
    }


def sandbox_env(api_url: str, secret_key: str) -> dict[str, str]:
    """What the sandbox of an installation needs: its own secret, not the installation's key, and where to call."""
    secret = secret_of(secret_key)
    return {"SANDBOX_SECRET": secret, **callback_env(api_url, secret)}


if __name__ == "__main__":
    os.environ.update(sandbox_env(sys.argv[1], os.environ.pop("BELLHOP_SECRET_KEY")))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is the container's own
