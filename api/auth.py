"""Who is calling: API keys looked up by their hash, remembered for a moment, and held to their rate."""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from api.admission import Admission
from api.buckets import Buckets, source
from api.problems import Forbidden, RateLimited, Unauthenticated
from bellhop.domain import keys
from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix, render
from bellhop.domain.scopes import Scope
from bellhop.store.access import keys as stored_keys
from bellhop.store.access import rate_limits
from bellhop.store.access.keys import KnownKey
from bellhop.store.access.rate_limits import Lease
from bellhop.store.database import Database

REMEMBERED = 2.0
"""Seconds: how long a revoked key may still work in another process."""
MOST_REMEMBERED = 10_000
RATE = 1_000
SCOPE_RATE = 3_000
"""Requests a minute of all keys of a property's environment together, where its row says nothing else."""
BLOCK = 20
STRANGERS_BURST, STRANGERS_RATE = 30.0, 2.0
"""Keys nobody has that an address may try at once, and a second after that; then it waits."""
STRANGERS_WAITING = 8
"""So many requests of one address wait; the rest is refused."""
LONGEST_WAIT = 2.0
LOOKUPS = 4
"""Look-ups of keys, and blocks of their rates, at a time: they come before a request has a slot."""


Remembered = TypeVar("Remembered")


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated request."""

    key_id: UUID
    rights: frozenset[str]
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None
    side: Side = Side.PROPERTY
    """For whom it speaks."""
    limits: Mapping[UUID, int] = field(default_factory=dict)
    """Requests a minute of its key, then of each of its scopes."""

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

    @property
    def wants_more(self) -> bool:
        return self.left <= 0 and (self.used < self.limit or self.ends == 0.0)

    @property
    def rest(self) -> int:
        """Seconds until it ends."""
        return max(1, math.ceil(self.ends - time.monotonic()))

    def take_in(self, lease: Lease) -> None:
        """So many requests more may be made."""
        self.left += lease.granted
        self.used = lease.used
        self.ends = time.monotonic() + lease.left


@dataclass(slots=True)
class Authenticator:
    """Authenticates requests. One per process."""

    database: Database
    _known: dict[bytes, tuple[float, KnownKey]] = field(default_factory=dict)
    # Apart: whoever makes keys up pushes out what others made up, and nobody's that opens something.
    _refused: dict[bytes, float] = field(default_factory=dict)
    _strangers: Buckets = field(default_factory=lambda: Buckets(STRANGERS_BURST, STRANGERS_RATE))
    _waiting: Counter[str] = field(default_factory=Counter)
    _lookups: Admission = field(default_factory=lambda: Admission(LOOKUPS))
    # By limit too: the usual one of a scope is another for a key that may more.
    _windows: dict[tuple[UUID, int], _Window] = field(default_factory=dict)

    async def authenticate(self, request: Request, raw: str | None) -> Caller:
        """The caller behind a request's key, one request taken off its rate. Raises Unauthenticated, RateLimited,
        Overloaded."""
        if raw is None or not keys.plausible(raw):
            raise Unauthenticated
        hashed = keys.digest(raw)
        known = await self._look_up(request, hashed)
        if known is None or not hmac.compare_digest(known.hash, hashed):
            raise Unauthenticated
        request.scope["bellhop.key"] = render(Prefix.KEY, known.id)
        limits = _limits(known)
        request.scope["bellhop.rate"] = await self._take(limits)
        return Caller(known.id, known.rights, known.scopes, known.expires_at, known.side, limits)

    async def take(self, caller: Caller, more: int) -> dict[str, str]:
        """Take so many requests more off a caller's rates, all of them or none. Returns what is said of what is left.
        Raises RateLimited, Overloaded."""
        windows = await self._open(caller.limits)
        by_limit = dict(zip(caller.limits, windows, strict=True))
        # Again where others, who shared what was left, have taken it meanwhile.
        while short := {counted: more - window.left for counted, window in by_limit.items() if window.left < more}:
            wanted = {counted: (caller.limits[counted], short[counted]) for counted in sorted(short)}
            await self._lookups.enter()
            try:
                granted = await self.database.write(partial(rate_limits.take_all, wanted=wanted))
            finally:
                self._lookups.leave()
            if not granted:
                break
            for counted, lease in granted.items():
                by_limit[counted].take_in(lease)
        for counted, window in by_limit.items():
            if window.left < more:
                raise _refusal(caller.key_id == counted, window, more + 1)
        for window in windows:
            window.left -= more
        return _left(windows[0])

    def forget(self, secret_hash: bytes) -> None:
        """A key was revoked: this process stops believing in it at once."""
        self._known.pop(secret_hash, None)

    async def _look_up(self, request: Request, hashed: bytes) -> KnownKey | None:
        now = time.monotonic()
        remembered = self._known.get(hashed)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        if now < self._refused.get(hashed, 0.0):
            return None
        address = source(request)
        if remembered is None:
            await self._slowed(address)
        await self._lookups.enter()
        try:
            return await self._ask(hashed, address)
        finally:
            self._lookups.leave()

    async def _ask(self, hashed: bytes, address: str) -> KnownKey | None:
        now = time.monotonic()
        remembered = self._known.get(hashed)
        if remembered is not None and now < remembered[0]:
            return remembered[1]  # another request has asked meanwhile
        known = await self.database.read(lambda tx: stored_keys.find(tx, hashed))
        self._known.pop(hashed, None)
        if known is not None:
            _remember(self._known, hashed, (now + REMEMBERED, known))
        else:
            _remember(self._refused, hashed, now + REMEMBERED)
            self._strangers.take(address)
        return known

    async def _slowed(self, address: str) -> None:
        """A key that was not seen before waits where its address has tried many that do not exist. Raises RateLimited
        where many from there wait already."""
        wait = self._strangers.wait(address)
        if wait <= 0:
            return
        if self._waiting[address] >= STRANGERS_WAITING:
            raise RateLimited(
                "From this address came too many API keys that do not exist. Try again later.",
                headers={"Retry-After": str(max(1, math.ceil(wait)))},
            )
        self._waiting[address] += 1
        try:
            await asyncio.sleep(min(wait, LONGEST_WAIT))
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

    async def _take(self, limits: Mapping[UUID, int]) -> dict[str, str]:
        windows = await self._open(limits)
        key, *_ = windows
        for window in windows:
            if window.left <= 0:
                raise _refusal(window is key, window)
        for window in windows:
            window.left -= 1
        return _left(key)

    async def _open(self, limits: Mapping[UUID, int]) -> list[_Window]:
        """This minute's windows of those, in their order, with a request left in each that has any."""
        now = time.monotonic()
        windows: dict[UUID, _Window] = {}
        for counted, limit in limits.items():
            window = self._windows.get((counted, limit))
            if window is None or now >= window.ends:
                window = self._windows[counted, limit] = _Window(limit)
            windows[counted] = window
        # Again where others, who waited for the same, have taken all of it meanwhile.
        while any(window.wants_more for window in windows.values()):
            await self._lookups.enter()
            try:
                await self._fill(windows)
            finally:
                self._lookups.leave()
        return list(windows.values())

    async def _fill(self, windows: Mapping[UUID, _Window]) -> None:
        empty = {counted: window for counted, window in windows.items() if window.wants_more}
        if not empty:
            return  # another request has filled them meanwhile
        # All in one transaction, and rows in one order: no two processes wait for each other.
        taken = await self.database.write(lambda tx: _lease(tx, {key: empty[key].limit for key in sorted(empty)}))
        for counted, lease in taken.items():
            empty[counted].take_in(lease)


