"""What activities answer the workflows that ask them: ids, enums and times only, since it is kept by Temporal (I6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bellhop.domain.statuses import Status

STATUSES = frozenset(status.value for status in Status)
"""The words that Temporal's list has always said."""
WAITING = "waiting"
"""Of a message, in Temporal's list: its time has not come."""


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
    through: str | None = None
    """Provider and environment that further questions are about, e.g. `twilio-live`: each has a task queue."""
    listed: str | None = None
    """What Temporal's list of messages says of it from now on: a status that stays for long, or what it waits for
    (`WAITING`, a `Reason`). None: nothing that is worth an event of its own."""


class Refusal(StrEnum):
    """Why a message is not cancelled."""

    CALL_OPEN = "call_open"
    """A provider is being called with it, or it is being found out what became of a call: to be asked again then."""
    SENT = "sent"
    """A provider has it or has refused it, or it is over."""
    MAY_BE_SENT = "may_be_sent"
    """Nobody can ever say whether a provider has it."""


@dataclass(frozen=True)
class Withdrawal:
    """What `withdraw` answers: what to do next, and why the message was not cancelled, if it was not."""

    answer: Answer
    refused: Refusal | None = None


@dataclass(frozen=True)
class Drained:
    """What `drain` answers: when the next delivery is due, in seconds; None when nothing is pending."""

    after: float | None


@dataclass(frozen=True)
class Swept:
    """What one sweep of one kind of work answers. Kept by Temporal (I6): numbers, ids and times only."""

    woken: int
    """Messages, endpoints and backlogs."""
    seconds: float
    next: str | None = None
    """Where the next sweep goes on; None: at the beginning."""
    at_once: bool = False
    """Whether to go on now, and not at the next time of the schedule."""
