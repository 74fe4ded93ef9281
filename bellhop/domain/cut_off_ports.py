"""What following up calls that were cut off needs from the world, as shapes. No I/O here."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID


class OpenCalls(Protocol):
    """Calls that nobody follows up in time, whatever their messages' workflows are waiting for."""

    async def overdue(self, most: int) -> list[UUID]:
        """Messages with a call that outlived its lease, or whose outcome should have been asked about by now."""

    async def lapse(self, message_id: UUID) -> bool:
        """Where a call of this message outlived its lease, its outcome is unknown from here on. Whether there was
        one."""

    async def not_written(self, attempt_id: UUID) -> None:
        """The call of this attempt was cut off before it wrote anything: the part can go out again."""

    async def wake(self, message_id: UUID) -> None:
        """Have the message's workflow look at the record again."""


class CallMarks(Protocol):
    """What is known of a process's calls once it is gone."""

    def of(self, attempt_id: UUID) -> AbstractContextManager[None]:
        """While this lasts, in this thread: the call of this attempt is made."""

    def left_behind(self) -> AbstractContextManager[list[UUID]]:
        """The attempts of processes that are gone which had not begun to write them; known once."""
