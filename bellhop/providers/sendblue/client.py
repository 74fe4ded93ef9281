"""Sendblue's API by its SDK, which is imported with the first call: who only takes callbacks does without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bellhop.domain.delivery_ports import Account
from bellhop.providers.lease_http import Http

if TYPE_CHECKING:
    from sendblue_api.resources.groups import GroupsResource
    from sendblue_api.resources.messages import MessagesResource


def messages_api(http: Http, account: Account) -> MessagesResource:
    """The SDK's messages of one account. Raises KeyError without a secret."""
    from bellhop.providers.sendblue import sdk

    return sdk.messages_api(http, account)


def groups_api(http: Http, account: Account) -> GroupsResource:
    """The SDK's groups of one account. Raises KeyError without a secret."""
    from bellhop.providers.sendblue import sdk

    return sdk.groups_api(http, account)
