"""What crosses the Temporal wire: explicit names, and arguments of ids, enums and times only (I6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

TASK_QUEUE_WORKFLOWS = "bellhop"
TASK_QUEUE_PROVIDERS = "bellhop-providers"
TASK_QUEUE_WEBHOOKS = "bellhop-webhooks"
TASK_QUEUE_RECOVERY = "bellhop-recovery"

MESSAGE_WORKFLOW = "Message"
ENDPOINT_WORKFLOW = "Endpoint"
SWEEP_WORKFLOW = "Sweep"

WAKE = "wake"
RECEIPT_RECORDED = "receipt_recorded"

DELIVER = "deliver"
SETTLE = "settle"
DRAIN = "drain"
SWEEP = "sweep"

SWEEP_SCHEDULE = "bellhop-sweep"

FOLLOWED = timedelta(days=7)
"""How long a sent message is followed by its workflow. Receipts that come later are applied at the door all the same.
"""


class Next(StrEnum):
    """What the conductor of a message does with an answer."""

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
    """What `drain` answers: when the next delivery is due, in seconds; None when nothing is owed."""

    after: float | None
