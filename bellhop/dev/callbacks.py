"""Tells the sandbox where its callbacks go: addresses that contain the ids of its well-known accounts.

python -m bellhop.dev.callbacks http://api:8000 COMMAND…     runs COMMAND with them in its environment
"""

from __future__ import annotations

import os
import sys

from bellhop.sandbox import accounts


def callback_env(api_url: str) -> dict[str, str]:
    """The sandbox's settings for an API at that address. A SendGrid key's id is the middle of its three parts."""
    receipts = f"{api_url.rstrip('/')}/v1/receipts"
    return {
        "SANDBOX_SENDGRID_EVENT_URL": f"{receipts}/sendgrid/{accounts.SENDGRID_API_KEY.split('.')[1]}/events",
        "SANDBOX_TWILIO_INBOUND_URL": f"{receipts}/twilio/{accounts.TWILIO_ACCOUNT_SID}/inbound",
    }


if __name__ == "__main__":
    os.environ.update(callback_env(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is the container's own
