"""What a message is for: what a guest's will has to say about it follows from that."""

from __future__ import annotations

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
