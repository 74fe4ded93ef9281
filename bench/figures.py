"""Figures: percentiles and rates as they are printed and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """How a time is spread, in milliseconds."""

    p50: float
    p99: float
    max: float
    count: int


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of `values` do not exceed."""
    ordered = sorted(values)
    place = max(0, -(-round(share * 1_000_000) * len(ordered) // 1_000_000) - 1)
    return ordered[min(place, len(ordered) - 1)]


def spread(seconds: Sequence[float]) -> Spread:
    """The spread of times given in seconds. Raises ValueError when there are none."""
    if not seconds:
        raise ValueError("nothing was measured")
    milliseconds = [1000 * value for value in seconds]
    return Spread(
        p50=round(percentile(milliseconds, 0.50), 1),
        p99=round(percentile(milliseconds, 0.99), 1),
        max=round(max(milliseconds), 1),
        count=len(milliseconds),
    )


@dataclass(slots=True)
class Rounds:
    """What the alternating rounds of one side gave, added up."""

    messages: int = 0
    seconds: float = 0.0
    cpu: dict[str, float] | None = None
    """Seconds of CPU by process."""
    foreign: float = 0.0
    """Seconds of CPU that the machine spent on everything else meanwhile: how disturbed the figures are."""
    rates: list[float] | None = None

    def add(self, messages: int, seconds: float, cpu: dict[str, float], foreign: float) -> None:
        """One more round."""
        self.messages += messages
        self.seconds += seconds
        self.foreign += foreign
        self.cpu = {name: (self.cpu or {}).get(name, 0.0) + spent for name, spent in cpu.items()}
        self.rates = [*(self.rates or []), round(messages / seconds, 2)]

    @property
    def rate(self) -> float:
        """Messages a second in the middle round: one that stalled (a lost workflow task costs 10 s) does not count."""
        return median(self.rates or [0.0])

    def cpu_each(self) -> dict[str, float]:
        """Milliseconds of CPU a message, by process."""
        return {name: round(1000 * spent / self.messages, 2) for name, spent in (self.cpu or {}).items()}
