"""What will go out to a guest, and what will not, as far as that can be said now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bellhop.domain.channels import Channel
from bellhop.domain.failures import WORDS, FailureCode
from bellhop.domain.ids import Prefix, render
from bellhop.domain.policy import Reason
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.serializers import timestamp

DAYS = 30
"""How far is looked ahead."""


class Outlook(StrEnum):
    """What becomes of a message."""

    GOES_OUT = "goes_out"
    WAITS = "waits"
    """For something of which nobody knows when it is over."""
    DOES_NOT = "does_not"


@dataclass(frozen=True, slots=True)
class Why:
    """A word that programs can rely on, and a sentence for the front desk."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A message that has not gone out, or whose next step has not."""

    row: MessageRow
    """As it goes out then: at that step."""
    outlook: Outlook
    at: datetime | None
    """When it goes out, or fails; None: nobody knows."""
    why: Why | None = None
    """Why it does not, or not when it was due; None: there is nothing to say."""
    instead_of: tuple[tuple[Channel, Why], ...] = ()
    """The channels before, by which it cannot."""
    goes_on: bool = False
    """Whether its next step follows."""


UNKNOWN = Why("outcome_unknown", "A provider may have it: that is being found out first.")
REMINDER = Why("not_read", "It reminds of a message, and goes out unless that is read by then.")
_WAITS: Mapping[Reason, str] = {
    Reason.PAUSED: "The property is paused; it goes out when the property goes on.",
    Reason.NO_SENDER: "The property has no sender that can carry it; it goes out when there is one.",
    Reason.ACCOUNT_HELD: "The sending account is at fault; it goes out when that is mended.",
}


def waits(reason: Reason) -> Why:
    """Why one waits without knowing until when."""
    return Why(reason.value, _WAITS[reason])


def refused(code: FailureCode) -> Why:
    """Why one does not go out."""
    return Why(code.value, WORDS[code].sentence)


def follows(row: MessageRow, at: datetime) -> bool:
    """Whether another step follows where the one that a message is at is refused then."""
    return row.step_at(row.step + 1) is not None and (row.valid_until is None or row.valid_until > at)


def shown(one: Upcoming) -> dict[str, Any]:
    """The object that the API shows."""
    row, why = one.row, one.why
    return {
        "message_id": render(Prefix.MESSAGE, row.id),
        "guest_id": row.guest_ref,
        "channel": row.channel.value,
        "category": row.category.value,
        "step": row.step,
        "outlook": one.outlook.value,
        "at": timestamp(one.at),
        "reason": {"code": why.code, "message": why.message} if why else None,
        "instead_of": [
            {"channel": channel.value, "code": why.code, "message": why.message} for channel, why in one.instead_of
        ],
    }
