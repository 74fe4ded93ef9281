"""All connections of one process: how many there are, how many of one address, and which take too long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol, Self

from uvicorn.middleware.proxy_headers import _TrustedHosts

from api.buckets import network
from bellhop.settings import ApiSettings

STATE = "bellhop.connections"
"""Where the application hands it to the server: in the state of its lifespan."""
LOOK_EVERY = 0.5
"""Seconds between looks at what takes too long: no timer is set for any one request."""
MOST_TURNED_AWAY = 100
"""Connections beyond the limits that are told so at a time; more are cut off without a word."""


class Watched(Protocol):
    """A connection, as it is looked after here."""

    unread: int

    def look(self, now: float) -> None:
        """End it if it takes too long, and count what the other end has not read. `now`: the loop's time."""

    def cut_off(self) -> None:
        """End it at once."""


class Connections:
    """One per process."""

    def __init__(self, limits: ApiSettings, on_stop: Callable[[], None] | None = None) -> None:
        self.limits = limits
        self._open: dict[Watched, str] = {}
        self._turned_away: set[Watched] = set()
        self._of_address: Counter[str] = Counter()
        self._trusted: _TrustedHosts | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._on_stop: Callable[[], None] | None = on_stop

    def stop(self) -> None:
        """The server stops, and waits for its answers: those end that would not by themselves."""
        if self._on_stop is not None:
            self._on_stop()
            self._on_stop = None

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: Watched, host: str, proxies: list[str] | str) -> bool:
        """Whether there is room for a connection from `host`. Of `proxies`, who bring everybody, the total counts."""
        if self._looking is None:
            self._look()
        if self._trusted is None:
            self._trusted = _TrustedHosts(proxies)
        address = "" if host in self._trusted else network(host)
        if len(self._open) >= self.limits.max_connections or (
            address and self._of_address[address] >= self.limits.connections_per_address
        ):
            return False
        self._open[connection] = address
        if address:
            self._of_address[address] += 1
        return True

    def turn_away(self, connection: Watched) -> bool:
        """Whether a connection there is no room for can be told so."""
        if len(self._turned_away) >= MOST_TURNED_AWAY:
            return False
        self._turned_away.add(connection)
        return True

    def leave(self, connection: Watched) -> None:
        """It is closed."""
        self._turned_away.discard(connection)
        address = self._open.pop(connection, "")
        if address:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in (*self._open, *self._turned_away):
            connection.look(now)
        self._spare(sum(connection.unread for connection in self._open))
        self._looking = loop.call_later(LOOK_EVERY, self._look)

    def _spare(self, unread: int) -> None:
        """Cut those off that leave most unread, until what is left may be held."""
        if unread <= self.limits.max_unread:
            return
        for connection in sorted(self._open, key=lambda each: each.unread, reverse=True):
            connection.cut_off()
            unread -= connection.unread
            if unread <= self.limits.max_unread:
                return
