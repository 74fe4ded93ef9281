"""Pages of a list: which one is asked for, and what it holds.

A page is found by the place where the one before it ended, so the last costs what the first does. Only the first rows
are counted, and only the first can be skipped to: both would otherwise cost what the whole history does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

RowT = TypeVar("RowT")

COUNTED = 10_000
"""So many results are counted, and so many may be skipped."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the key of its last row, and its time where the list is in the order of one."""

    id: UUID
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list: at most `limit` rows after the first `offset`, or after a place."""

    limit: int = 50
    offset: int = 0
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Listed(Generic[RowT]):
    """One page. `total`: how many there are in all; not `total_exact`: at least so many. `next`: where the next page
    goes on; None: this is the last."""

    rows: list[RowT]
    total: int
    total_exact: bool = True
    next: Place | None = None
