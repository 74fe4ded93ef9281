"""How urgent a message is beside others that are due: as callers say it, and as Temporal counts it."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """Which of two messages that wait for the same worker goes first. Neither is ever sent before its time."""

    URGENT = "urgent"
    """Somebody waits for it: the code of a room, a one-time password."""
    NORMAL = "normal"
    BULK = "bulk"
    """It may wait for all others: a newsletter."""


KEYS = {Priority.URGENT: 1, Priority.NORMAL: 3, Priority.BULK: 5}
"""Temporal's priority keys: smaller goes first, 1 to 5, and 3 is what has none."""
