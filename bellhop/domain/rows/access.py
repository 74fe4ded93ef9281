"""Properties and the API keys that open them, as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from bellhop.domain.conversations import Side
from bellhop.domain.operators import OperatorAction


@dataclass(frozen=True, slots=True)
class PropertyRow:
    """A row of `properties` as one of its environments sees it: with the settings of that one, and with what was set
    there only."""

    id: UUID
    name: str
    slug: str
    type: str
    timezone: str
    """IANA."""
    currency: str | None
    country: str | None
    settings: dict[str, Any]
    is_active: bool
    created_at: datetime
    updated_at: datetime
    paused_at: datetime | None = None
    """Since when that environment sends nothing."""


class PropertyFields(TypedDict, total=False):
    """Fields of a property to set; those that are absent stay as they are."""

    name: str
    type: str
    timezone: str
    currency: str | None
    country: str | None
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OperatorActionRow:
    """A row of `operator_actions`: what somebody did by hand, in which environment."""

    id: UUID
    scope_id: UUID
    action: OperatorAction
    subject_id: UUID
    actor: str
    reason: str | None = field(repr=False)
    created_at: datetime
    environment: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of `api_keys` that opens one scope, with that scope's property and environment; never its hash."""

    id: UUID
    property_id: UUID
    environment: str
    name: str
    last4: str
    rights: list[str]
    side: Side
    """For whom its software speaks."""
    rate_limit: int | None
    """Requests a minute; None: the default."""
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
