"""What lies in a guest's inbox, and the sessions in which it is read, as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage


@dataclass(slots=True)
class InboxRow:
    """A message in a guest's inbox. Its repr shows nothing personal."""

    id: UUID
    """Of the entry: they sort in the order in which they were laid in."""
    guest_id: UUID
    position: int
    message_id: UUID
    content: str = field(repr=False)
    content_type: str
    details: dict[str, Any] | None = field(repr=False)
    stage: Stage
    direction: str
    """inbound: the guest wrote it."""
    sent_at: datetime
    read_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A row of `guest_sessions`, without what opens it."""

    id: UUID
    guest_id: UUID
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session whose token is good now."""

    id: UUID
    scope: Scope
    guest_id: UUID
    left: float
    """Seconds until it expires, when it was looked up."""
    origins: tuple[str, ...]
    """Web pages' origins from which its property's guests read."""
