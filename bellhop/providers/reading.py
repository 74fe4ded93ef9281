"""What every provider file needs to read answers and callbacks: plain, and safe to store."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bellhop.domain import retry_after as retry_after_header
from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode
from bellhop.providers.lease_http import Answer

LONGEST_TEXT = 500
"""How much of a provider's words is kept."""
LONGEST_WAIT = 3_600.0
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

BY_STATUS: dict[int, tuple[SendKind, FailureCode]] = {
    # Where the API is not, a request was not taken: a wrong base URL is the account's fault, not the message's.
    301: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    307: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    308: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    401: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    402: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    403: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    404: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    405: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    407: (SendKind.ACCOUNT, FailureCode.CONFIGURATION),
    # RFC 9110 §15.5.9: the server did not receive a complete request. But ours was written to its end, as a rule, and
    # gateways say 408 as well when a provider is slow over a request that it has.
    408: (SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN),
    # A conflict, perhaps with the very message that this request has made.
    409: (SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN),
    413: (SendKind.REFUSED, FailureCode.CONTENT_REFUSED),
    425: (SendKind.RETRY, FailureCode.PROVIDER_ERROR),
    429: (SendKind.RETRY, FailureCode.LIMIT_REACHED),
    # Gateways' words for a caller that went away: the request itself may have gone on (nginx; AWS's load balancer).
    460: (SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN),
    499: (SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN),
}


def by_status(status: int) -> tuple[SendKind, FailureCode]:
    """What an answer means when nothing but its HTTP status can be relied on."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    if 400 <= status < 500:
        return SendKind.REFUSED, FailureCode.REJECTED
    # A gateway's 5xx, or a 2xx or 3xx that is not the provider's: no word on whether the message was taken.
    return SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN


def retry_after(answer: Answer) -> float | None:
    """Seconds the provider asks us to wait: `Retry-After` (seconds or a date), on a 429 also `X-RateLimit-Reset`, an
    epoch that SendGrid puts on every answer."""
    now = time.time()
    asked = retry_after_header.seconds(answer.headers.get("retry-after"), now)
    if asked is None and answer.status == 429:
        reset = retry_after_header.number(answer.headers.get("x-ratelimit-reset"))
        asked = max(reset - now, 0.0) if reset is not None else None
    return None if asked is None else min(asked, LONGEST_WAIT)


def words(text: object) -> str | None:
    """A provider's own words, safe to store and short; None for none."""
    return clean(text)[:LONGEST_TEXT] if isinstance(text, str) and text else None


def clean(text: str) -> str:
    """Text that PostgreSQL can store: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def tidy(value: Any) -> Any:
    """A JSON value that PostgreSQL's jsonb can store, as `clean` does it, keys and values."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): tidy(one) for name, one in value.items()}
    if isinstance(value, list):
        return [tidy(one) for one in value]
    return value


def from_json(body: bytes | str) -> Any:
    """A JSON value, tidied. Raises ValueError on anything that is not JSON, however deep or odd it is."""
    try:
        return tidy(json.loads(body, parse_float=_finite, parse_constant=str))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _finite(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def uuid_of(value: object) -> UUID | None:
    """Our own id as it came back, or None when it is not one."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        return UUID(value)
    except ValueError:
        return None


def fingerprint(value: object) -> str:
    """A dedupe key for what carries none: equal content, equal key."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
