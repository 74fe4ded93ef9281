"""Twilio's API by its SDK, which is imported with the first call: who only takes callbacks does without."""

from __future__ import annotations

from typing import Any

from bellhop.domain.delivery_ports import Account
from bellhop.providers.lease_http import Http


def account_api(http: Http, account: Account) -> Any:
    """The SDK's resources of one account. Raises KeyError without a token."""
    from bellhop.providers.twilio import sdk

    return sdk.account_api(http, account)


def content_api(http: Http, account: Account) -> Any:
    """The SDK's templates of one account. Raises KeyError without a token."""
    from bellhop.providers.twilio import sdk

    return sdk.content_api(http, account)
