"""What a seed decides before anything runs: the letters with what clients do to them, and the strikes with their times.

Pure: the same seed gives the same plan on every machine. Times are seconds after the storm's beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from chaos.faults import KINDS, Strike, Track

LONG = (130, 400)
"""Words of a long text message: two to four parts of 1,600 characters."""

CALLS = (
    "rate_limit", "unavailable", "slow", "hang", "reset",
    "accept_then_slow", "accept_then_error", "accept_then_hang", "accept_then_reset",
)  # fmt: skip
CALLBACKS = ("callback_drop", "callback_repeat", "callback_delay", "callback_reorder")

ENDINGS: dict[str, tuple[tuple[str, bool], ...]] = {
    # Magic recipients of the sandbox, and whether the provider refuses the call outright.
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
class Letter:
    """One message as its client means to send it, what the client does later, and what befalls it on its way."""

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
    """The client's patience with its first try, seconds: it hangs up and repeats the request."""
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

    @property
    def token(self) -> str:
        """What no other text contains."""
        return f"q{self.number:05}"

    @property
    def content(self) -> str:
        """Words that say which letter they belong to and which of it they are: so every part tells what it is of."""
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
    letters: tuple[Letter, ...]
    guests: tuple[Guest, ...]
    strikes: tuple[Strike, ...]


