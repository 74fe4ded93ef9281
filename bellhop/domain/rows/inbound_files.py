"""Files of guests' messages, as the database has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bellhop.domain.inbound_files import FileState


@dataclass(slots=True)
class DueFile:
    """A file with which something is to be done now: to be fetched, or deleted at its provider."""

    id: UUID
    scope_id: UUID
    property_id: UUID
    environment: str
    message_id: UUID
    position: int
    account_id: UUID
    source: str | None = field(repr=False)
    provider_id: str | None
    state: FileState
    tries: int
    """With the one that is made now."""
    content_type: str | None
    """What its sender says it is, as `filename` is what they call it."""
    filename: str | None = field(repr=False)


@dataclass(slots=True)
class UnsettledFile:
    """A file with which something should have been done a while ago."""

    id: UUID
    message_id: UUID
    scope_id: UUID
    next_at: datetime


@dataclass(slots=True)
class StoredAccountRow:
    """An account, its credentials as they are stored."""

    id: UUID
    provider: str
    identity: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