async def _lease(tx: AsyncConnection, limits: Mapping[UUID, int]) -> dict[UUID, Lease]:
    return {counted: await rate_limits.lease(tx, counted, limit, BLOCK) for counted, limit in limits.items()}


def _limits(known: KnownKey) -> dict[UUID, int]:
    limit = known.rate_limit or RATE
    # Who was given more on purpose is not held back by what is usual.
    of_scopes = {
        scope.id: given or max(SCOPE_RATE, limit) for scope, given in zip(known.scopes, known.scope_limits, strict=True)
    }
    return {known.id: limit, **of_scopes}


def _refusal(of_key: bool, window: _Window, wanted: int = 1) -> RateLimited:
    name, whose = ("key", "This API key") if of_key else ("property", "This property")
    rest = window.rest
    for_batch = f" A batch of {wanted} messages is as many requests." if wanted > 1 else ""
    return RateLimited(
        f"{whose} may make {window.limit} requests a minute.{for_batch} Try again in {rest} s.",
        headers={
            "Retry-After": str(rest),
            "RateLimit-Policy": _policy(name, window),
            "RateLimit": f'"{name}";r={max(0, window.left)};t={rest}',
        },
    )


def _left(key: _Window) -> dict[str, str]:
    return {
        "RateLimit-Policy": _policy("key", key),
        "RateLimit": f'"key";r={max(0, key.limit - key.used) + key.left};t={key.rest}',
    }


def _policy(name: str, window: _Window) -> str:
    return f'"{name}";q={window.limit};w={rate_limits.WINDOW_SECONDS}'


def _remember(cache: dict[bytes, Remembered], hashed: bytes, value: Remembered) -> None:
    """The oldest goes where there are too many."""
    cache.pop(hashed, None)
    cache[hashed] = value
    if len(cache) > MOST_REMEMBERED:
        del cache[next(iter(cache))]


def read_key(request: Request) -> str | None:
    """The key a request of the native API bears, if any."""
    given = request.headers.get("authorization")
    if given is not None:
        kind, _, value = given.partition(" ")
        return value.strip() if kind.lower() == "bearer" else None
    return request.headers.get("x-api-key")
