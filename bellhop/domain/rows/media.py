"""Files that messages carry, as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AssetRow:
    """A file. Its bytes lie in the storage under `key`."""

    id: UUID
    content_type: str
    size: int
    sha256: bytes
    filename: str | None = field(repr=False)
    guest_id: UUID | None
    created_at: datetime
    expires_at: datetime

    @property
    def key(self) -> str:
        """Where its bytes lie."""
        return str(self.id)


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file as it is handed to whoever knows its address."""

    asset_id: UUID
    content_type: str
    size: int
    sha256: bytes
    filename: str = field(repr=False)

    @property
    def key(self) -> str:
        """Where its bytes lie."""
        return str(self.asset_id)
