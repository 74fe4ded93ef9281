"""What `deliver` needs so that the files of a message are there before its first attempt, as shapes. No I/O here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from bellhop.domain.channels import Channel
from bellhop.domain.failures import FailureCode
from bellhop.domain.media import Media


@dataclass(frozen=True, slots=True)
class FetchFiles:
    """It may go out, but files of it have yet to be fetched: nothing is written, and no attempt is made."""

    message_id: UUID
    scope_id: UUID
    property_id: UUID
    channel: Channel
    media: tuple[Media, ...] = field(repr=False)
    """Every file of the message: those without an asset are to be fetched."""
    keep_for: float
    """Seconds that a file is kept which is fetched now."""
    status: str
    through: str | None
    """Whom it is to be asked through next: see `Answer.through`."""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file that has been fetched and is kept."""

    position: int
    asset_id: UUID
    content_type: str
    filename: str = field(repr=False)
    size: int


@dataclass(frozen=True, slots=True)
class NotFetched:
    """One of the files was not. `code`: why it never will be; None: it may be the next time."""

    code: FailureCode | None = None


class FetchersBusy(Exception):
    """Too many files are being fetched just now."""


class FileFetcher(Protocol):
    """Fetches files from where tenants say they are."""

    async def fetch(self, wanted: FetchFiles) -> Sequence[FetchedFile | NotFetched]:
        """Every file that is wanted, up to the first that is not to be had. Raises FetchersBusy."""
