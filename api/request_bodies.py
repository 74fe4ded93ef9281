"""The bodies of requests: read whole when a route asks for them, bounded in size, time and in what all of them hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

from starlette.types import Message, Receive, Scope

from api.problems import Busy, TooLarge, TooLate

DISCARDED = 16 * 1024 * 1024
DISCARD_SECONDS = 2.0
SHARE = 4
"""One caller's bodies hold at most this fraction of what all may hold."""


class CallerGone(Exception):
    """The caller went away before the whole request had come."""


class Budget:
    """What the bodies of one process hold. One per process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._of: Counter[str] = Counter()

    def take(self, caller: str, size: int) -> bool:
        """Whether `size` bytes more of this caller's may be held."""
        if self._held + size > self._most or self._of[caller] + size > self._most // SHARE:
            return False
        self._held += size
        self._of[caller] += size
        return True

    def give_back(self, caller: str, size: int) -> None:
        """So many are held no more."""
        self._held -= size
        self._of[caller] -= size
        if not self._of[caller]:
            del self._of[caller]


class Body:
    """`receive` of one request, with its body in one piece. Nothing of it is read before it is asked for."""

    __slots__ = (
        "_asked", "_budget", "_caller", "_expects", "_held", "_receive", "_there", "_timeout", "announced", "limit",
    )  # fmt: skip

    def __init__(
        self, scope: Scope, receive: Receive, *, limit: int, timeout: float, budget: Budget, caller: str
    ) -> None:
        """`caller`: whose share of the budget it takes."""
        self._receive = receive
        self.limit, self._timeout = limit, timeout
        self._budget, self._caller = budget, caller
        self._held = 0
        self._asked = self._there = self._expects = False
        self.announced = 0
        """The size the request says it has; 0 where it does not say."""
        for name, value in scope["headers"]:
            if name == b"content-length":
                self._there, self.announced = True, int(value) if value.isdigit() else 0
            elif name == b"transfer-encoding":
                self._there = True
            elif name == b"expect":
                self._expects = True

    @property
    def will_not_come(self) -> bool:
        """A caller who waits to be told to send it was not: nobody knows what comes next on this connection."""
        return self._there and self._expects and not self._asked

    async def __call__(self) -> Message:
        """The next message. Raises TooLarge, TooLate, Busy and CallerGone while the body is read."""
        if self._asked:
            return await self._receive()
        self._asked = True
        return {"type": "http.request", "body": await self._whole(), "more_body": False}

    async def refuse(self) -> TooLarge:
        """What to answer to a body that is larger than it may be."""
        self._asked = True
        await self._discard()
        return TooLarge(f"The request body is larger than {self.limit} bytes.", headers={"Connection": "close"})

    def release(self) -> None:
        """The body is needed no more. Safe to call twice."""
        if self._held:
            self._budget.give_back(self._caller, self._held)
            self._held = 0

    async def _whole(self) -> bytes:
        if not self._there:
            return await self._rest()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._rest()
        except TimeoutError:
            raise TooLate(
                f"The request's body took longer than {self._timeout:g} s.", headers={"Connection": "close"}
            ) from None

    async def _rest(self) -> bytes:
        # One buffer, not a list: a body may come in a million pieces.
        taken = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerGone
            part: bytes = message.get("body", b"")
            whole = not message.get("more_body")
            if len(taken) + len(part) > self.limit:
                raise await self.refuse()
            if part:
                if not self._budget.take(self._caller, len(part)):
                    await self._discard()
                    raise Busy("The bodies of too many requests are held just now. Nothing was done; try again.")
                self._held += len(part)
            if whole and not taken:
                return part
            taken += part
            if whole:
                return bytes(taken)

    async def _discard(self) -> None:
        """Let a client finish what it is sending, within reason: closed on first, it would read no answer."""
        if self._expects:
            return
        taken = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                while taken < DISCARDED:
                    message = await self._receive()
                    taken += len(message.get("body", b""))
                    if not message.get("more_body"):
                        return


class StreamedBody(Body):
    """A body that is passed on piece by piece, and never held: for files."""

    __slots__ = ("_end", "_taken")

    def __init__(
        self, scope: Scope, receive: Receive, *, limit: int, timeout: float, budget: Budget, caller: str
    ) -> None:
        super().__init__(scope, receive, limit=limit, timeout=timeout, budget=budget, caller=caller)
        self._end: float | None = None
        self._taken = 0

    async def __call__(self) -> Message:
        """The next piece. Raises TooLarge, TooLate and CallerGone."""
        self._asked = True
        if self._end is None:
            self._end = asyncio.get_running_loop().time() + self._timeout
        try:
            async with asyncio.timeout_at(self._end):
                message = await self._receive()
        except TimeoutError:
            raise TooLate(
                f"The request's body took longer than {self._timeout:g} s.", headers={"Connection": "close"}
            ) from None
        if message["type"] == "http.disconnect":
            raise CallerGone
        self._taken += len(message.get("body", b""))
        if self._taken > self.limit:
            raise await self.refuse()
        return message
