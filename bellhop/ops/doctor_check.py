"""What a check of the doctor's is: what it may look at, and what it says of what it finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client

from bellhop.domain.sweeps import SweepKind
from bellhop.ops.temporal_checks import Sweeps
from bellhop.settings import Settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Severity(IntEnum):
    """How bad it is; also the exit code of `bellhop doctor`."""

    FINE = 0
    WARNING = 1
    WRONG = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds something may last before it is told."""

    fresh: float = 60.0
    """Of what should be over in an instant."""
    stubborn: float = 600.0
    """Of what may take a few tries."""
    clock: float = 2.0
    """Between this machine's clock and the database's."""


@dataclass(slots=True)
class CheckContext:
    """What a check may look at."""

    settings: Settings
    limits: Limits
    tx: AsyncConnection | None = None
    client: Client | None = None
    information: dict[str, float] = field(default_factory=dict)
    sweeps: dict[SweepKind, Sweeps | None] | None = None
    """Recovery's, once they have been looked at."""

    @property
    def database(self) -> AsyncConnection:
        """The database."""
        assert self.tx is not None
        return self.tx

    @property
    def temporal(self) -> Client:
        """Temporal."""
        assert self.client is not None
        return self.client


Fact = str | int | float
Facts = Mapping[str, Fact]
"""What fills in a check's sentences: ids, words, counts (int) and seconds (float)."""

Look = Callable[[CheckContext], Awaitable[list[Facts]]]


Query = Callable[[AsyncConnection, float], Awaitable[Sequence["DataclassInstance"]]]
"""A query of `health_queries`; the fields of its rows are the facts."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong. `look` gives the facts of each case of it, which fill in `said` and `do`."""

    name: str
    severity: Severity
    said: str
    do: str
    look: Look
    last: bool = False
    """Where this is found, the rest of its kind can't be looked at."""
