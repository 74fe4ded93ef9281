"""The public object of a sender, as the API and commands show it."""

from __future__ import annotations

from typing import Any

from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.delivery import OwnSender


def sender(row: OwnSender) -> dict[str, Any]:
    """The Sender object: an address that messages go out from."""
    return {
        "id": render(Prefix.SENDER, row.id),
        "account_id": render(Prefix.ACCOUNT, row.account_id),
        "provider": row.provider,
        "channel": row.channel.value,
        "address": row.address,
        "name": row.name,
        "default": row.is_default,
        "standby": row.standby,
        "rate": row.rate,
    }
