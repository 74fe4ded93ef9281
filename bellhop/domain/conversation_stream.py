"""Places in the stream of what happens in a scope's conversations. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

KIND = "conversations"
"""Of a stream that shows what happens in all conversations of a scope."""

_BITS = 128
_MOST = 2**63
_LONGEST = len(str(_MOST << _BITS))


@dataclass(frozen=True, slots=True)
class Place:
    """Behind the event `id` that the transaction `xact` wrote."""

    xact: int
    id: UUID

    @property
    def position(self) -> int:
        """As one number, in the same order: what streams count by and clients say they have seen."""
        return (self.xact << _BITS) | self.id.int


def place_at(position: int) -> Place:
    """The place behind a number."""
    return Place(position >> _BITS, UUID(int=position & ((1 << _BITS) - 1)))


def place_of(last_event_id: str | None) -> Place | None:
    """Where a client has got to: the id of the last event it has seen. None for none, and for what is no id of ours."""
    if last_event_id is None or not last_event_id.isascii() or not last_event_id.isdigit():
        return None
    if len(last_event_id) > _LONGEST:
        return None
    found = place_at(int(last_event_id))
    return found if 0 < found.xact < _MOST else None
