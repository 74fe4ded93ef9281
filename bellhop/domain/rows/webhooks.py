"""Customers' webhook endpoints, and what is delivered to them, as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict
from uuid import UUID


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    """Pending: to be posted at `next_at`."""
    DELIVERED = "delivered"
    """The endpoint has answered 2xx."""
    FAILED = "failed"
    """Every try of the schedule failed; a replay owes it again."""
    ABANDONED = "abandoned"
    """Its endpoint was deleted before."""


class EndpointFormat(StrEnum):
    """Whose objects an endpoint is sent."""

    NATIVE = "native"
    """Bellhop's events, signed."""
    SENDBLUE = "sendblue"
    """Sendblue's message, with the endpoint's secret as it is."""
    SENDBLUE_CALLBACK = "sendblue_callback"
    """The same of messages that name an address of this host themselves, and go there. Not its property's to see."""
    BIRD = "bird"
    """Bird's message, signed as Bird does."""


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """A row of `endpoints` that was not deleted, with its scope's property. Its repr shows neither URL nor secret."""

    id: UUID
    scope_id: UUID
    property_id: UUID
    url: str = field(repr=False)
    secret: str = field(repr=False)
    events: list[str]
    """Event types, or `*` alone."""
    description: str | None
    is_active: bool
    disabled_reason: str | None
    """`gone` or `failing`; None when its owner switched it off, or nobody did."""
    disabled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    format: EndpointFormat = EndpointFormat.NATIVE
    asked: dict[str, Any] | None = None
    """What it was asked for in the words of the vendor whose client made it, where these are shown again."""


class EndpointFields(TypedDict, total=False):
    """Fields of an endpoint to set; those that are absent stay as they are."""

    url: str
    events: list[str]
    description: str | None
    is_active: bool
    secret: str
    asked: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A row of `deliveries` with the type of its event."""

    id: UUID
    scope_id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject_id: UUID
    state: DeliveryState
    attempts: int
    next_at: datetime
    """When it is due, while it is pending."""
    last_attempt_at: datetime | None
    last_status: int | None
    """HTTP status of the last answer; None when there was none."""
    last_error: str | None
    """One of a few short words."""
    delivered_at: datetime | None
    created_at: datetime
