"""What a seed decides before anything runs: the messages with what clients do to them, and the faults with their times.

Pure: the same seed gives the same plan on every machine. Times are seconds after the storm's beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from chaos.faults import KINDS, Fault, Track
from chaos.texts import PREFIXES, REACHED, TALKS, Text, on_platform, reached_address, texts

LONG = (130, 400)
"""Words of a long text message: two to four parts of 1,600 characters."""

CALLS = (
    "rate_limit", "unavailable", "slow", "hang", "reset",
    "accept_then_slow", "accept_then_error", "accept_then_hang", "accept_then_reset",
)  # fmt: skip
CALLBACKS = ("callback_drop", "callback_repeat", "callback_delay", "callback_reorder")

CHANNELS: dict[str, int] = {"sms": 36, "email": 24, "whatsapp": 14, "push": 10, "in_app": 9, "imessage": 7}
"""How many of a hundred messages go by each."""
ASKED_LATER = frozenset({"sms", "email", "whatsapp", "imessage"})
"""Where the provider can be asked what became of a message, and calls back."""
WITH_FILES = frozenset({"sms", "email", "whatsapp", "in_app", "imessage"})
APPS = 6
"""Guests with an app that follows their inbox."""
OWNERS = 6
"""Guests with several devices."""
STEPS = ("sms", "email", "push", "in_app")
"""What a message goes on to, where its first way has failed or was not read."""
REMINDED = 0.35
"""The share of second ways that are reminders of what is not read."""
REMINDED_AFTER = 10
"""Seconds that a guest has to read it: the fewest that the API takes."""
OTHER_APIS = 0.5
"""The share of messages that go by another vendor's API, of those that it could be handed in by."""
LEFT_OPEN = 0.06
"""The share of messages whose channel is left open."""

