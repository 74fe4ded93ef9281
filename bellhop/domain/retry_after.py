"""The `Retry-After` header (RFC 9110 §10.2.3), as providers and customers' endpoints send it. Pure."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime


def seconds(header: str | None, now: float) -> float | None:
    """How long a `Retry-After` asks to wait from `now` (epoch seconds) on: 0 for a time that has passed, None for a
    missing header or nonsense. It may be any length: callers limit it."""
    if header is None:
        return None
    delay = number(header)
    if delay is None:
        try:
            at = parsedate_to_datetime(header.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        delay = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now
    return max(delay, 0.0)


def number(text: str | None) -> float | None:
    """A finite number in a header; None for anything else."""
    try:
        found = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return found if math.isfinite(found) else None
