"""What the API may have missed while no process of it ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class MissedCallbacksRow:
    """A row of `missed_callbacks`: one account at a provider, whichever properties share it."""

    provider: str
    identity: str
    environment: str
    since: datetime
    """When a process of the API was last seen, and when one was seen again. The database's clock."""
    until: datetime
    due_at: datetime
    """When somebody is to ask; whoever does so puts it off meanwhile."""


@dataclass(slots=True)
class SilentMessage:
    """A part of a message that a provider took, of which callbacks may have been missed."""

    provider_id: str
    stage: str | None
    """What is known of it: None, sent or delivered."""
    created_at: datetime
