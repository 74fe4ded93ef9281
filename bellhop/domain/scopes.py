"""The property wall: every function of the store that serves a caller takes a Scope and filters by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

ENVIRONMENTS = ("test", "live")


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What a scope's setting `short_links` says (`bellhop/domain/short_links.py`)."""

    enabled: bool = False
    """Whether links are made short in messages that say nothing of it."""
    tracking: bool = False
    domain: str | None = None
    """Where the property's short links are; None: where the API is."""
    expires_after: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """property × environment (`test` or `live`): what one API key opens."""

    id: UUID
    property_id: UUID
    environment: str
    links: LinkSettings | None = field(default=None, compare=False, repr=False)
    """None: it was not read."""
