"""What guests want: the closed list of types, what a detector finds, and the port that detectors stand behind. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

LONGEST_READ = 4_000
"""Characters of a message that detectors read; what follows is not looked at."""
LONGEST_EVIDENCE = 200
"""Characters of the words that an intent rests on."""


class IntentType(StrEnum):
    """What a guest may want. One sentence each says when it applies."""

    EARLY_CHECK_IN = "early_check_in"
    """Into the room before the usual time."""
    LATE_CHECK_OUT = "late_check_out"
    """To keep the room beyond the usual time."""
    BOOKING_CHANGE = "booking_change"
    """Other dates, nights, people, room or name."""
    CANCELLATION = "cancellation"
    """To cancel, or to know what that costs."""
    ARRIVAL_TIME = "arrival_time"
    """Says when they arrive, or whether somebody is there then."""
    DIRECTIONS = "directions"
    """The way, the address, a taxi, a bus, a transfer."""
    PARKING = "parking"
    """Where to leave a vehicle, what that costs, charging it."""
    WIFI_ACCESS = "wifi_access"
    """The network, its password, codes and cards that let them in."""
    HOUSEKEEPING = "housekeeping"
    """Cleaning, towels, linen, what is used up."""
    AMENITY_REQUEST = "amenity_request"
    """To borrow or use something: pillow, cot, iron, pool, spa."""
    MAINTENANCE = "maintenance"
    """Something in the room is broken."""
    COMPLAINT = "complaint"
    """They are not content."""
    DINING = "dining"
    """Breakfast, a table, room service, what can be eaten."""
    PAYMENT = "payment"
    """Invoices, charges, deposits, ways to pay."""
    LOST_ITEM = "lost_item"
    """Something was left behind or lost."""
    OPT_OUT = "opt_out"
    """No more messages."""
    HUMAN = "human"
    """To speak with a person, or to be called."""


class IntentStatus(StrEnum):
    """What the property has made of an intent."""

    OPEN = "open"
    """Nobody has seen to it."""
    DONE = "done"
    """Somebody has."""
    WRONG = "wrong"
    """The guest did not want that."""


class DetectorName(StrEnum):
    """Which detector found it."""

    BUILT_IN = "built_in"
    """Offline: rules and a small model."""
    ANTHROPIC = "anthropic"
    """Hosted by Anthropic, where it is set up."""
    OPENAI = "openai"
    """Hosted by OpenAI, where it is set up."""


@dataclass(frozen=True, slots=True)
class DetectedIntent:
    """One intent of a message."""

    type: IntentType
    confidence: float
    """Between 0 and 1."""
    evidence: str = field(repr=False)
    """The words of the message that it rests on, as they stand there; at most LONGEST_EVIDENCE characters."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector says of a message: each type once at most."""

    detector: DetectorName
    intents: Sequence[DetectedIntent] = ()


class DetectorAway(Exception):
    """The detector did not answer, or nothing that can be read; the built-in one is asked instead."""


class IntentDetector(Protocol):
    """Finds what a guest wants in what they wrote."""

    async def detect(self, text: str) -> Detection:
        """The intents of one message. Nothing is kept, and nothing but `text` is known. Raises DetectorAway."""
