"""SendGrid's API by its SDK, which is imported with the first call: who only takes callbacks does without."""

from __future__ import annotations

from typing import Any

from bellhop.domain.delivery_ports import Account
from bellhop.providers.lease_http import Http


def client_of(http: Http, account: Account) -> Any:
    """The SDK's client for an account. Raises KeyError without a key: it would look for one in the environment."""
    from bellhop.providers.sendgrid import sdk

    return sdk.client_of(http, account)
