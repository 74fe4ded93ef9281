"""Guests as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from bellhop.domain.devices import DeviceEnvironment, DeviceKind, Platform


@dataclass(frozen=True, slots=True)
class GuestRow:
    """A row of `guests`, with its scope's property. Times are aware, in UTC. Its repr shows nothing personal."""

    id: UUID
    scope_id: UUID
    property_id: UUID
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    """As the caller wrote it: only an E.164 number can be sent to."""
    language: str
    """BCP 47."""
    timezone: str | None = field(repr=False)
    """IANA; None: it is not known."""
    preferences: dict[str, Any] = field(repr=False)
    metadata: dict[str, Any] = field(repr=False)
    external_id: str | None
    is_active: bool
    is_provisional: bool
    """Made of what somebody wrote; the property has not named them yet."""
    first_seen_at: datetime
    last_seen_at: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A row of `consents`: one thing that was said of an address."""

    id: UUID
    scope_id: UUID
    kind: str
    address_hash: bytes = field(repr=False)
    purpose: str
    """`all`, or one group of a provider's (`group:…`)."""
    action: str
    """opt_out or opt_in."""
    cause: str
    """An `Effect`, or `unstated`."""
    channel: str
    """With `sender`: which of our senders it was said to, or of; both empty: none, or nobody knows."""
    sender: str
    source: str
    evidence_id: UUID | None
    """The receipt or message that it was read from."""
    actor: str | None
    reason: str | None = field(repr=False)
    occurred_at: datetime
    created_at: datetime


class GuestFields(TypedDict, total=False):
    """Fields of a guest to set, checked and normalised; those that are absent stay as they are."""

    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    language: str
    timezone: str | None
    preferences: dict[str, Any]
    metadata: dict[str, Any]
    external_id: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A row of `devices`: where a guest's app takes notifications. Its repr shows nothing personal."""

    id: UUID
    scope_id: UUID
    guest_id: UUID
    platform: Platform
    kind: DeviceKind
    token: str = field(repr=False)
    token_hash: bytes = field(repr=False)
    environment: DeviceEnvironment | None
    bundle_id: str | None
    locale: str | None = field(repr=False)
    app_version: str | None
    registered_at: datetime
    """When the app last registered."""
    suppressed_at: datetime | None
    """Since when nothing goes to it, until it registers anew: its token does not fit its app and environment."""
    created_at: datetime
