"""Files that guests send: what state our copy of one is in, why there is none, and when it is asked for again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class FileState(StrEnum):
    """Where our copy of a guest's file is."""

    PENDING = "pending"
    """It is yet to be fetched from the provider."""
    KEPT = "kept"
    FAILED = "failed"
    """There is none and will be none: `FileProblem` says why."""
    ERASING = "erasing"
    """Its guest was erased, and the provider's copy is yet to be deleted."""


class FileProblem(StrEnum):
    """Why there is no copy of a guest's file."""

    TYPE = "type_not_accepted"
    SIZE = "too_large"
    GONE = "gone_at_provider"
    REFUSED = "refused_by_provider"
    UNAVAILABLE = "not_available"
    NO_ROOM = "no_room"
    NO_ADDRESS = "no_address"


SENTENCES: dict[FileProblem, str] = {
    FileProblem.TYPE: "The file is of a kind that is not accepted, or it is damaged. Ask the guest to send it "
    "differently, for example as a JPEG picture or a PDF.",
    FileProblem.SIZE: "The file is larger than is accepted. Ask the guest for a smaller one.",
    FileProblem.GONE: "The provider has the file no longer. Ask the guest to send it again.",
    FileProblem.REFUSED: "The provider does not hand over the file: the account's credentials may have changed.",
    FileProblem.UNAVAILABLE: "The provider did not hand over the file, however often it was asked. Ask the guest to "
    "send it again.",
    FileProblem.NO_ROOM: "The property keeps as many files of guests as it may.",
    FileProblem.NO_ADDRESS: "The provider named no address at which the file could be found.",
}
"""For the front desk."""

PAUSES = (5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 10_800.0, 21_600.0)
"""Seconds after each try before the next; after that always the last."""
MOST_TRIES = 11
"""Times a file is asked for: a day, all in all."""
SURELY_GONE = 5
"""Times a provider may say that it has no such file before it is believed: a new one may take a moment to be there."""
MOST_DELETIONS = 120
"""Times a provider is asked to delete a file: a month, all in all."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """Our copy of a guest's file. `url`: where whoever knows it finds the file. Its repr shows none of it."""

    asset_id: UUID
    url: str = field(repr=False)
    content_type: str
    filename: str = field(repr=False)
    size: int
    """Bytes."""

    def stored(self) -> dict[str, Any]:
        """As the message's `details` keep it."""
        return {
            "state": FileState.KEPT.value,
            "url": self.url,
            "content_type": self.content_type,
            "filename": self.filename,
            "size": self.size,
            "asset_id": str(self.asset_id),
        }


@dataclass(frozen=True, slots=True)
class NotKept:
    """There is no copy of a file so far. `final`: and there will be none."""

    problem: FileProblem
    final: bool = False


@dataclass(frozen=True, slots=True)
class FileAddress:
    """Where a provider hands out a guest's file, and with which headers: for that address alone."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def gives_up(outcome: NotKept, tries: int) -> bool:
    """Whether a file is not asked for again after so many tries."""
    most = SURELY_GONE if outcome.problem is FileProblem.GONE else MOST_TRIES
    return outcome.final or tries >= most
