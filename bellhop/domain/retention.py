"""For how many days a property keeps what it need not: its setting `retention`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SETTING: Final = "retention"
LONGEST: Final[Mapping[str, int]] = {"messages_days": 3650, "media_days": 3650, "receipts_days": 30}
"""What is forgotten, and for how many days it can be kept at most: raw receipts no installation keeps longer."""
SETTLED_AFTER: Final = 8 * 86_400.0
"""Seconds after which nothing follows a message that is out: its workflow has closed after seven days."""


def checked(own: object) -> dict[str, Any]:
    """A property's setting: days by what is kept; null, or left out: as long as the installation keeps it. Raises
    ValueError on what is none."""
    if not isinstance(own, Mapping) or not set(own) <= set(LONGEST):
        raise ValueError
    given = {name: days for name, days in own.items() if days is not None}
    for name, days in given.items():
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= LONGEST[name]:
            raise ValueError
    return given
