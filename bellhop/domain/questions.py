"""How many questions an account at a provider may be asked, and whose turn it is. Pure: no I/O, and no clock but the
one that is given.

A question is a call that asks about messages: what became of one, or where a silent one stands. Each account has a
budget for them, kept in the record, whichever process asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol, runtime_checkable

LATENCY = timedelta(seconds=1)
"""The provider counts questions when they come in: two may do so nearer to each other than they were asked."""
LONGEST_WAIT = 1_800.0
"""Seconds after which a question that waits asks for its turn again: those in front of it may have had their answer."""
SOON = 60.0
UNCOUNTED = 3_600.0
"""Seconds for which questions are not counted once a provider has said that this account may ask none."""


class Rank(IntEnum):
    """Who goes first. Within a rank the oldest does."""

    URGENT_OUTCOME = 0
    """What became of a call with an urgent message: nothing goes on before that is known."""
    OUTCOME = 1
    SILENT = 2
    """Where a message stands that was sent and of which nothing is heard."""


@dataclass(frozen=True, slots=True)
class QuestionLimit:
    """So many questions in any span of so many seconds."""

    most: int
    seconds: float

    @property
    def window(self) -> timedelta:
        """The span as it is kept to."""
        return timedelta(seconds=self.seconds) + (LATENCY if self.seconds > LATENCY.total_seconds() else timedelta(0))


def of_rate(rate: float) -> QuestionLimit:
    """`rate`: questions a second."""
    most = max(1, int(rate))
    return QuestionLimit(most, most / rate)


@runtime_checkable
class Limited(Protocol):
    """A provider that says itself how often it may be asked."""

    question_limit: QuestionLimit


def limits(providers: Mapping[str, object]) -> dict[str, QuestionLimit]:
    """The limits that providers have themselves, by their names."""
    return {name: one.question_limit for name, one in providers.items() if isinstance(one, Limited)}


def wait(limit: QuestionLimit, asked: Iterable[datetime], now: datetime, ahead: int, calls: int = 1) -> float:
    """Seconds until this question's turn; 0: now. `asked`: when the last ones were; `ahead`: calls of those that wait
    and go before; `calls`: how many it makes itself."""
    recent = kept(limit, asked, now)
    # When each of the calls that are allowed in a span may be made next; after that a span later, and so on.
    free: Sequence[datetime] = [now] * (limit.most - len(recent)) + [moment + limit.window for moment in recent]
    rounds, place = divmod(ahead + min(calls, limit.most) - 1, limit.most)
    left = (free[place] + rounds * limit.window - now).total_seconds()
    # Whole milliseconds, upwards: who comes back has its turn.
    return min(math.ceil(1_000 * left) / 1_000, LONGEST_WAIT) if left > 0 else 0.0


def comes_back(left: float) -> float:
    """Seconds after which a question whose turn is in `left` seconds asks for it again: half of a long wait, since
    those in front of it may have had their answer meanwhile. A minute and less is waited out."""
    return left if left <= SOON else max(SOON, left / 2)


def kept(limit: QuestionLimit, asked: Iterable[datetime], now: datetime) -> list[datetime]:
    """Those of `asked` that count still, the oldest first."""
    return sorted(moment for moment in asked if moment > now - limit.window)[-limit.most :]
