"""Conversations with guests: whom they are with, how they stand, and for how long each side may look at them.

There is one for each stay, whichever channels it goes over; outside of a stay one for each guest and family of
channels. The first message either way begins it.
"""

from __future__ import annotations

from enum import StrEnum

MOST_UNREAD = 100
"""So many unread messages are counted."""
MOST_TAGS = 20
LONGEST_NOTE = 10_000
OF_A_STAY = "stay"
"""The `family` of a conversation that has any channel, because it is about a stay."""


class Side(StrEnum):
    """Who speaks, or looks."""

    PROPERTY = "property"
    GUEST = "guest"


class ConversationStatus(StrEnum):
    """How a conversation stands. What a guest writes opens it again."""

    OPEN = "open"
    SNOOZED = "snoozed"
    """Put aside until a time, at which it is open again by itself."""
    CLOSED = "closed"
