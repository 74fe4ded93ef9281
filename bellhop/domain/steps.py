"""A message's steps: the message as it is sent first, and what follows where that cannot arrive. Pure.

What is said of each is fixed at acceptance; which of them a message is at is a decision of ours, and only goes up. What
is stored with the message (`stored`) names channels, numbers and times: no guest's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bellhop.domain.channels import Channel

MOST = 4
"""Further steps that a message may have."""


class When(StrEnum):
    """What a step waits for."""

    FAILED = "failed"
    """The step before can no longer arrive: it surely failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One way in which a message may go out."""

    channel: Channel
    parts: int
    """Provider calls that it takes."""
    valid_for: float
    """Seconds from its beginning within which it is of use."""
    limited: bool = False
    """Whether that is because another one is to follow then: the provider is told, where it takes such a limit."""
    when: When | None = None
    """None: it is the first."""
    after: float | None = None
    """With FAILED: seconds that the step before is given to arrive, if the caller says so."""


def plan(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same, each no longer valid than the next one leaves to it."""
    planned: list[Step] = []
    for place, step in enumerate(steps):
        following = steps[place + 1] if place + 1 < len(steps) else None
        given = following.after if following is not None and following.when is When.FAILED else None
        if given is not None and given < step.valid_for:
            step = Step(
                channel=step.channel,
                parts=step.parts,
                valid_for=given,
                limited=True,
                when=step.when,
                after=step.after,
            )
        planned.append(step)
    return tuple(planned)


def stored(steps: Sequence[Step]) -> list[dict[str, Any]] | None:
    """How a message keeps them; None where there is only the first."""
    if len(steps) <= 1:
        return None
    return [
        {
            "channel": step.channel.value,
            "parts": step.parts,
            "valid_for": step.valid_for,
            "limited": step.limited,
            "when": step.when.value if step.when else None,
            "after": step.after,
        }
        for step in steps
    ]


def read(kept: Mapping[str, Any]) -> Step:
    """One of what `stored` gave."""
    return Step(
        channel=Channel(kept["channel"]),
        parts=kept["parts"],
        valid_for=kept["valid_for"],
        limited=kept["limited"],
        when=When(kept["when"]) if kept["when"] else None,
        after=kept["after"],
    )
