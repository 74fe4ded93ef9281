"""Sendblue's words: statuses, error keys and error codes.

Sources: the API reference (docs.sendblue.com, `Messages`), the published SDK's types, and Sendblue's own guide for
agents (github.com/sendblue-api/skills). An unknown code falls back on the HTTP status, or on `undelivered` where a
status reports it, and is kept as it came.
"""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage


@dataclass(frozen=True, slots=True)
class Code:
    """One row: the outcome of a send answered with it, and the reason of a failure reported with it."""

    kind: SendKind
    failure: FailureCode


_BUSY = Code(SendKind.RETRY, FailureCode.LIMIT_REACHED)

KEYS: dict[str, Code] = {
    # How many new contacts a line may write to in an hour or a day. HTTP 400, where 429 is the request rate alone.
    "LINE_HOURLY_LIMIT_REACHED": _BUSY,
    "LINE_DAILY_LIMIT_REACHED": _BUSY,
    # The line has written before, and the guest never answered: nothing more goes there until they do.
    "PRE_REPLY_LIMIT_REACHED": Code(SendKind.REFUSED, FailureCode.BLOCKED),
    "OPTED_OUT": Code(SendKind.REFUSED, FailureCode.OPTED_OUT),
}
"""By `error_key`, which says more than the code beside it."""

VALIDATION = 4000
"""Something in the request is wrong; the words name the field."""
CODES: dict[int, Code] = {
    429: _BUSY,
    VALIDATION: Code(SendKind.REFUSED, FailureCode.REJECTED),
    4001: _BUSY,  # rate limit
    4002: Code(SendKind.REFUSED, FailureCode.BLOCKED),  # the number is blocked
    # Internal error, status not resolved: the message may have gone out all the same; the list tells.
    5000: Code(SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN),
    10002: Code(SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN),
    10001: Code(SendKind.REFUSED, FailureCode.UNDELIVERED),  # failed to send
}
"""By `error_code`."""

STAGES: dict[str, Stage | None] = {
    # Taken, and no more than that.
    "REGISTERED": Stage.SENT,
    "PENDING": Stage.SENT,
    "QUEUED": Stage.SENT,
    "ACCEPTED": Stage.SENT,
    "SUCCESS": Stage.SENT,
    "SENT": Stage.SENT,  # the last word of an SMS
    "DELIVERED": Stage.DELIVERED,  # the last word of iMessage and RCS: reading is not reported
    "DECLINED": Stage.UNDELIVERED,
    "ERROR": Stage.UNDELIVERED,
    "RECEIVED": None,  # of a guest's own message
}
"""By `status`."""


def code_of(number: object, key: object) -> Code | None:
    """The row of an answer or a callback: by its key, else by its number; None: neither is known."""
    if isinstance(key, str) and key in KEYS:
        return KEYS[key]
    return CODES.get(number) if isinstance(number, int) else None
