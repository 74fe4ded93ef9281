"""The run-up of a scheduled message: its workflow starts a little before its time and waits for it in a worker, so that
at its time only the call is left to make.

How long before depends on how many are due about then: starting them takes a while, and one after the other they are to
be ready when it is time. Pure: no I/O, and no clock but what is given.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

LEAST = 0.5
"""Seconds before its time that a message is started which has the second to itself."""
TOO_SOON = 0.2
"""Seconds: of what is due sooner there is nothing to prepare."""
SAYS_IT_LIVES = 0.8
"""Of a workflow task's time-out: then Temporal's SDK says that the task lives, which costs as much as a task."""
CALM = 10.0
"""Seconds from its time on in which no message of a crowd is to say that it lives: they are being handed over."""
ALONE = 4.5
"""The same seconds of one that has few others about it."""
BEFORE = 1.0
"""Seconds before its time that it says so for the last time."""
MOST_SECONDS = 20_000
"""Of so many seconds it is known how many starts they have."""


@dataclass(slots=True)
class RunUps:
    """Plans the starts of one process: at most `rate` in each second, the latest that is still free, and none longer
    than `longest` seconds before the message's time; 0: there is no run-up."""

    longest: float
    rate: float
    _starts: dict[int, int] = field(default_factory=dict)

    def lead(self, due: float, now: float) -> float:
        """How many seconds before its time one that is due then is started (POSIX times by the record's clock). 0: at
        its time, since it is near or too many others are due about then."""
        if self.longest <= 0 or due - now < TOO_SOON:
            return 0.0
        latest, earliest = due - LEAST, max(now, due - self.longest)
        if latest <= earliest:
            return min(due - now, self.longest)
        second = math.floor(latest)
        while second + 1 > earliest:
            begun = self._starts.get(second, 0)
            at = min(latest, second + 1 - (begun + 1) / self.rate)
            if begun < self.rate and at >= earliest:
                self._forget(now)
                self._starts[second] = begun + 1
                return due - at
            second -= 1
        return 0.0

    def _forget(self, now: float) -> None:
        if len(self._starts) < MOST_SECONDS:
            return
        self._starts = {second: begun for second, begun in self._starts.items() if second + 1 >= now}
        if len(self._starts) >= MOST_SECONDS:
            # A start too many in a second is no harm.
            self._starts.clear()


def task_timeout(lead: float, least: timedelta) -> timedelta:
    """How long the workflow task may take in which a message waits for its time and is handed over. A killed worker's
    is given to another after that, counted from its start or from when it last said that it lives. What starts early
    says so while there is time for it, the last time shortly before all are due: at any other moment the whole crowd
    would say so just when it is to be handed over, too late, and each would be begun anew."""
    if not lead:
        return least
    rounds = max(0, math.floor((lead - BEFORE) / (CALM - BEFORE)))
    each = (lead - BEFORE) / rounds if rounds else lead + min(CALM, ALONE + 1.3 * lead)
    return max(least, timedelta(seconds=each / SAYS_IT_LIVES))


@dataclass(frozen=True, slots=True)
class Coming:
    """A message whose time is near. `due`: a POSIX time by the record's clock; `turn`: smaller goes first."""

    message_id: UUID
    scope_id: UUID
    due: float
    turn: int


@dataclass(frozen=True, slots=True)
class ComingMessages:
    """What the record says at `now` by its clock. Those that it does not name wait for no time: cancelled, say."""

    now: float
    messages: Sequence[Coming]


class ComingTimes(Protocol):
    """The record of times."""

    async def coming(self, message_ids: Collection[UUID]) -> ComingMessages:
        """When these are due, in one question. Raises what the record raises."""