ENDINGS: dict[str, tuple[tuple[str, bool], ...]] = {
    # Magic recipients of the sandbox, and whether the provider refuses the call outright.
    "whatsapp": (("+13055556003", False), ("+13055556014", False), ("+13055559035", False), ("+13055556049", False)),
    "imessage": (("+13055551001", False), ("+13055554001", False), ("+13055554002", True)),
    "push": (("sandbox:unregistered", True), ("sandbox:mismatch", True)),
    "sms": (
        ("+13055553003", False), ("+13055553008", False), ("+13055559034", False), ("+13055559033", False),
        ("+13055552612", True),
    ),
    "email": (("bounce", False), ("blocked", False), ("deferred", False), ("noopen", False)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """A client moves a message `after` seconds to `to` seconds, both counted from `at`; None: to now."""

    after: float
    to: float | None


@dataclass(frozen=True, slots=True)
class Request:
    """One message as its client means to send it, what the client does later, and what disturbs it on its way."""

    number: int
    at: float
    channel: str
    recipient: str
    words: int = 1
    ahead: float | None = None
    """Asked to go out so long after `at`."""
    waits: bool = False
    """The client waits for the provider's answer instead of `Prefer: respond-async`."""
    hasty: float | None = None
    """The client's time limit for its first try, seconds: it hangs up and repeats the request."""
    together: int = 1
    """How often the request is made at the same moment with the same Idempotency-Key."""
    again: float | None = None
    """…and once more so much later."""
    cancel: float | None = None
    move: Move | None = None
    guest: int | None = None
    refused: bool = False
    """The provider refuses this recipient: it ends `failed`, and rightly."""
    call: str | None = None
    lookup: bool = False
    """The first look-up after a lost answer fails too."""
    callbacks: str | None = None
    guest_with: int | None = None
    """To the guest with this app (in_app) or these devices (push)."""
    api: str = "native"
    """Whose API its client uses: `native`, `sendblue`, `bird` or `booking`."""
    talk: int | None = None
    """It goes to the guests' platform, about that one of the reservations."""
    written_to: bool = True
    """On WhatsApp: its guest has written lately. Else it goes out as an approved template."""
    file: str | None = None
    """Carries a picture: `asset` (uploaded before) or `url` (of the property's own server)."""
    fallback: str | None = None
    """The channel of its second step."""
    reminds: bool = False
    """That is a reminder: it goes out beside the first, unless that was read."""
    second_guest: int | None = None
    """The second way is the inbox of the guest with this app."""
    reached: int | None = None
    """Its channel is left open: to that one of the prepared guests who are reached by `channel`."""
    stop: float | None = None
    """Its guest says STOP so long after `at`."""
    read: float | None = None
    """The app on the device reports so long after the message was accepted that it was read."""

    @property
    def disturbed(self) -> str:
        """The recipient as its provider is given it."""
        return f"whatsapp:{self.recipient}" if self.channel == "whatsapp" else self.recipient

    @property
    def second_recipient(self) -> str:
        """Whom the second step is for."""
        others = {"email": f"second{self.number}@example.com", "push": f"second-{self.number}:APA91b"}
        return others.get(self.fallback or "", f"+1917{2_000_000 + self.number}")

    @property
    def token(self) -> str:
        """What no other text contains."""
        return f"q{self.number:05}"

    @property
    def content(self) -> str:
        """Words that say which message they belong to and which of it they are: so every part tells what it is of."""
        return " ".join(f"{self.token}.{word:03}xx" for word in range(self.words))


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest, made `at` and erased at `erased`."""

    number: int
    at: float
    erased: float

    @property
    def email(self) -> str:
        return f"erased{self.number}@guests.example"

    @property
    def phone(self) -> str:
        return f"+1213{3_000_000 + self.number}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a seed decides."""

    seed: int
    seconds: float
    quick: bool
    requests: tuple[Request, ...]
    guests: tuple[Guest, ...]
    texts: tuple[Text, ...]
    faults: tuple[Fault, ...]


def make(seed: int, messages: int, seconds: float, *, quick: bool = False) -> Plan:
    """The plan of a seed: so many messages over so many seconds."""
    # A stream of its own for each: more messages do not change the faults. The names are part of what a seed means.
    guests = _guests(Random(f"{seed} guests"), max(2, messages // 100), seconds)
    requests = _requests(Random(f"{seed} letters"), messages, seconds, guests)
    apis = Random(f"{seed} APIs")
    requests = tuple(_by_api(apis, request) for request in requests)
    written = texts(Random(f"{seed} texts"), Random(f"{seed} answers"), max(10, messages // 5), seconds)
    written = on_platform(Random(f"{seed} platform"), written)
    faults = _faults(Random(f"{seed} strikes"), seconds)
    return Plan(seed, seconds, quick, requests, guests, written, faults)


# --- requests ---------------------------------------------------------------------------------------------------------


def _guests(chance: Random, count: int, seconds: float) -> tuple[Guest, ...]:
    found = []
    for number in range(count):
        at = chance.uniform(0.0, seconds * 0.7)
        found.append(Guest(number, round(at, 3), round(at + chance.uniform(4.0, 0.25 * seconds), 3)))
    return tuple(found)


def _requests(chance: Random, count: int, seconds: float, guests: tuple[Guest, ...]) -> tuple[Request, ...]:
    of_guests = [guest.number for guest in guests for _ in range(3)][:count]
    found = []
    for number in range(count):
        at = seconds * number / count
        if number < len(of_guests):
            found.append(_to_guest(chance, number, guests[of_guests[number]], seconds))
        else:
            found.append(_request(chance, number, round(at, 3), seconds))
    return tuple(sorted(found, key=lambda request: (request.at, request.number)))


def _to_guest(chance: Random, number: int, guest: Guest, seconds: float) -> Request:
    channel = chance.choice(("sms", "email"))
    recipient = guest.phone if channel == "sms" else guest.email
    at = guest.at + chance.uniform(0.5, 2.5)
    ahead = chance.choice((None, chance.uniform(1.0, 12.0), chance.uniform(5.0, 30.0)))
    return Request(number, round(at, 3), channel, recipient, ahead=_within(at, ahead, seconds), guest=guest.number)


def _addressed(chance: Random, number: int, at: float) -> Request:
    """To whom, on which channel."""
    channel = chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    request = Request(number, at, channel, f"guest{number}@example.com", waits=chance.random() < 0.3)
    if channel in PREFIXES:
        request = replace(request, recipient=f"{PREFIXES[channel]}{2_000_000 + number}")
    if channel == "whatsapp":
        written_to = chance.random() < 0.7
        # A template's look-up goes by its longer values.
        return replace(request, written_to=written_to, words=1 if written_to else 3)
    if channel == "in_app":
        return replace(request, recipient="", guest_with=chance.randrange(APPS))
    if channel == "push":
        read = round(chance.uniform(0.5, 6.0), 3) if chance.random() < 0.4 else None
        if chance.random() < 0.4:
            return replace(request, recipient="", guest_with=chance.randrange(OWNERS))
        return replace(request, recipient=f"device-{number}:APA91b", read=read)
    return request


def _left_open(chance: Random, number: int, at: float, seconds: float) -> Request:
    channel = chance.choice(list(REACHED))
    which = chance.randrange(2)
    request = Request(number, at, channel, reached_address(channel, which), fallback=REACHED[channel], reached=which)
    return _scheduled(chance, request, seconds) if chance.random() < 0.35 else request


def _request(chance: Random, number: int, at: float, seconds: float) -> Request:
    if chance.random() < LEFT_OPEN:
        return _left_open(chance, number, at, seconds)
    request = _addressed(chance, number, at)
    channel = request.channel
    if channel == "sms" and chance.random() < 0.08:
        request = replace(request, words=chance.randint(*LONG))
    if chance.random() < 0.35:
        request = _scheduled(chance, request, seconds)
    if chance.random() < 0.15:
        request = replace(request, together=chance.randint(2, 3), again=round(chance.uniform(0.5, 20.0), 3))
    elif chance.random() < 0.06:
        request = replace(request, hasty=round(chance.uniform(0.005, 0.6), 3), waits=True)
    if request.words == 1 and chance.random() < 0.12 and channel in WITH_FILES and request.written_to:
        request = replace(request, file=chance.choice(("asset", "url")))
    elif request.words == 1 and chance.random() < 0.12 and request.guest_with is None:
        request = _with_second_way(chance, request)
    elif channel == "sms" and request.ahead and not (request.cancel or request.move) and chance.random() < 0.6:
        return replace(request, stop=round(chance.uniform(0.0, request.ahead), 3))
    magic = 0.06 if not request.fallback else 0.25 if request.reminds else 0.5
    if request.words == 1 and channel in ENDINGS and request.guest_with is None and chance.random() < magic:
        return _magic(chance, request)
    if request.guest_with is not None:
        return request
    if chance.random() < 0.14:
        looks = chance.random() < 0.3 and channel in ASKED_LATER
        request = replace(request, call=chance.choice(CALLS), lookup=looks)
    if chance.random() < 0.14 and channel in ASKED_LATER:
        request = replace(request, callbacks=chance.choice(CALLBACKS))
    return request


def _with_second_way(chance: Random, request: Request) -> Request:
    fallback = chance.choice([one for one in STEPS if one != request.channel])
    # Nobody can say of a notification that it was read, unless its app does.
    reminds = chance.random() < REMINDED and fallback != "in_app"
    guest = chance.randrange(APPS) if fallback == "in_app" else None
    return replace(request, fallback=fallback, reminds=reminds, second_guest=guest)


def _scheduled(chance: Random, request: Request, seconds: float) -> Request:
    ahead = _within(request.at, chance.uniform(1.5, 25.0), seconds)
    if ahead is None:
        return request
    what = chance.random()
    request = replace(request, ahead=ahead)
    if what < 0.15:
        return replace(request, cancel=round(chance.uniform(0.2, ahead * 0.9), 3))
    if what < 0.35:  # at the moment it falls due
        return replace(request, cancel=round(ahead + chance.uniform(-0.1, 0.2), 3))
    if what < 0.60:
        after = chance.uniform(0.2, ahead)
        to = chance.choice((None, after + chance.uniform(0.0, 3.0), ahead + chance.uniform(1.0, 10.0)))
        return replace(request, move=Move(round(after, 3), _within(request.at, to, seconds)))
    return request


def _within(at: float, ahead: float | None, seconds: float) -> float | None:
    """No message is due after the storm: what is measured then is the engine, not the waiting."""
    if ahead is None or at + 0.5 > seconds:
        return None
    return round(min(ahead, seconds - at), 3)


def _by_api(chance: Random, request: Request) -> Request:
    """The same, or by another API, where that has all that it asks for. Each takes other repetitions for the same."""
    by, hangs_up = chance.random(), round(chance.uniform(0.005, 0.6), 3)
    talk = chance.randrange(TALKS)
    plain = request.guest is None and request.reached is None and not (request.fallback or request.move or request.read)
    if by >= OTHER_APIS or not plain:
        return request
    if request.channel == "in_app" and not (request.file or request.ahead):
        return replace(
            request, api="booking", channel="inbox", guest_with=None, talk=talk, together=1, again=None, hasty=None
        )
    if request.channel not in ("sms", "imessage"):
        return request
    if not request.ahead and by < OTHER_APIS / 2 and request.file != "asset":
        repeated = request.together > 1 or request.again is not None or request.hasty is not None
        return replace(request, api="sendblue", together=1, again=None, hasty=hangs_up if repeated else None)
    return request if request.file else replace(request, api="bird")


def _magic(chance: Random, request: Request) -> Request:
    address, refused = chance.choice(ENDINGS[request.channel])
    recipient = f"{address}+{request.token}@example.com" if request.channel == "email" else address
    return replace(request, recipient=recipient, refused=refused, written_to=True, words=1, read=None)


LULL = 25.0
"""Seconds before the finale in which nothing is struck."""


# --- faults ----------------------------------------------------------------------------------------------------------


def _faults(chance: Random, seconds: float) -> tuple[Fault, ...]:
    found: list[Fault] = []
    lull = min(LULL, seconds / 8)
    for track in Track:
        found += _of_track(chance, track, seconds - lull)
    found += _finale(chance, seconds)
    return tuple(sorted(found, key=lambda fault: fault.at))


def _finale(chance: Random, seconds: float) -> list[Fault]:
    """The last faults, at the very end and after a lull in which only the load goes on: what is measured from here is
    how soon it gets over a fault, not how long it works off what a series of them has piled up."""
    refuse = KINDS["refuse"].draw(chance)
    kill = KINDS["kill together"].draw(chance)
    return [
        replace(refuse, at=round(seconds - refuse.seconds, 3)),
        replace(kill, at=round(seconds - 1.0, 3), hard=True),
    ]


def _of_track(chance: Random, track: Track, seconds: float) -> list[Fault]:
    """Every kind at least once where there is time, in random order; then whatever chance brings."""
    kinds = [kind for kind in KINDS.values() if kind.track is track]
    weights = [kind.weight for kind in kinds]
    must = [fault for kind in kinds for fault in kind.once(chance)]
    chance.shuffle(must)
    # Every kind comes before every part.
    firsts = list({fault.kind: fault for fault in reversed(must)}.values())
    must = firsts + [fault for fault in must if fault not in firsts]
    found: list[Fault] = []
    at = track.gap * chance.uniform(0.5, 1.0)
    while True:
        fault = must.pop(0) if must else chance.choices(kinds, weights)[0].draw(chance)
        if at + fault.takes > seconds:
            return found
        found.append(replace(fault, at=round(at, 3), hard=chance.random() < 0.25))
        at += fault.takes + track.gap * chance.uniform(0.5, 1.5)
