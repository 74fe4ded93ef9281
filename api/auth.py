"""Who is calling: API keys looked up by their hash, remembered for a moment, and held to their rate."""

from __future__ import annotations

import hmac
import math
import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from starlette.requests import Request

from api.problems import Forbidden, RateLimited, Unauthenticated
from bellhop.domain import keys
from bellhop.domain.ids import Prefix, render
from bellhop.domain.scopes import Scope
from bellhop.store.access import keys as stored_keys
from bellhop.store.access import rate_limits
from bellhop.store.access.keys import KnownKey
from bellhop.store.database import Database

REMEMBERED = 2.0
"""Seconds: how long a revoked key may still work in another process."""
MOST_REMEMBERED = 10_000
RATE = 1_000
BLOCK = 20


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated request."""

    key_id: UUID
    rights: frozenset[str]
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None

    @property
    def scope(self) -> Scope:
        """The one scope the key opens."""
        if len(self.scopes) != 1:
            raise Forbidden("This key opens several properties; this call needs a key of one.")
        return self.scopes[0]


@dataclass(slots=True)
class _Window:
    limit: int
    left: int = 0
    used: int = 0
    ends: float = 0.0


@dataclass(slots=True)
class Authenticator:
    """Authenticates requests. One per process."""

    database: Database
    _known: dict[bytes, tuple[float, KnownKey | None]] = field(default_factory=dict)
    _windows: dict[UUID, _Window] = field(default_factory=dict)

    async def authenticate(self, request: Request, raw: str | None) -> Caller:
        """The caller behind a request's key, one request taken off its rate. Raises Unauthenticated, RateLimited."""
        if raw is None or not keys.plausible(raw):
            raise Unauthenticated
        hashed = keys.digest(raw)
        known = await self._look_up(hashed)
        if known is None or not hmac.compare_digest(known.hash, hashed):
            raise Unauthenticated
        request.scope["bellhop.key"] = render(Prefix.KEY, known.id)
        request.scope["bellhop.rate"] = await self._take(known)
        return Caller(known.id, known.rights, known.scopes, known.expires_at)

    def forget(self, secret_hash: bytes) -> None:
        """A key was revoked: this process stops believing in it at once."""
        self._known.pop(secret_hash, None)

    async def _look_up(self, hashed: bytes) -> KnownKey | None:
        now = time.monotonic()
        remembered = self._known.get(hashed)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        known = await self.database.read(lambda tx: stored_keys.find(tx, hashed))
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[hashed] = (now + REMEMBERED, known)
        return known

    async def _take(self, known: KnownKey) -> dict[str, str]:
        limit = known.rate_limit or RATE
        window = self._windows.get(known.id)
        now = time.monotonic()
        if window is None or now >= window.ends or window.limit != limit:
            window = self._windows[known.id] = _Window(limit)
        if window.left <= 0 and (window.used < limit or window.ends == 0.0):
            taken = await self.database.write(lambda tx: rate_limits.lease(tx, known.id, limit, BLOCK))
            window.left += taken.granted
            window.used = taken.used
            window.ends = time.monotonic() + taken.left
        rest = max(1, math.ceil(window.ends - now))
        policy = f'"key";q={limit};w={rate_limits.WINDOW_SECONDS}'
        if window.left <= 0:
            raise RateLimited(
                f"This API key may make {limit} requests a minute. Try again in {rest} s.",
                headers={"Retry-After": str(rest), "RateLimit-Policy": policy, "RateLimit": f'"key";r=0;t={rest}'},
            )
        window.left -= 1
        return {
            "RateLimit-Policy": policy,
            "RateLimit": f'"key";r={max(0, limit - window.used) + window.left};t={rest}',
        }


def read_key(request: Request) -> str | None:
    """The key a request of the native API bears, if any."""
    given = request.headers.get("authorization")
    if given is not None:
        kind, _, value = given.partition(" ")
        return value.strip() if kind.lower() == "bearer" else None
    return request.headers.get("x-api-key")
