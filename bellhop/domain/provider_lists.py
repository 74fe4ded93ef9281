"""Providers' own lists of what an account has sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from bellhop.domain.statuses import Stage


class CannotList(Exception):
    """This provider offers no list of its messages to this account."""


class ProviderUnreachable(Exception):
    """The provider did not answer, or not in a way that says anything."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One message as a provider's own list has it."""

    provider_id: str
    to: str = field(repr=False)
    sender: str
    text: str | None = field(repr=False)
    """None where the list shows none."""
    word: str
    """The provider's own word for where it is."""
    stage: Stage | None
    accepted_at: datetime | None
    attempt_id: UUID | None = None
    """Our own id, where the list shows it."""


@dataclass(frozen=True, slots=True)
class ReportsPage:
    """What one call said of the messages that were asked about."""

    receipts: Sequence[Any]
    """`delivery_ports.Receipt`, as their callbacks would have been, under the same dedupe keys."""
    more: bool
    """Whether another call would say more."""


@runtime_checkable
class ReportsList(Protocol):
    """A provider whose list says where many messages stand, in one call."""

    def reports(
        self, account: Any, provider_ids: Collection[str], since: datetime, timeout: float
    ) -> Iterator[ReportsPage]:
        """Where these messages stand, which the account sent since then by the provider's clock. Each step makes one
        call, which has `timeout` seconds. Bounded: of what lies behind so many pages nothing is said. Raises CannotList
        or ProviderUnreachable, also in the middle."""
