"""A provider that only takes messages: it keeps no list, cannot be asked, and calls nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from bellhop.domain.delivery_ports import (
    Account,
    CallbackRequest,
    CannotList,
    Inbound,
    Listed,
    LookupKind,
    LookupRequest,
    LookupResult,
    Receipt,
    Reported,
)
from bellhop.domain.inbound_files import FileAddress


class OneWay:
    """What `delivery_ports.Provider` asks for beside `send`, of such a provider. A lost answer stays unknown."""

    name: str

    def look_up(self, account: Account, lookup: LookupRequest, timeout: float) -> LookupResult:
        """It cannot be asked."""
        return LookupResult(LookupKind.CANNOT_KNOW, calls=0)

    def report(self, account: Account, provider_id: str | None, attempt_id: UUID, timeout: float) -> Reported:
        """It cannot be asked."""
        return Reported(LookupKind.CANNOT_KNOW, calls=0)

    def listing(self, account: Account, since: datetime, until: datetime, timeout: float) -> Iterator[Listed]:
        """It keeps no list."""
        raise CannotList(f"{self.name} keeps none")

    def received(self, account: Account, senders: Sequence[str], since: datetime, timeout: float) -> Iterator[Inbound]:
        """Nobody writes to it."""
        raise CannotList(f"nobody writes to {self.name}")

    def complete(self, account: Account, inbound: Inbound, timeout: float) -> Inbound:
        """There is nothing to ask for."""
        return inbound

    def file_at(self, account: Account, source: str, provider_id: str | None) -> FileAddress | None:
        """Nobody sends it files."""
        return None

    def delete_file(self, account: Account, provider_id: str, timeout: float) -> bool:
        """It has none."""
        return True

    def verify(self, account: Account, request: CallbackRequest) -> bool:
        """It calls nobody."""
        return False

    def parse(self, request: CallbackRequest) -> Sequence[Receipt | Inbound]:
        """It calls nobody."""
        raise ValueError(f"{self.name} calls no address")

    def acknowledgement(self) -> tuple[int, str, str]:
        """Never asked for."""
        return 204, "text/plain", ""
