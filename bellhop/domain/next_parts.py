"""Which part of a message goes next, and what keeps it: the parts of a text one after the other, a guest's devices each
by itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellhop.domain.channels import CHANNELS
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage

_OPEN = frozenset({AttemptState.IN_FLIGHT, AttemptState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class NextParts:
    """What can be sent of a message now."""

    ready: tuple[int, ...]
    """Parts that may be sent, in the order in which they are tried."""
    due_at: datetime
    """When one of them may be, if that is later."""
    call_open: bool
    """Whether a call has to be over first."""


def open_calls(message: MessageRow, rows: Sequence[AttemptRow]) -> list[AttemptRow]:
    """Calls at the step that a message is at whose outcome is not known yet, and may still come to be known."""
    return [row for row in rows if row.step == message.step and row.state in _OPEN and row.stage is not Stage.GAVE_UP]


def next_parts(message: MessageRow, rows: Sequence[AttemptRow], stages: Sequence[Stage]) -> NextParts:
    """What of `message` goes next, whose attempts are `rows` and whose parts stand at `stages`."""
    left = [part for part, stage in enumerate(stages) if stage is Stage.QUEUED]
    open_ones = open_calls(message, rows)
    if not CHANNELS[message.channel].any_part:
        return NextParts(tuple(left[:1]), message.due_at, bool(open_ones))
    under_way = {row.part for row in open_ones}
    tried = {
        part: [row for row in rows if (row.step, row.part) == (message.step, part)]
        for part in left
        if part not in under_way
    }
    # One that a provider asked to come again later keeps no other waiting.
    resting = {part: calls[-1].ask_at for part, calls in tried.items() if calls}
    later = [until for until in resting.values() if until is not None and until > message.now]
    ready = [part for part in tried if resting.get(part) is None or resting[part] not in later]
    ready.sort(key=lambda part: (len(tried[part]), part))
    due_at = max(message.due_at, min(later)) if later and not ready else message.due_at
    return NextParts(tuple(ready), due_at, bool(open_ones) and not ready)
