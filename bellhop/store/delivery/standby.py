"""The order in which the senders of a channel are tried, where some stand by for others (I2). The caller has locked and
read the message."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from bellhop.domain import media, options, routing
from bellhop.domain.channels import CHANNELS
from bellhop.domain.content import Content
from bellhop.domain.failures import FailureCode
from bellhop.domain.provider_urls import Routes
from bellhop.domain.routing import Carried
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.delivery import device_parts
from bellhop.store.delivery.attempt_rows import SendingAccount

PATIENCE = 3
"""Calls of one account that surely did not take a part, before one that stands by is tried."""
PATIENT_FOR = 30.0
"""Seconds an account may ask for before another call, without one that stands by being tried meanwhile."""


def in_order(
    known: Sequence[SendingAccount],
    row: MessageRow,
    rows: Sequence[AttemptRow],
    part: int,
    carried: Carried,
    routes: Routes,
) -> list[SendingAccount]:
    """Who of `known` can carry a part: the usual one, then those that stand by, and last whoever surely did not take
    it as often as it may."""
    goes_to = device_parts.goes_to(row, part)
    if row.sender is not None:
        known = [one for one in known if one.address == row.sender]
    content = said(row, row.content or "")
    able = routing.candidates(known, carried, row.channel, content, goes_to.kind if goes_to else None)
    if not CHANNELS[row.channel].in_record:
        able = [one for one in able if routes.base_url(row.environment, one.base_url) is not None]
    if len(able) > 1:

        def tried(one: SendingAccount) -> tuple[bool, int]:
            return rests(row, rows, part, one.account_id), not_taken(row, rows, part, one.account_id) // PATIENCE

        able.sort(key=tried)
    return able


def not_taken(row: MessageRow, rows: Sequence[AttemptRow], part: int, account_id: UUID) -> int:
    """How often an account surely did not take a part, at the step that the message is at. Where what it needs is not
    set up there, its patience is over at once."""
    calls = _not_sent(row, rows, part, account_id)
    refused = any(one.failure_code == FailureCode.CONFIGURATION for one in calls)
    return (len(calls) // PATIENCE + 1) * PATIENCE if refused else len(calls)


def rests(row: MessageRow, rows: Sequence[AttemptRow], part: int, account_id: UUID) -> bool:
    """Whether an account has asked to be left alone with a part for longer than somebody else would take."""
    calls = _not_sent(row, rows, part, account_id)
    return any(one.ask_at is not None and one.ask_at > row.now for one in calls)


def _not_sent(row: MessageRow, rows: Sequence[AttemptRow], part: int, account_id: UUID) -> list[AttemptRow]:
    here = account_id, row.step, part
    return [one for one in rows if (one.account_id, one.step, one.part) == here and one.state is AttemptState.NOT_SENT]


def said(row: MessageRow, text: str) -> Content:
    """What a message says, or what one part of it does."""
    details = row.details or {}
    return Content(
        text=text,
        content_type=row.content_type,
        subject=row.subject,
        media=media.of_stored(details.get("media")),
        options=options.of_stored(details.get("options")),
    )
