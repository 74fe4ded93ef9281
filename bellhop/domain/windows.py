"""For how long after a stay each side may look at its conversation, and write in it.

Days are those of the property. Nothing is limited while nobody knows when a stay ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from bellhop.domain.conversations import Side
from bellhop.domain.stays import StayStatus

GUEST_READS = timedelta(days=66)
GUEST_WRITES = timedelta(days=66)
PROPERTY_READS = timedelta(days=365)
PROPERTY_WRITES = timedelta(days=7)
PROPERTY_ANSWERS = timedelta(days=14)
"""After the guest's last message, where that is later."""

READS: Final[Mapping[Side, timedelta]] = {Side.PROPERTY: PROPERTY_READS, Side.GUEST: GUEST_READS}
_CALLED_OFF = frozenset({StayStatus.CANCELLED, StayStatus.NO_SHOW})


def end(status: StayStatus, departure: date | None, ended_on: date | None) -> date | None:
    """The day of the check-out, or that on which the stay was called off. `ended_on`: when it was said to be over.
    None: nobody knows one."""
    if status in _CALLED_OFF and ended_on is not None:
        return ended_on
    return ended_on if departure is None else departure


def may_read(side: Side, over: date | None, today: date) -> bool:
    """Whether that side may still look at the conversation of a stay that is over, or will be, on that day."""
    return over is None or today <= over + READS[side]


def may_write(side: Side, over: date | None, today: date, answered: date | None = None) -> bool:
    """Whether that side may still write in it. `answered`: the day of the guest's last message."""
    if over is None:
        return True
    if side is Side.GUEST:
        return today <= over + GUEST_WRITES
    return today <= over + PROPERTY_WRITES or (answered is not None and today <= answered + PROPERTY_ANSWERS)
