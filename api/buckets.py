"""What strangers may cost: so many tries at once, then so many a second, by address."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Hashable
from functools import lru_cache

from starlette.requests import Request


class Buckets:
    """A bucket of `burst` tries for each key, filled again at `rate` a second. Of `most` keys the one that was not seen
    for longest is forgotten."""

    def __init__(
        self, burst: float, rate: float, most: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._most, self._clock = burst, rate, most, clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def wait(self, key: Hashable) -> float:
        """Seconds until this key may try again; 0: now."""
        left = self._left(key)
        return 0.0 if left >= 1 else (1 - left) / self._rate

    def take(self, key: Hashable) -> None:
        """A try that was in vain."""
        # No deeper than a burst: what was overdone is not held against the address for ever.
        left = max(self._left(key) - 1, -self._burst)
        self._buckets.pop(key, None)
        self._buckets[key] = (left, self._clock())
        if len(self._buckets) > self._most:
            del self._buckets[next(iter(self._buckets))]

    def _left(self, key: Hashable) -> float:
        left, at = self._buckets.get(key, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - at) * self._rate)


def source(request: Request) -> str:
    """Whose address a request comes from. Behind a proxy it is the one uvicorn takes from its headers
    (FORWARDED_ALLOW_IPS)."""
    return network(request.client.host if request.client else "")


@lru_cache(1_000)
def network(host: str) -> str:
    """What an address is counted as. Of IPv6 its network: one machine has as many addresses as it likes."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
