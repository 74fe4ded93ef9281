"""Twilio's connection overrides: the fragment of a webhook URL says how it is called. It is neither sent nor signed.

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urldefrag

_USUAL = frozenset({"ct"})
POLICIES = ("ct", "rt", "4xx", "5xx", "all")


@dataclass(frozen=True, slots=True)
class Overrides:
    """`retries` after which failures (`policies`), and time-outs in seconds: of one call to connect and to read, and of
    all calls together, with the pauses between them."""

    retries: int = 1
    policies: frozenset[str] = _USUAL
    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0

    def retry(self, outcome: str, tries: int, elapsed: float = 0.0) -> bool:
        """Whether a call that ended in `outcome` (ct, rt, 4xx, 5xx) after `tries` retries is made once more, `elapsed`
        seconds after the first one began."""
        asked = outcome in self.policies or "all" in self.policies
        return asked and tries < self.retries and elapsed < self.total


def _bounded(value: str | None, usual: float, low: float, high: float) -> float:
    return min(max(float(value), low), high) if value is not None and value.isdecimal() else usual


def split(url: str) -> tuple[str, Overrides]:
    """The URL to call and sign, and how. What the fragment says wrongly counts as not said."""
    bare, fragment = urldefrag(url)
    said = dict(parse_qsl(fragment))
    policies = frozenset(word for word in said.get("rp", "").split(",") if word in POLICIES)
    return bare, Overrides(
        retries=int(_bounded(said.get("rc"), 1, 0, 5)),
        policies=policies or _USUAL,
        connect=_bounded(said.get("ct"), 5000, 100, 10_000) / 1000,
        read=_bounded(said.get("rt"), 15_000, 100, 15_000) / 1000,
        total=_bounded(said.get("tt"), 15_000, 100, 15_000) / 1000,
    )
