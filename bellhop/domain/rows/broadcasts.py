"""Broadcasts as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bellhop.domain.broadcasts import BroadcastState, RecipientState
from bellhop.domain.statuses import Stage


@dataclass(slots=True)
class BroadcastRow:
    """A row of `broadcasts`, with what its scope adds to it. Times are aware, in UTC."""

    id: UUID
    scope_id: UUID
    name: str
    state: BroadcastState
    message: dict[str, Any] = field(repr=False)
    filter: dict[str, Any] | None = field(repr=False)
    left_out: dict[str, int]
    pace: float | None
    resolved_to: UUID | None
    resolved_at: datetime | None
    scheduled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    withdrawn_to: UUID | None
    problem: str | None
    """Why it was paused, where nobody did: a word."""
    forgotten_at: datetime | None
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    property_id: UUID
    environment: str
    scope_settings: dict[str, Any] = field(repr=False)
    paused_at: datetime | None
    """Since when its property sends nothing."""
    now: datetime


@dataclass(slots=True)
class RecipientRow:
    """Whom a broadcast goes to."""

    id: UUID
    guest_id: UUID | None
    recipient: str | None = field(repr=False)
    state: RecipientState
    reason: str | None
    message_id: UUID | None


@dataclass(slots=True)
class ListedRecipient(RecipientRow):
    """The same with where their message stands; None: there is none, or it is kept no longer."""

    stage: Stage | None
    failure_code: str | None
