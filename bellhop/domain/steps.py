"""A message's steps: the message as it is sent first, and what follows where that cannot arrive or is not read. Pure.

What is said of each is fixed at acceptance; which of them a message is at is a decision of ours, and only goes up. What
is stored with the message (`stored`) names channels, numbers and times: no guest's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from bellhop.domain.channels import CHANNELS, Channel

MOST = 4
"""Further steps that a message may have."""


class When(StrEnum):
    """What a step waits for."""

    FAILED = "failed"
    """What was sent before can no longer arrive: it surely failed."""
    NOT_READ = "not_read"
    """A reminder: the step before was sent `after` seconds ago and is not read, or surely failed. Both may arrive."""


NOT_READ: Mapping[str, object] = {
    "code": "not_read",
    "message": "The guest had not read it by then, as far as that can be known.",
    "provider_code": None,
    "retryable": False,
}
"""Why a reminder is sent, in the form of a failure's reason."""


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
    """With FAILED: seconds that the step before is given to arrive, if the caller says so. With NOT_READ: seconds that
    the guest is given to read it, from when it was sent."""


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


def warnings(steps: Sequence[Step]) -> list[dict[str, str]]:
    """What the sender of a message with these steps may want to know."""
    reminders = [(before, step) for before, step in pairwise(steps) if step.when is When.NOT_READ]
    if not reminders:
        return []
    said = "A reminder is sent beside what it reminds of, so the guest may well get the message more than once."
    given = [{"code": "may_arrive_twice", "message": said}]
    silent = [CHANNELS[before.channel].name for before, _ in reminders if not CHANNELS[before.channel].reports_reading]
    if silent:
        said = f"Nobody learns whether {' or '.join(silent)} was read: it is reminded of in any case."
        given.append({"code": "reading_unknown", "message": said})
    return given


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
