"""Operators: who runs an installation or a property, and what they may do by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class OperatorAction(StrEnum):
    """What an operator did."""

    PAUSE = "pause"
    """A property sends nothing from then on."""
    RESUME = "resume"
    """It sends again."""
    HOLD = "hold"
    """A provider account is not called."""
    MEND = "mend"
    """It is called again."""
    RESEND = "resend"
    """A failed message was sent again, as a new one."""
    MOVE = "move"
    """What a guest wrote was moved to another guest."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who does something by hand, and why."""

    actor: str
    """The id of a key, or `cli:` and a name."""
    reason: str = field(repr=False)


HELD_BY_OPERATOR = "operator"
"""The code of an account that an operator holds, beside the providers' own: nobody tries whether it works meanwhile."""
