"""The property wall: every function of the store that serves a caller takes a Scope and filters by it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

ENVIRONMENTS = ("test", "live")


@dataclass(frozen=True, slots=True)
class Scope:
    """property × environment (`test` or `live`): what one API key opens."""

    id: UUID
    property_id: UUID
    environment: str
