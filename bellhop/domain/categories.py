"""What a message is for: what a guest's will has to say about it, and for how long it is of use, follow from that."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Category(StrEnum):
    """What a message is for, in its sender's word."""

    TRANSACTIONAL = "transactional"
    """About what the guest has booked or asked for."""
    CONVERSATIONAL = "conversational"
    """An answer in a conversation."""
    MARKETING = "marketing"
    """An offer or a newsletter: it does not go to whoever wants none, and says how to be left alone."""
    TWO_FACTOR = "two_factor"
    """A code that lets the guest in."""


VALID_FOR: Mapping[Category, int] = {Category.TWO_FACTOR: 600}
"""Seconds after it is due for which a message of a category is of use, where neither it nor its property's `validity`
says so. Others: as long as any message of their channel."""
LONGEST = 2_592_000
"""Seconds for which a message can be said to be of use."""
