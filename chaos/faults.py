"""What can go wrong, as one table: each kind with a sentence, its weight, how one is drawn, and who plays it.

Drawing is pure (the plan's business); playing them is `chaos.injector`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random

PARTS = ("api", "worker-workflows", "worker-activities", "temporal", "postgres")
WORKERS = ("worker-workflows", "worker-activities")
ROLLED = ("api", *WORKERS)

PAUSE = (5.0, 7.0)
"""How long a process is stopped, seconds: longer than a lease (4) and its margin (0.5)."""


class Track(Enum):
    """Faults of one track come one after the other, those of different tracks at the same time. (name, usual gap)"""

    PROCESSES = ("processes", 6.0)
    PROVIDERS = ("providers", 7.0)
    CUSTOMERS = ("customers", 8.0)
    CALLBACKS = ("callbacks", 5.0)

    @property
    def gap(self) -> float:
        """Seconds between two of them, on average."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, when, to whom, for how long."""

    kind: str
    parts: tuple[str, ...] = ()
    seconds: float = 0.0
    detail: str = ""
    at: float = 0.0
    hard: bool = False
    """The next one of its track may come before its parts are up again."""

    @property
    def takes(self) -> float:
        """Seconds it is expected to take, before the next one of its track may come."""
        return KINDS[self.kind].takes or self.seconds

    def says(self) -> str:
        """In a few words."""
        whom = " + ".join(self.parts)
        how_long = f" for {self.seconds:.1f} s" if self.seconds else ""
        return " ".join(word for word in (self.kind, self.detail, whom) if word) + how_long


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table."""

    says: str
    track: Track
    weight: float
    draw: Callable[[Random], Fault]
    once: Callable[[Random], list[Fault]]
    """Those of which every long enough storm has one each."""
    takes: float = 0.0


def _of_each(kind: str, parts: tuple[str, ...], low: float = 0.0, high: float = 0.0) -> Callable[[Random], list[Fault]]:
    return lambda chance: [Fault(kind, (part,), _length(chance, low, high)) for part in parts]


def _of_one(kind: str, parts: tuple[str, ...], low: float = 0.0, high: float = 0.0) -> Callable[[Random], Fault]:
    return lambda chance: Fault(kind, (chance.choice(parts),), _length(chance, low, high))


def _of_some(kind: str, parts: tuple[str, ...], low: float = 0.0, high: float = 0.0) -> Callable[[Random], Fault]:
    def draw(chance: Random) -> Fault:
        chosen = chance.sample(parts, chance.randint(2, 4))
        return Fault(kind, tuple(part for part in parts if part in chosen), _length(chance, low, high))

    return draw


def _detailed(kind: str, details: tuple[str, ...], low: float, high: float) -> Callable[[Random], Fault]:
    return lambda chance: Fault(kind, (), _length(chance, low, high), chance.choice(details))


def _length(chance: Random, low: float, high: float) -> float:
    return round(chance.uniform(low, high), 2) if high else 0.0


def _row(says: str, track: Track, weight: float, draw: Callable[[Random], Fault], takes: float = 0.0) -> Kind:
    return Kind(says, track, weight, draw, lambda chance: [draw(chance)], takes)


_ALL = ("twilio", "sendgrid", "sendblue", "fcm", "apns")
_ASKED = ("twilio", "sendgrid", "sendblue")

KINDS: dict[str, Kind] = {
    "kill": Kind(
        "kill -9 of one process, at any moment",
        Track.PROCESSES, 5, _of_one("kill", PARTS), _of_each("kill", PARTS), takes=1.0,
    ),
    "kill together": _row(
        "kill -9 of two to four at once", Track.PROCESSES, 3, _of_some("kill together", PARTS), takes=2.0
    ),
    "stop": Kind(
        "SIGSTOP for longer than every lease, then SIGCONT",
        Track.PROCESSES, 2, _of_one("stop", PARTS, *PAUSE), _of_each("stop", PARTS, *PAUSE),
    ),
    "stop together": _row(
        "the same, two to four at once", Track.PROCESSES, 1, _of_some("stop together", PARTS, *PAUSE)
    ),
    "roll": _row(
        "a rolling restart of API and workers (SIGTERM)", Track.PROCESSES, 1,
        lambda _: Fault("roll", ROLLED), takes=6.0
    ),
    "cut": _row(
        "every connection to the database is cut", Track.PROCESSES, 1, lambda _: Fault("cut", ("postgres",)), takes=0.5
    ),
    "refuse": _row(
        "all providers refuse connections", Track.PROVIDERS, 2, _detailed("refuse", ("",), 2.0, 5.0)
    ),
    "rate_limit": _row(
        "a provider answers 429 to everybody", Track.PROVIDERS, 1, _detailed("rate_limit", _ALL, 1.5, 4.0)
    ),
    "unavailable": _row(
        "a provider answers 503 to everybody", Track.PROVIDERS, 1, _detailed("unavailable", _ALL, 1.5, 4.0)
    ),
    "auth": _row(
        "a provider refuses our credentials: the account is at fault", Track.PROVIDERS, 1,
        _detailed("auth", _ALL, 2.0, 4.0),
    ),
    "look-ups fail": _row(
        "a provider answers 503 when asked what became of a message", Track.PROVIDERS, 1,
        _detailed("look-ups fail", _ASKED, 2.0, 5.0),
    ),
    "endpoint fails": _row(
        "a customer's endpoint answers 500", Track.CUSTOMERS, 2, _detailed("endpoint fails", ("flaky",), 3.0, 12.0)
    ),
    "endpoint resets": _row(
        "a customer's endpoint resets connections", Track.CUSTOMERS, 1,
        _detailed("endpoint resets", ("flaky",), 3.0, 12.0),
    ),
    "endpoint hangs": _row(
        "a customer's endpoint takes 10 s to answer", Track.CUSTOMERS, 1,
        _detailed("endpoint hangs", ("flaky",), 3.0, 12.0),
    ),
    "forged": _row("forged callbacks for real messages", Track.CALLBACKS, 2, lambda _: Fault("forged"), takes=0.2),
    "unknown": _row(
        "genuine callbacks for messages nobody sent", Track.CALLBACKS, 1, lambda _: Fault("unknown"), takes=0.2
    ),
}  # fmt: skip
