"""What guests write, as a seed decides it: strangers by SMS, and guests whom the property writes to, on the channels by
which they are reached. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

REACHED: dict[str, str | None] = {"whatsapp": None, "imessage": "sms", "email": None}
"""The channel that `auto` chooses for a guest → the one that it adds as a second way. There are two guests of each."""
PREFIXES = {"sms": "+1212", "whatsapp": "+1312", "imessage": "+1415"}
ANSWERS = 0.35
"""The share of texts that these guests write."""
TALKS = 4
"""Reservations whose guests use a platform of their own, which speaks Booking.com's API."""
ON_PLATFORM = 0.3
"""The share of strangers' texts that are written there instead."""


def reached_address(channel: str, which: int) -> str:
    """Where the prepared guests are reached whose messages leave their channel open."""
    return f"reached{which}@example.com" if channel == "email" else f"{PREFIXES[channel]}{4_000_000 + which}"


def talker(which: int) -> str:
    """What a guest is called whose reservation that is."""
    return f"the guest of reservation {which}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a guest writes `at`."""

    number: int
    at: float
    channel: str = "sms"
    reached: int | None = None
    """It is that one of the guests who are reached by `channel`. None: somebody whom nobody knows."""
    talk: int | None = None
    """It is written on the guests' platform, about that one of the reservations."""

    @property
    def token(self) -> str:
        """What no other text contains."""
        return f"t{self.number:05}"

    @property
    def content(self) -> str:
        return f"{self.token}.000 more towels, please"

    @property
    def sender(self) -> str:
        """Each stranger writes twice."""
        if self.talk is not None:
            return talker(self.talk)
        if self.reached is not None:
            return reached_address(self.channel, self.reached)
        return f"+1646{2_000_000 + self.number // 2}"


def on_platform(chance: Random, written: tuple[Text, ...]) -> tuple[Text, ...]:
    """Some of the strangers' texts as those of guests who use a platform: both of two that belong together."""
    there = {
        number: chance.randrange(TALKS)
        for number in sorted({text.number // 2 for text in written if text.reached is None})
        if chance.random() < ON_PLATFORM
    }
    return tuple(
        replace(text, channel="inbox", talk=there[text.number // 2]) if text.number // 2 in there else text
        for text in written
    )


def texts(chance: Random, answers: Random, count: int, seconds: float) -> tuple[Text, ...]:
    """Spread over the storm; a guest's second text follows the first within seconds."""
    found: list[Text] = []
    for number in range(0, count, 2):
        at = seconds * number / count
        channel: str = "sms"
        reached: int | None = None
        if answers.random() < ANSWERS:
            channel, reached = answers.choice(list(REACHED)), answers.randrange(2)
        later = at + chance.uniform(0.2, 4.0)
        found += [Text(number, round(at, 3), channel, reached), Text(number + 1, round(later, 3), channel, reached)]
    return tuple(sorted(found, key=lambda text: (text.at, text.number)))
