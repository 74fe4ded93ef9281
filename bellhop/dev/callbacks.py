"""Tells the sandbox where its callbacks go: addresses that contain the ids of its default accounts.

python -m bellhop.dev.callbacks http://api:8000 COMMAND…     runs COMMAND with them in its environment, and with the
                                                             sandbox's secret instead of the installation's key
"""

from __future__ import annotations

import os
import sys

from bellhop.domain.provider_urls import receipts_url
from bellhop.providers import PACKAGES
from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts


def callback_env(api_url: str, secret: str, fallback_url: str | None = None) -> dict[str, str]:
    """The sandbox's settings for an API at that address, where the sandbox has that secret: what an operator would
    enter at the providers. `fallback_url`: another address of the API."""
    paths = {(package.name, path.path): path for package in PACKAGES for path in package.callback_paths}
    found: dict[str, str] = {}
    for provider, account in default_accounts(secret).items():
        for setting, name in account.callbacks.items():
            path = paths[provider, name]
            base = fallback_url or api_url if path.fallback else api_url
            found[setting] = receipts_url(base, provider, account.identity, path.path, path.options)
        if account.app_reports:
            found[account.app_reports] = f"{api_url.rstrip('/')}/v1/push/receipts"
    return found


def sandbox_env(api_url: str, secret_key: str, fallback_url: str | None = None) -> dict[str, str]:
    """What the sandbox of an installation needs: its own secret, not the installation's key, and where to call."""
    secret = secret_of(secret_key)
    return {"SANDBOX_SECRET": secret, **callback_env(api_url, secret, fallback_url)}


if __name__ == "__main__":
    secret_key, fallback = os.environ.pop("BELLHOP_SECRET_KEY"), os.environ.get("BELLHOP_FALLBACK_URL")
    os.environ.update(sandbox_env(sys.argv[1], secret_key, fallback))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is the container's own
