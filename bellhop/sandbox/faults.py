"""Faults: what can be made to go wrong with the next calls and callbacks. The kinds are one table with one reader."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import socket_faults
from bellhop.sandbox.providers import ProviderName
from bellhop.sandbox.scenarios import CALLBACK_KINDS, CallbackEffect


@dataclass(frozen=True, slots=True)
class CallKind:
    """What happens to one call: wait, accept or not, wait, end."""

    says: str
    accepts: bool
    end: Literal["answer", "error", "hang", "reset"]
    status: int = 0
    before: float = 0.0
    lingers: float = 0.0


CALL_KINDS: dict[str, CallKind] = {
    "slow": CallKind("waits `delay` seconds (3), then does as asked", True, "answer", before=3),
    "rate_limit": CallKind("429 with Retry-After `retry_after` (1); not accepted", False, "error", 429),
    "auth": CallKind("401, as with wrong credentials; not accepted", False, "error", 401),
    "error": CallKind("`status` (400) and the provider's `code`; not accepted", False, "error", 400),
    "unavailable": CallKind("`status` (503); not accepted", False, "error", 503),
    "hang": CallKind("never answers; not accepted", False, "hang"),
    "reset": CallKind("the TCP connection is reset; not accepted", False, "reset"),
    "accept_then_slow": CallKind("accepted at once, answered after `delay` seconds (3)", True, "answer", lingers=3),
    "accept_then_error": CallKind("accepted, but answers `status` (500)", True, "error", 500),
    "accept_then_hang": CallKind("accepted, but never answers", True, "hang"),
    "accept_then_reset": CallKind("accepted, then the TCP connection is reset", True, "reset"),
}

CALLBACK_TEXTS = {
    "callback_drop": "the message's callbacks never come",
    "callback_repeat": "each callback comes `times` times (3)",
    "callback_delay": "each callback comes `delay` seconds late (10)",
    "callback_reorder": "the callbacks come in reverse order",
}

SERVER_TEXTS = {"refuse": "the port is closed for `seconds` (5): connections are refused, open ones reset"}

KINDS: dict[str, str] = {**{kind: row.says for kind, row in CALL_KINDS.items()}, **CALLBACK_TEXTS, **SERVER_TEXTS}


class UnknownKind(Exception):
    """There is no fault of that kind."""


class FaultRequest(BaseModel):
    """The body of `POST /_sandbox/faults`."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(description="one of the kinds `GET /_sandbox/faults` lists")
    provider: ProviderName | None = Field(default=None, description="all, if left out")
    to: str | None = Field(default=None, description="only messages to this number or address")
    calls: Literal["send", "lookup", "any"] = Field(default="send", description="which calls (look-ups are GETs)")
    count: int | None = Field(default=None, ge=1, description="how many; 1 unless `seconds` is given")
    seconds: float | None = Field(default=None, gt=0, description="for how long from now on")
    delay: float | None = Field(default=None, ge=0, description="seconds")
    status: int | None = Field(default=None, ge=400, le=599, description="HTTP status to answer")
    code: int | None = Field(default=None, description="the provider's error code to answer")
    message: str | None = Field(default=None, description="error text to answer")
    body: str | None = Field(default=None, description="answer this text instead of the provider's JSON")
    retry_after: float | None = Field(default=None, ge=0, description="seconds; sent as a Retry-After header")
    times: int | None = Field(default=None, ge=1, le=10_000, description="how often each callback comes")


@dataclass(slots=True)
class Fault:
    """A fault in force: what was asked for, and what is left of it."""

    id: int
    asked: FaultRequest
    left: int | None
    until: float | None

    def matches(self, kinds: object, provider: str, calls: str, recipients: list[str]) -> bool:
        asked = self.asked
        return (
            asked.kind in kinds  # type: ignore[operator]
            and asked.provider in (None, provider)
            and asked.calls in ("any", calls)
            and (asked.to is None or asked.to.casefold() in recipients)
        )


class Faults:
    """The faults in force, oldest first; each call and each accepted message uses up at most one of a sort."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, asked: FaultRequest) -> Fault:
        """Raises UnknownKind. `refuse` is the server's business and not kept here."""
        if asked.kind not in KINDS:
            raise UnknownKind(asked.kind)
        left = asked.count if asked.count or asked.seconds else 1
        fault = Fault(next(self._ids), asked, left, time.time() + asked.seconds if asked.seconds else None)
        if asked.kind not in SERVER_TEXTS:
            self._faults.append(fault)
        return fault

    def in_force(self) -> list[Fault]:
        now = time.time()
        self._faults = [f for f in self._faults if f.left != 0 and (f.until is None or f.until > now)]
        return self._faults

    def clear(self) -> None:
        self._faults.clear()

    def _take(self, kinds: object, provider: str, calls: str, recipients: list[str]) -> FaultRequest | None:
        if not self._faults:
            return None
        folded = [recipient.casefold() for recipient in recipients]
        for fault in self.in_force():
            if fault.matches(kinds, provider, calls, folded):
                if fault.left is not None:
                    fault.left -= 1
                return fault.asked
        return None

    def for_call(self, provider: str, calls: str, recipients: list[str]) -> FaultRequest | None:
        """The fault the next call meets, used up by asking."""
        return self._take(CALL_KINDS, provider, calls, recipients)

    def for_callbacks(self, provider: str, recipient: str) -> CallbackEffect | None:
        """How the callbacks of one accepted message are disturbed, used up by asking."""
        asked = self._take(CALLBACK_KINDS, provider, "send", [recipient])
        return callback_effect(asked) if asked else None


def callback_effect(asked: FaultRequest) -> CallbackEffect:
    given = {"delay": asked.delay, "times": asked.times}
    return CallbackEffect(asked.kind, **{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]


Refuse = Callable[[FaultRequest, int], Response]


async def through(
    asked: FaultRequest | None, request: Request, accept: Callable[[], Response], refuse: Refuse
) -> Response:
    """Make a call meet its fault, if it has one. `refuse` renders the provider's error for a fault and a status."""
    if asked is None:
        return accept()
    kind = CALL_KINDS[asked.kind]
    request.state.record["fault"] = asked.kind
    await asyncio.sleep(asked.delay if kind.before and asked.delay is not None else kind.before)
    if kind.accepts:
        answer = accept()
        if answer.status_code >= 400:  # wrong in itself, so there is nothing to lose the answer to
            return answer
        await asyncio.sleep(asked.delay if kind.lingers and asked.delay is not None else kind.lingers)
        if kind.end == "answer":
            return answer
    return await _ENDS[kind.end](asked, asked.status or kind.status, request, refuse)


def unanswered() -> Response:
    """There is nobody left to read it; the header says so to the log of calls."""
    return Response(status_code=503, headers={"x-sandbox-unanswered": "1"})


async def _error(asked: FaultRequest, status: int, request: Request, refuse: Refuse) -> Response:
    answer = Response(asked.body, status, media_type="text/html") if asked.body is not None else refuse(asked, status)
    if status == 429 or asked.retry_after is not None:
        answer.headers["Retry-After"] = f"{1 if asked.retry_after is None else asked.retry_after:g}"
    return answer


async def _hang(asked: FaultRequest, status: int, request: Request, refuse: Refuse) -> Response:
    await socket_faults.until_gone(request)
    return unanswered()


async def _reset(asked: FaultRequest, status: int, request: Request, refuse: Refuse) -> Response:
    await socket_faults.reset(request)
    return unanswered()


_ENDS: dict[str, Callable[[FaultRequest, int, Request, Refuse], Awaitable[Response]]] = {
    "error": _error,
    "hang": _hang,
    "reset": _reset,
}
