"""The `Retry-After` header (RFC 9110 §10.2.3), as providers and customers' endpoints send it. Pure."""

from __future__ import annotations

import re
from datetime import MAXYEAR, UTC
from email.utils import parsedate_to_datetime, parsedate_tz

LONGEST = 10 * 366 * 86_400.0
"""Seconds. What asks for longer, be it beyond all numbers or all dates, asks for this."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


def seconds(header: str | None, now: float) -> float | None:
    """How long a `Retry-After` asks to wait from `now` (epoch seconds) on, LONGEST at most: 0 for a time that has
    passed, None for a missing header or nonsense. Callers limit it further."""
    if header is None:
        return None
    delay = number(header)
    if delay is None and (at := _epoch(header.strip())) is not None:
        delay = at - now
    return None if delay is None else min(max(delay, 0.0), LONGEST)


def _epoch(date: str) -> float | None:
    parts = parsedate_tz(date)
    if parts is not None and parts[0] > MAXYEAR:
        return float("inf")
    try:
        at = parsedate_to_datetime(date)
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def number(text: str | None) -> float | None:
    """A number in a header, infinite if it has too many digits for one; None for anything else."""
    if text is None or not _NUMBER.fullmatch(text := text.strip()):
        return None
    return float(text)
