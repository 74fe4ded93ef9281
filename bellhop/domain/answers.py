"""What activities answer the workflows that ask them: ids, enums and times only, since it is kept by Temporal (I6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Next(StrEnum):
    """What the workflow of a message does with an answer."""

    CLOSE = "close"
    """Nothing more can happen."""
    TRACK = "track"
    """The provider has it; wait for receipts. After `after` seconds without one, ask `settle` (0: never)."""
    AGAIN = "again"
    """Ask `deliver` again after `after` seconds, or when woken."""
    SETTLE = "settle"
    """An attempt's outcome is unknown; ask `settle` after `after` seconds, or when woken."""


@dataclass(frozen=True)
class Answer:
    """What `deliver` and `settle` answer, and what a recorded receipt tells: a status and what to do next."""

    status: str
    next: Next
    after: float = 0.0


@dataclass(frozen=True)
class Drained:
    """What `drain` answers: when the next delivery is due, in seconds; None when nothing is pending."""

    after: float | None
