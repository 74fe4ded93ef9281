"""The accounts that are compared: what clients were told, what PostgreSQL says, what the providers took, what the
customers' endpoints heard. Plain data: each is filled by its own reader, and none is made from another."""

from __future__ import annotations

from dataclasses import dataclass, field

from chaos.plan import Letter


@dataclass(frozen=True, slots=True)
class Answer:
    """One try of a client. `status` 0: no answer. Times: seconds since 1970."""

    verb: str
    asked: float
    at: float
    status: int
    id: str | None = None
    code: str | None = None
    due: float | None = None
    """What was asked for: when the message is to go out; None: now."""


@dataclass(slots=True)
class Told:
    """Account one: a letter and everything its client was answered, in the order of asking."""

    letter: Letter
    answers: list[Answer] = field(default_factory=list)

    def of(self, verb: str) -> list[Answer]:
        """The tries of one verb: send, cancel, move, erase."""
        return [answer for answer in self.answers if answer.verb == verb]

    @property
    def ids(self) -> list[str]:
        """The ids it was accepted under: one, if all is well."""
        return list(dict.fromkeys(one.id for one in self.of("send") if one.status == 201 and one.id))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of `attempts`."""

    state: str
    created: float
    settled: float | None = None
    part: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A row of `events` that endpoints are told."""

    id: str
    type: str
    at: float


@dataclass(slots=True)
class Row:
    """Account two: a message in PostgreSQL."""

    id: str
    token: str | None
    """As its content says; None when it was erased."""
    channel: str
    stage: str
    failure: str | None = None
    created: float = 0.0
    changed: float = 0.0
    """The last thing that happened to it: its own row, its attempts, its events and their deliveries."""
    erased: bool = False
    remains: bool = False
    """Erased, and yet some of its text is still there."""
    owed: bool = False
    """Temporal is owed a word about it."""
    history: bool = False
    """Its guest was erased, and its Temporal history is still to be deleted."""
    attempts: list[Attempt] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    """Deliveries still owed: the names of the endpoints."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Account three: something a provider accepted."""

    provider: str
    id: str
    words: tuple[str, ...]
    """Of the letter's text, as they came: `q00042.000`."""
    accepted: float
    status: str
    told: frozenset[str] = frozenset()
    """The words of the provider that a callback brought us, answered with 2xx."""
    busy: bool = False
    """More is still to happen to it, or to be told."""

    @property
    def token(self) -> str:
        """The letter it belongs to."""
        return self.words[0].partition(".")[0] if self.words else ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One POST a customer's endpoint got, in the order in which they came."""

    endpoint: str
    event: str
    type: str
    subject: str
    at: float
    genuine: bool = True
    """Its signature was right."""


@dataclass(slots=True)
class Accounts:
    """All of them, side by side."""

    told: list[Told]
    rows: list[Row]
    copies: list[Copy]
    heard: list[Heard]
    faithful: tuple[str, ...] = ("good",)
    """The endpoints that answer in the end: they must have heard everything."""
    forged: list[Answer] = field(default_factory=list)
    """What was answered to forged callbacks."""
    running: frozenset[str] = frozenset()
    """The messages whose workflow still runs, as Temporal says."""