def make(seed: int, messages: int, seconds: float, *, quick: bool = False) -> Plan:
    """The plan of a seed: so many messages over so many seconds."""
    # A stream of its own for each: more messages do not change the strikes.
    guests = _guests(Random(f"{seed} guests"), max(2, messages // 100), seconds)
    letters = _letters(Random(f"{seed} letters"), messages, seconds, guests)
    strikes = _strikes(Random(f"{seed} strikes"), seconds)
    return Plan(seed, seconds, quick, letters, guests, strikes)


# --- letters ----------------------------------------------------------------------------------------------------------


def _guests(chance: Random, count: int, seconds: float) -> tuple[Guest, ...]:
    found = []
    for number in range(count):
        at = chance.uniform(0.0, seconds * 0.7)
        found.append(Guest(number, round(at, 3), round(at + chance.uniform(4.0, 0.25 * seconds), 3)))
    return tuple(found)


def _letters(chance: Random, count: int, seconds: float, guests: tuple[Guest, ...]) -> tuple[Letter, ...]:
    of_guests = [guest.number for guest in guests for _ in range(3)][:count]
    found = []
    for number in range(count):
        at = seconds * number / count
        if number < len(of_guests):
            found.append(_to_guest(chance, number, guests[of_guests[number]], seconds))
        else:
            found.append(_letter(chance, number, round(at, 3), seconds))
    return tuple(sorted(found, key=lambda letter: (letter.at, letter.number)))


def _to_guest(chance: Random, number: int, guest: Guest, seconds: float) -> Letter:
    channel = chance.choice(("sms", "email"))
    recipient = guest.phone if channel == "sms" else guest.email
    at = guest.at + chance.uniform(0.5, 2.5)
    ahead = chance.choice((None, chance.uniform(1.0, 12.0), chance.uniform(5.0, 30.0)))
    return Letter(number, round(at, 3), channel, recipient, ahead=_within(at, ahead, seconds), guest=guest.number)


def _letter(chance: Random, number: int, at: float, seconds: float) -> Letter:
    channel = "email" if chance.random() < 0.4 else "sms"
    recipient = f"+1212{2_000_000 + number}" if channel == "sms" else f"guest{number}@example.com"
    letter = Letter(number, at, channel, recipient, waits=chance.random() < 0.3)
    if channel == "sms" and chance.random() < 0.08:
        letter = replace(letter, words=chance.randint(*LONG))
    if chance.random() < 0.35:
        letter = _scheduled(chance, letter, seconds)
    if chance.random() < 0.15:
        letter = replace(letter, together=chance.randint(2, 3), again=round(chance.uniform(0.5, 20.0), 3))
    elif chance.random() < 0.06:
        letter = replace(letter, hasty=round(chance.uniform(0.005, 0.6), 3), waits=True)
    if letter.words == 1 and chance.random() < 0.06:
        return _magic(chance, letter)
    if chance.random() < 0.14:
        letter = replace(letter, call=chance.choice(CALLS), lookup=chance.random() < 0.3)
    if chance.random() < 0.14:
        letter = replace(letter, callbacks=chance.choice(CALLBACKS))
    return letter


def _scheduled(chance: Random, letter: Letter, seconds: float) -> Letter:
    ahead = _within(letter.at, chance.uniform(1.5, 25.0), seconds)
    if ahead is None:
        return letter
    what = chance.random()
    letter = replace(letter, ahead=ahead)
    if what < 0.15:
        return replace(letter, cancel=round(chance.uniform(0.2, ahead * 0.9), 3))
    if what < 0.35:  # at the moment it falls due
        return replace(letter, cancel=round(ahead + chance.uniform(-0.1, 0.2), 3))
    if what < 0.60:
        after = chance.uniform(0.2, ahead)
        to = chance.choice((None, after + chance.uniform(0.0, 3.0), ahead + chance.uniform(1.0, 10.0)))
        return replace(letter, move=Move(round(after, 3), _within(letter.at, to, seconds)))
    return letter


def _within(at: float, ahead: float | None, seconds: float) -> float | None:
    """No letter is due after the storm: what is measured then is the engine, not the waiting."""
    if ahead is None or at + 0.5 > seconds:
        return None
    return round(min(ahead, seconds - at), 3)


def _magic(chance: Random, letter: Letter) -> Letter:
    address, refused = chance.choice(ENDINGS[letter.channel])
    recipient = address if letter.channel == "sms" else f"{address}+{letter.token}@example.com"
    return replace(letter, recipient=recipient, refused=refused)


LULL = 25.0
"""Seconds before the finale in which nothing is struck."""


# --- strikes ----------------------------------------------------------------------------------------------------------


def _strikes(chance: Random, seconds: float) -> tuple[Strike, ...]:
    found: list[Strike] = []
    lull = min(LULL, seconds / 8)
    for track in Track:
        found += _of_track(chance, track, seconds - lull)
    found += _finale(chance, seconds)
    return tuple(sorted(found, key=lambda strike: strike.at))


def _finale(chance: Random, seconds: float) -> list[Strike]:
    """The last faults, at the very end and after a lull in which only the load goes on: what is measured from here is
    how soon it gets over a fault, not how long it works off what a series of them has piled up."""
    refuse = KINDS["refuse"].draw(chance)
    kill = KINDS["kill together"].draw(chance)
    return [
        replace(refuse, at=round(seconds - refuse.seconds, 3)),
        replace(kill, at=round(seconds - 1.0, 3), hard=True),
    ]


def _of_track(chance: Random, track: Track, seconds: float) -> list[Strike]:
    """Every kind at least once where there is time, in random order; then whatever chance brings."""
    kinds = [kind for kind in KINDS.values() if kind.track is track]
    weights = [kind.weight for kind in kinds]
    must = [strike for kind in kinds for strike in kind.once(chance)]
    chance.shuffle(must)
    # Every kind comes before every part.
    firsts = list({strike.kind: strike for strike in reversed(must)}.values())
    must = firsts + [strike for strike in must if strike not in firsts]
    found: list[Strike] = []
    at = track.gap * chance.uniform(0.5, 1.0)
    while True:
        strike = must.pop(0) if must else chance.choices(kinds, weights)[0].draw(chance)
        if at + strike.takes > seconds:
            return found
        found.append(replace(strike, at=round(at, 3), hard=chance.random() < 0.25))
        at += strike.takes + track.gap * chance.uniform(0.5, 1.5)
