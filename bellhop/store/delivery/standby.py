"""The order in which the senders of a channel are tried, where some stand by for others (I2). The caller has locked and
read the message."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from bellhop.domain import routing
from bellhop.domain.channels import CHANNELS
from bellhop.domain.content import Content
from bellhop.domain.provider_urls import Routes
from bellhop.domain.routing import Carried
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.delivery import device_parts
from bellhop.store.delivery.attempt_rows import SendingAccount

PATIENCE = 3
"""Calls of one account that surely did not take a part, before one that stands by is tried."""


def in_order(
    known: Sequence[SendingAccount],
    row: MessageRow,
    rows: Sequence[AttemptRow],
    part: int,
    said: Content,
    carried: Carried,
    routes: Routes,
) -> list[SendingAccount]:
    """Who of `known` can carry a part: the usual one, then those that stand by, and last whoever surely did not take
    it as often as it may."""
    goes_to = device_parts.goes_to(row, part)
    if row.sender is not None:
        known = [one for one in known if one.address == row.sender]
    able = routing.candidates(known, carried, row.channel, said, goes_to.kind if goes_to else None)
    if not CHANNELS[row.channel].in_record:
        able = [one for one in able if routes.base_url(row.environment, one.base_url) is not None]
    if len(able) > 1:
        able.sort(key=lambda one: not_taken(row, rows, part, one.account_id) // PATIENCE)
    return able


def not_taken(row: MessageRow, rows: Sequence[AttemptRow], part: int, account_id: UUID) -> int:
    """How often an account surely did not take a part, at the step that the message is at."""
    return sum(
        (one.account_id, one.step, one.part) == (account_id, row.step, part) and one.state is AttemptState.NOT_SENT
        for one in rows
    )
