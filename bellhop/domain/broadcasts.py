"""Broadcasts: one message to many guests. Their states, whom they go to, and how fast. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from bellhop.domain.stays import StayStatus

MOST_RECIPIENTS = 50_000
"""Of one broadcast."""
MOST_LISTED = 10_000
"""Of one that is made with a list."""
PACE = "broadcast_pace"
"""The property's setting: messages a second of one of its broadcasts."""
USUAL_PACE = 10.0
FASTEST = 50.0


class BroadcastState(StrEnum):
    """Where a broadcast stands."""

    DRAFT = "draft"
    """Made; nobody gets anything."""
    SCHEDULED = "scheduled"
    """It begins by itself when its time has come."""
    RUNNING = "running"
    """Its messages are being accepted, one recipient after the other."""
    PAUSED = "paused"
    """Nobody else gets it until it goes on; what is accepted goes out."""
    CANCELLED = "cancelled"
    """Nobody else gets it; what was accepted and still waits is withdrawn."""
    FINISHED = "finished"
    """Each recipient has a message, or was refused."""


FROM: Mapping[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.SCHEDULED: frozenset({BroadcastState.DRAFT, BroadcastState.SCHEDULED}),
    BroadcastState.PAUSED: frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING}),
    BroadcastState.RUNNING: frozenset({BroadcastState.PAUSED}),
    BroadcastState.CANCELLED: frozenset(
        {BroadcastState.DRAFT, BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.PAUSED}
    ),
}
"""What a caller may make of a broadcast, and of which: started (at once is at a time that is over), paused, resumed,
cancelled. From there to there itself changes nothing."""


class RecipientState(StrEnum):
    """Where one recipient stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Outcome(StrEnum):
    """What became of one recipient: the status of their message, or that they have none."""

    PENDING = "pending"
    """Has yet to get it."""
    REFUSED = "refused"
    """Gets none."""
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ACCEPTED = "accepted"
    """Had a message, which is kept no longer."""


class Unsent(StrEnum):
    """Why a recipient gets no message, beside what a single send would be refused with."""

    UNKNOWN_GUEST = "unknown_guest"
    NO_ADDRESS = "no_address"
    """Of the kind that the channel takes, or none that can be sent to."""
    INVALID_ADDRESS = "invalid_address"
    DUPLICATE = "duplicate"
    """The same address as another recipient's: it gets the message once."""
    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    FREQUENCY_CAP = "frequency_cap"


@dataclass(frozen=True, slots=True)
class GuestFilter:
    """Which guests: those that all of it is true of. None and empty: any. Guests who are switched off are never meant.

    `stay_status`, `first`, `last`: they have a stay that stands so and has a day in that span. `languages`: BCP 47,
    with all that begins so (`de` is `de-AT` as well). `search`: as guests are searched for.
    """

    stay_status: tuple[StayStatus, ...] = ()
    first: date | None = None
    last: date | None = None
    languages: tuple[str, ...] = ()
    search: str | None = None

    @property
    def of_stays(self) -> bool:
        """Whether it asks for a stay."""
        return bool(self.stay_status) or self.first is not None or self.last is not None

    def stored(self) -> dict[str, Any]:
        """As it is kept, and shown."""
        return {
            "stay_status": [one.value for one in self.stay_status],
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "languages": list(self.languages),
            "search": self.search,
        }


def filter_of(stored: Mapping[str, Any]) -> GuestFilter:
    """The filter that was kept so."""
    return GuestFilter(
        stay_status=tuple(StayStatus(one) for one in stored["stay_status"]),
        first=date.fromisoformat(stored["first"]) if stored["first"] else None,
        last=date.fromisoformat(stored["last"]) if stored["last"] else None,
        languages=tuple(stored["languages"]),
        search=stored["search"],
    )


def pace_given(given: object) -> float | None:
    """Messages a second that a setting says; None: it says none."""
    if not isinstance(given, int | float) or isinstance(given, bool):
        return None
    return float(given) if 0 < given <= FASTEST else None


def pace_of(own: float | None, settings: Mapping[str, Any]) -> float:
    """Messages a second of a broadcast: its own, else the property's, else the usual. A setting that is none is left
    aside."""
    return own or pace_given(settings.get(PACE)) or USUAL_PACE
