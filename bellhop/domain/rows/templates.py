"""Templates as the database has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bellhop.domain.approved_templates import Mapped


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One version of one template in one locale; what is written does not change."""

    id: UUID
    property_id: UUID
    name: str
    locale: str
    """BCP 47."""
    version: int
    """From 1, of this name and locale."""
    subject: str | None
    content: str
    content_type: str
    parameters: list[str]
    """The names that must be given to use it."""
    created_at: datetime
    archived_at: datetime | None
    """Since when it is used no more: then the newest version before it is."""
    whatsapp: dict[str, Any] | None
    """As which approved template it goes out on WhatsApp: `{content_sid, variables}`."""
    approval: dict[str, Any] | None
    """What the provider says of that: a row of `content_templates`."""

    @property
    def mapped(self) -> Mapped | None:
        """`whatsapp`, read."""
        return Mapped(self.whatsapp["content_sid"], self.whatsapp["variables"]) if self.whatsapp else None
