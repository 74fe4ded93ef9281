"""Guests' texts that are no property's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class UnmatchedText:
    """A receipt of a guest's text without a message. Its repr shows nothing personal."""

    id: UUID
    provider: str
    identity: str
    environment: str
    payload: dict[str, Any] = field(repr=False)
    """As the provider posted or listed it."""
    occurred_at: datetime | None
    received_at: datetime
