"""Which endpoints somebody was draining a moment ago: whoever owes them something more need not make sure of it at
once."""

from __future__ import annotations

import time
from collections.abc import Collection
from uuid import UUID

MEMORY = 5.0
"""Seconds for which that is a good guess. It may be wrong: then an endpoint is woken by the next look."""
MOST = 10_000


class RecentlyDrained:
    """What the last looks found."""

    def __init__(self) -> None:
        self._seen: dict[UUID, float] = {}

    def note(self, asked: Collection[UUID], idle: Collection[UUID]) -> None:
        """Of the endpoints that were asked about, `idle` are drained by nobody."""
        now = time.monotonic()
        if len(self._seen) > MOST:
            self._seen.clear()
        self._seen.update((endpoint, now) for endpoint in asked)
        for endpoint in idle:
            self._seen.pop(endpoint, None)

    def all(self, endpoints: Collection[UUID]) -> bool:
        """Whether every one of them was drained at the last look, which was not long ago."""
        since = time.monotonic() - MEMORY
        return all(self._seen.get(endpoint, since) > since for endpoint in endpoints)
