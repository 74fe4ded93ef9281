"""What following up calls that were cut off needs from the world, as shapes. No I/O here."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class OpenCalls(Protocol):
    """Calls that nobody follows up in time, whatever their messages' workflows are waiting for."""

    async def overdue(self, most: int) -> list[UUID]:
        """Messages with a call that outlived its lease, or whose outcome should have been asked about by now."""

    async def lapse(self, message_id: UUID) -> bool:
        """Where a call of this message outlived its lease, its outcome is unknown from here on. Whether there was
        one."""

    async def wake(self, message_id: UUID) -> None:
        """Have the message's workflow look at the record again."""
