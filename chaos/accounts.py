"""The accounts that are compared: what clients were answered, what PostgreSQL says, what the providers took, what the
customers' endpoints received. Plain data: each is filled by its own reader, and none is made from another."""

from __future__ import annotations

from dataclasses import dataclass, field

from chaos.plan import Request
from chaos.texts import Text


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

    @property
    def final(self) -> bool:
        """Whether it says what became of the request; a client that is asked for patience (429, 5xx) repeats it."""
        return 0 < self.status < 500 and self.status != 429


@dataclass(slots=True)
class Exchange:
    """Account one: a message and everything its client was answered, in the order of asking."""

    request: Request
    answers: list[Answer] = field(default_factory=list)
    stopped: float | None = None
    """When its guest's STOP had been answered 2xx."""

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
    """A row of `events` that endpoints receive."""

    id: str
    type: str
    at: float
    step: str = ""
    """Which of its ways it is about; empty: the first."""


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
    wake_pending: bool = False
    """A notification of Temporal about it is pending."""
    stopped: float | None = None
    """When its guest's STOP was on record: one that is kept on disk first comes to be so later."""
    history: bool = False
    """Its guest was erased, and its Temporal history is still to be deleted."""
    attempts: list[Attempt] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    conversation: str | None = None
    pending: list[str] = field(default_factory=list)
    """Deliveries still pending: the names of the endpoints."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Account three: something a provider accepted."""

    provider: str
    id: str
    words: tuple[str, ...]
    """Of the message's text, as they came: `q00042.000`."""
    accepted: float
    status: str
    reported: frozenset[str] = frozenset()
    """The words of the provider that a callback brought us, answered with 2xx."""
    busy: bool = False
    """More is still to happen to it, or to be reported."""
    to: str = ""
    failed: float | None = None
    """When the provider knew that it did not arrive."""
    files: tuple[str, ...] = ()
    """The digests of the files that came with it."""

    @property
    def channel(self) -> str:
        """What it is a message of."""
        if self.provider == "twilio":
            return "whatsapp" if self.to.startswith("whatsapp:") else "sms"
        # What Bellhop itself has, of guests' apps and platforms, has its channel's name.
        known = {"sendgrid": "email", "sendblue": "imessage", "fcm": "push", "apns": "push"}
        return known.get(self.provider, self.provider)

    @property
    def token(self) -> str:
        """The message it belongs to."""
        return self.words[0].partition(".")[0] if self.words else ""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One POST a customer's endpoint got, in the order in which they came."""

    endpoint: str
    event: str
    type: str
    subject: str
    at: float
    genuine: bool = True
    """Its signature was right."""


@dataclass(frozen=True, slots=True)
class App:
    """A guest's app: the messages that lie in its inbox, and how often its streams have shown each one as new."""

    listed: tuple[str, ...]
    shown: dict[str, int]


@dataclass(slots=True)
class Written:
    """A guest's text, and what its provider says became of it."""

    text: Text
    answered: int | None = None
    """The API's last answer to the provider; None: none, or not known yet."""
    known: bool = False
    """The provider has said so: else it may have posted it or not."""
    tries: int = 0
    """How often it was posted, to either address."""

    @property
    def taken(self) -> bool:
        """The provider got a 2xx."""
        return self.answered is not None and 200 <= self.answered < 300


@dataclass(slots=True)
class Accounts:
    """All of them, side by side."""

    exchanges: list[Exchange]
    rows: list[Row]
    copies: list[Copy]
    received: list[ReceivedEvent]
    reliable: tuple[str, ...] = ("good",)
    """The endpoints that answer in the end: they must have received everything."""
    forged: list[Answer] = field(default_factory=list)
    """What was answered to forged callbacks."""
    running: frozenset[str] = frozenset()
    """The messages whose workflow still runs, as Temporal says."""
    written: list[Written] = field(default_factory=list)
    """What guests wrote, as the provider says."""
    texts: tuple[str | None, ...] = ()
    """What guests wrote, as PostgreSQL has it: the tokens, as often as they are there; None: of another text."""
    conversations: dict[str, str | None] = field(default_factory=dict)
    """Token of a text → the conversation that it stands in."""
    apps: list[App] = field(default_factory=list)
    listed: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """Another vendor's API → each text that it lists: id, content, and status in its own word."""
    rejected: int = 0
    """Callbacks that were kept on disk and set aside there."""
