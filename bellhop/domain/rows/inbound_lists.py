"""Up to when each provider account's list of guests' messages was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class InboundListRow:
    """A row of `inbound_lists`: one account at a provider, whichever properties share it."""

    provider: str
    identity: str
    environment: str
    received_until: datetime | None
    """What came in before is known; None: the provider offers no such list."""
    asked_at: datetime
    """When a process last began to ask. The database's clock, as all of them."""
