"""What guests want, as the database has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from bellhop.domain.intents import DetectorName, IntentStatus, IntentType
from bellhop.domain.paging import PageRequest


@dataclass(frozen=True, slots=True)
class IntentRow:
    """A row of `intents` with its scope's property. Its repr shows nothing that the guest wrote."""

    id: UUID
    property_id: UUID
    message_id: UUID
    guest_id: UUID | None
    conversation_id: UUID | None
    type: IntentType
    detected_type: IntentType
    """What the detector took it for; `type` may have been corrected since."""
    confidence: int
    """Thousandths."""
    evidence: str = field(repr=False)
    detector: DetectorName
    status: IntentStatus
    created_at: datetime
    updated_at: datetime


class IntentFields(TypedDict, total=False):
    """Fields of an intent to set; those that are absent stay as they are."""

    status: str
    type: str


@dataclass(frozen=True, slots=True)
class Undetected:
    """A guest's message in which nobody has looked for intents yet."""

    id: UUID
    scope_id: UUID
    wake_due_at: datetime
    """Since when that is to be done."""


@dataclass(frozen=True, slots=True)
class ListIntents:
    """Which intents to list; None: any."""

    type: IntentType | None = None
    status: IntentStatus | None = None
    guest_id: UUID | None = None
    message_id: UUID | None = None
    page: PageRequest = field(default_factory=PageRequest)
