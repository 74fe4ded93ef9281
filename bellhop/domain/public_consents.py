"""Consents as their readers see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bellhop.domain.consents import ALL, MARKETING, SaidTo
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.guests import ConsentRow
from bellhop.domain.serializers import timestamp


def consent(row: ConsentRow, address: str, *, in_force: bool) -> dict[str, Any]:
    """The Consent object: one thing that was said of `address`."""
    group = row.purpose.removeprefix("group:")
    return {
        "id": render(Prefix.CONSENT, row.id),
        "kind": row.kind,
        "address": address,
        "action": row.action,
        "cause": row.action if row.cause == "unstated" else row.cause,
        "purpose": MARKETING if row.purpose == MARKETING else ALL,
        "group": group if group != row.purpose else None,
        "in_force": in_force,
        "channel": row.channel or None,
        "sender": row.sender or None,
        "source": row.source,
        "actor": row.actor,
        "reason": row.reason,
        "occurred_at": timestamp(row.occurred_at),
        "created_at": timestamp(row.created_at),
    }


def senders(said_to: Iterable[SaidTo]) -> list[dict[str, Any]]:
    """Senders of ours, each with its channel."""
    return [{"channel": one.channel.value, "sender": one.address} for one in said_to]
