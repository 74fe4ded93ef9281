"""The Broadcast object, as the API shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bellhop.domain.broadcasts import Outcome, RecipientState
from bellhop.domain.ids import Prefix, optional, render
from bellhop.domain.rows.broadcasts import BroadcastRow, ListedRecipient
from bellhop.domain.serializers import timestamp
from bellhop.domain.statuses import STATUS, Stage, Status


def broadcast(row: BroadcastRow) -> dict[str, Any]:
    """The Broadcast object."""
    return {
        "id": render(Prefix.BROADCAST, row.id),
        "property_id": render(Prefix.PROPERTY, row.property_id),
        "name": row.name,
        "state": row.state.value,
        "problem": row.problem,
        "message": row.message["shown"],
        "filter": row.filter,
        "pace": row.pace,
        "scheduled_at": timestamp(row.scheduled_at),
        "started_at": timestamp(row.started_at),
        "ended_at": timestamp(row.ended_at),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }


def recipient(row: ListedRecipient) -> dict[str, Any]:
    """One of those whom it goes to, and what became of it. `reason`: a word that says why there is no message, or why
    it failed."""
    outcome = outcome_of(row)
    return {
        "id": render(Prefix.RECIPIENT, row.id),
        "guest_id": optional(Prefix.GUEST, row.guest_id),
        "recipient": row.recipient,
        "outcome": outcome.value,
        "reason": row.failure_code if outcome is Outcome.FAILED else row.reason,
        "message_id": optional(Prefix.MESSAGE, row.message_id),
    }


def outcome_of(row: ListedRecipient) -> Outcome:
    """What became of one recipient."""
    if row.state is not RecipientState.ACCEPTED or row.stage is None:
        return Outcome(row.state.value)
    return Outcome(STATUS[row.stage].value)


def progress(pending: int, accepted: int, refused: Mapping[str, int], stages: Mapping[str, int]) -> dict[str, Any]:
    """How far a broadcast is. `stages`: messages by their stage."""
    by_status = dict.fromkeys((status.value for status in Status), 0)
    for stage, count in stages.items():
        by_status[STATUS[Stage(stage)].value] += count
    return {
        "recipients": pending + accepted + sum(refused.values()),
        "pending": pending,
        "accepted": accepted,
        "refused": dict(refused),
        "messages": by_status,
    }
