"""Which guest is reading: the tokens of sessions, looked up by their hash and remembered for a moment, and what one
session may ask for."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from starlette.requests import Request

from api.admission import Admission
from api.auth import LOOKUPS, MOST_REMEMBERED, REMEMBERED, read_key
from api.buckets import Buckets, source
from api.cors import origin_of
from api.problems import OriginNotAllowed, RateLimited, SessionOver
from bellhop.domain import session_tokens
from bellhop.domain.ids import Prefix, render
from bellhop.domain.keys import digest
from bellhop.domain.rows.inbox import OpenSession
from bellhop.engine.inbox import open_session
from bellhop.store.database import Database

BURST, RATE = 60.0, 5.0
"""Requests of one session at once, and a second after that."""
SENDS_BURST, SENDS_RATE = 20.0, 0.5
"""Messages that one guest, in whatever session, sends at once, and a second after that."""
FILES_BURST, FILES_RATE = 10.0, 1 / 60
"""The same of messages with a file."""
STRANGERS_BURST, STRANGERS_RATE = 60.0, 2.0
"""Tokens that open nothing which an address may try at once, and a second after that."""


@dataclass(slots=True)
class GuestAuthenticator:
    """Finds the sessions that tokens open. One per process."""

    database: Database
    _known: dict[bytes, tuple[float, OpenSession]] = field(default_factory=dict)
    _strangers: Buckets = field(default_factory=lambda: Buckets(STRANGERS_BURST, STRANGERS_RATE))
    _requests: Buckets = field(default_factory=lambda: Buckets(BURST, RATE))
    _sends: Buckets = field(default_factory=lambda: Buckets(SENDS_BURST, SENDS_RATE))
    _files: Buckets = field(default_factory=lambda: Buckets(FILES_BURST, FILES_RATE))
    _lookups: Admission = field(default_factory=lambda: Admission(LOOKUPS))

    async def authenticate(self, request: Request) -> OpenSession:
        """The session behind a request's token, one request taken off what it may ask for. Raises SessionOver,
        OriginNotAllowed, RateLimited, Overloaded."""
        hashed = _hash_of(request)
        session = await self._find(request, hashed)
        request.scope["bellhop.key"] = render(Prefix.SESSION, session.id)
        origin = origin_of(request.scope)
        if origin is not None and origin not in session.origins and not _own(request, origin):
            request.scope["bellhop.origin_refused"] = True
            raise OriginNotAllowed
        self._limit(self._requests, session.id, "This session asks too often.")
        self._requests.take(session.id)
        return session

    def sends(self, session: OpenSession) -> None:
        """One message taken off what the guest may send. Raises RateLimited."""
        self._limit(self._sends, session.guest_id, "This guest sends too many messages.")
        self._sends.take(session.guest_id)

    def sends_file(self, session: OpenSession) -> None:
        """The same of a message with a file. Raises RateLimited."""
        self._limit(self._files, session.guest_id, "This guest sends too many files.")
        self._files.take(session.guest_id)

    async def again(self, request: Request) -> OpenSession:
        """The same session as it is now, whatever is remembered of it. Raises SessionOver."""
        hashed = _hash_of(request)
        self._known.pop(hashed, None)
        return await self._find(request, hashed)

    def forget(self, hashes: Iterable[bytes]) -> None:
        """Sessions were revoked: this process stops believing in them at once."""
        for hashed in hashes:
            self._known.pop(hashed, None)

    async def _find(self, request: Request, hashed: bytes) -> OpenSession:
        now = time.monotonic()
        remembered = self._known.get(hashed)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        address = source(request)
        self._limit(self._strangers, address, "From this address came too many tokens that open no session.")
        await self._lookups.enter()
        try:
            found = await open_session(self.database, hashed)
        finally:
            self._lookups.leave()
        self._known.pop(hashed, None)
        if found is None:
            self._strangers.take(address)
            raise SessionOver
        self._known[hashed] = (now + min(REMEMBERED, found.left), found)
        if len(self._known) > MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        return found

    def _limit(self, buckets: Buckets, key: Hashable, sentence: str) -> None:
        wait = buckets.wait(key)
        if wait > 0:
            rest = max(1, math.ceil(wait))
            raise RateLimited(f"{sentence} Try again in {rest} s.", headers={"Retry-After": str(rest)})


def _hash_of(request: Request) -> bytes:
    # In a header and nowhere else: addresses are logged by every proxy on the way.
    raw = read_key(request)
    if raw is None or not session_tokens.plausible(raw):
        raise SessionOver
    return digest(raw)


def _own(request: Request, origin: str) -> bool:
    """Whether a page asks that came from where the API is."""
    return origin == f"{request.url.scheme}://{request.url.netloc}"
