"""May a message go out now? One pure function over what is known of it: nothing else decides.

Whoever asks gathers the facts under the message's lock. Those of the message's own row are given at once; one that
costs a query is looked up when `decide` asks for it, which it does only while everything before allows the message to
go. It does not know who calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bellhop.domain.consents import Effect
from bellhop.domain.failures import FailureCode
from bellhop.domain.quiet_hours import NEVER, Quiet
from bellhop.domain.statuses import Stage


class Way(StrEnum):
    """How a message could go out: what its scope's sender and that sender's account allow."""

    OPEN = "open"
    NO_SENDER = "no_sender"
    """Nobody can carry it: its scope has no sender on the channel any more, or none that can send this content."""
    ACCOUNT_HELD = "account_held"
    """Its sender's account is at fault, and another message is being tried on it."""


class Window(StrEnum):
    """What a channel's window leaves to be sent, where it has one."""

    OPEN = "open"
    """The text as it is."""
    TEMPLATE = "template"
    """The approved template that the message has for this."""
    CLOSED = "closed"
    """Nothing: it has none that is approved."""


WINDOW_MARGIN = 300.0
"""Seconds before a window ends in which it counts as closed: a message takes a while to WhatsApp, whose clock it is."""


def window_open(last: datetime | None, now: datetime, lasts: float) -> bool:
    """Whether a window of `lasts` seconds is open to a guest who wrote last then (None: never)."""
    return last is not None and now < last + timedelta(seconds=lasts - WINDOW_MARGIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one message. The fields that may be None for "not looked up" are the `Lookup`s."""

    stage: Stage
    erased: bool
    """Whether its guest's data is gone, text and address with it."""
    call_open: bool
    """Whether a call of it is under way, or nobody knows yet what became of one."""
    expires_at: datetime | None
    due_at: datetime
    paused: bool
    """Whether its property sends nothing for now."""
    opted_out: bool | None = None
    """Whether its address may not be written to."""
    bounced: bool = False
    """Whether that is because a message to it came back for good, not because the guest said so; with `opted_out`."""
    capped: bool | None = False
    """Whether its guest has had as many of its category as they may."""
    quiet: Quiet | None = NEVER
    """The quiet hours it keeps."""
    stopped: bool = False
    """Whether that is because the guest said STOP, and for no other reason; with `opted_out`."""
    answers_keyword: bool = False
    """Whether it is our one answer to what the guest has just asked for by a keyword, which STOP does not forbid."""
    window: Window | None = Window.OPEN
    way: Way | None = None
    paced: bool | None = None
    """Whether it has to wait for its turn at the sender."""


def with_refusals(facts: Facts, refusals: Collection[Effect]) -> Facts:
    """The same with what stands against the address. A bounce counts only where nothing else does: a guest who wants no
    messages is not asked for another address."""
    kinds = set(refusals)
    return replace(
        facts, opted_out=bool(kinds), bounced=kinds == {Effect.HARD_BOUNCE}, stopped=kinds == {Effect.OPT_OUT}
    )


class Lookup(StrEnum):
    """A fact that costs a query, by its name in `Facts`: wanted before it can be said whether the message may go."""

    OPTED_OUT = "opted_out"
    CAPPED = "capped"
    QUIET = "quiet"
    WINDOW = "window"
    WAY = "way"
    PACED = "paced"


@dataclass(frozen=True, slots=True)
class Send:
    """It may go out now."""


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing is left to send: cancelled, given up, or a provider has all of it."""


@dataclass(frozen=True, slots=True)
class Settle:
    """A call of it is open: what became of that one comes first."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """It never will: there is nothing left of it to send, nor anybody to send it to."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It never will, and its sender is told why."""

    code: FailureCode


class Reason(StrEnum):
    """What a message waits for."""

    NOT_DUE = "not_due"
    PAUSED = "paused"
    NO_SENDER = "no_sender"
    ACCOUNT_HELD = "account_held"
    PACED = "paced"
    QUIET_HOURS = "quiet_hours"
    """That the guest is left alone at this hour: it has its time."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now."""

    reason: Reason
    until: datetime | None = None
    """When it may be asked again; None: nobody knows, so it is parked until somebody releases it."""


Decision = Send | Over | Settle | Cancel | Refuse | Wait


def _over(facts: Facts, _: datetime) -> Over | None:
    return Over() if facts.stage is not Stage.QUEUED else None


def _open_call(facts: Facts, _: datetime) -> Settle | None:
    return Settle() if facts.call_open else None


def _erased(facts: Facts, _: datetime) -> Cancel | None:
    return Cancel() if facts.erased else None


def _expired(facts: Facts, now: datetime) -> Refuse | None:
    return Refuse(FailureCode.EXPIRED) if facts.expires_at is not None and facts.expires_at <= now else None


def _not_due(facts: Facts, now: datetime) -> Wait | None:
    return Wait(Reason.NOT_DUE, facts.due_at) if facts.due_at > now else None


def _paused(facts: Facts, _: datetime) -> Wait | None:
    return Wait(Reason.PAUSED) if facts.paused else None


def _opted_out(facts: Facts, _: datetime) -> Refuse | Lookup | None:
    if facts.opted_out is None:
        return Lookup.OPTED_OUT
    if not facts.opted_out or (facts.answers_keyword and facts.stopped):
        return None
    return Refuse(FailureCode.BOUNCED if facts.bounced else FailureCode.OPTED_OUT)


def _capped(facts: Facts, _: datetime) -> Refuse | Lookup | None:
    if facts.capped is None:
        return Lookup.CAPPED
    return Refuse(FailureCode.FREQUENCY_CAP) if facts.capped else None


def _quiet(facts: Facts, now: datetime) -> Refuse | Wait | Lookup | None:
    if facts.quiet is None:
        return Lookup.QUIET
    until = facts.quiet.over(now)
    if until is None:
        return None
    too_late = facts.expires_at is not None and facts.expires_at <= until
    return Refuse(FailureCode.QUIET_HOURS) if too_late else Wait(Reason.QUIET_HOURS, until)


def _window(facts: Facts, _: datetime) -> Refuse | Lookup | None:
    if facts.window is None:
        return Lookup.WINDOW
    return Refuse(FailureCode.WHATSAPP_TEMPLATE_REQUIRED) if facts.window is Window.CLOSED else None


def _no_way(facts: Facts, _: datetime) -> Wait | Lookup | None:
    if facts.way is None:
        return Lookup.WAY
    return _WAITS_FOR.get(facts.way)


def _paced(facts: Facts, _: datetime) -> Wait | Lookup | None:
    if facts.paced is None:
        return Lookup.PACED
    return Wait(Reason.PACED) if facts.paced else None


_WAITS_FOR = {Way.NO_SENDER: Wait(Reason.NO_SENDER), Way.ACCOUNT_HELD: Wait(Reason.ACCOUNT_HELD)}

RULES: tuple[Callable[[Facts, datetime], Decision | Lookup | None], ...] = (
    _over,
    _open_call,
    _erased,
    _expired,
    _not_due,
    _paused,
    _opted_out,
    _capped,
    _quiet,
    _window,
    _no_way,
    # Last: a turn is taken by whoever asks, and so only for what goes out otherwise.
    _paced,
)
"""In this order: the first that objects decides. What ends a message comes before what delays it."""


def decide(facts: Facts, now: datetime) -> Decision | Lookup:
    """Whether the message may go out at `now`, or the fact to look up before that can be said."""
    return next((said for rule in RULES if (said := rule(facts, now)) is not None), Send())
