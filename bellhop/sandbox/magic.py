"""Magic recipients: addresses that make something happen to every message sent to them.

A table for each simulator, one reader. A row names a fault kind, or the error a call is refused with, or the words that
follow acceptance. The rows of fault kinds are here, for every simulator of numbers or of mailboxes; a simulator's table
adds its own. E-mail: any domain, and `bounce+room7@…` is `bounce` too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.scenarios import Step


@dataclass(frozen=True, slots=True)
class Magic:
    """One row: the number or local part, what happens in a sentence, and how."""

    address: str
    says: str
    fault: str | None = None
    refused: int | None = None
    steps: tuple[Step, ...] | None = None

    @property
    def asked(self) -> FaultRequest | None:
        return FaultRequest(kind=self.fault) if self.fault else None


Kind = Literal["numbers", "mailboxes", "devices", "hexadecimal"]

_KEYS: dict[Kind, Callable[[str], str]] = {
    # `whatsapp:` and the like aside.
    "numbers": lambda address: address.rpartition(":")[2],
    "mailboxes": lambda address: address.partition("@")[0].partition("+")[0].casefold(),
    "devices": lambda token: token,
    "hexadecimal": lambda token: token.lower(),
}


def hexadecimal(word: str) -> str:
    """A word as a token of Apple's, which has no other letters."""
    return word.encode().hex()


@dataclass(frozen=True)
class MagicTable:
    """The rows of one simulator; those of a fault kind come with `kind`, unless an address is among `own`."""

    kind: Kind
    own: tuple[Magic, ...] = ()
    _by_address: dict[str, Magic] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shared = {row.address: row for row in FAULTS[self.kind]}
        object.__setattr__(self, "_by_address", shared | {row.address: row for row in self.own})

    @property
    def rows(self) -> tuple[Magic, ...]:
        return tuple(self._by_address.values())

    def lookup(self, address: str) -> Magic | None:
        """The row of an address, if it is magic."""
        return self._by_address.get(_KEYS[self.kind](address))

    @staticmethod
    def shown(kind: Kind, address: str) -> str:
        """As people write it."""
        return f"{address}@" if kind == "mailboxes" else address


FAULTS: dict[Kind, tuple[Magic, ...]] = {
    "numbers": (
        Magic("+13055559001", "slow: answers after 3 s", "slow"),
        Magic("+13055559002", "hang: never answers, not accepted", "hang"),
        Magic("+13055559003", "reset: connection reset, not accepted", "reset"),
        Magic("+13055559004", "unavailable: 503, not accepted", "unavailable"),
        Magic("+13055559005", "rate_limit: 429, not accepted", "rate_limit"),
        Magic("+13055559011", "accept_then_error: accepted, answers 500", "accept_then_error"),
        Magic("+13055559012", "accept_then_hang: accepted, never answers", "accept_then_hang"),
        Magic("+13055559013", "accept_then_reset: accepted, connection reset", "accept_then_reset"),
        Magic("+13055559014", "accept_then_slow: accepted, answers after 3 s", "accept_then_slow"),
        Magic("+13055559021", "callback_drop: delivered, but no callbacks", "callback_drop"),
        Magic("+13055559022", "callback_repeat: each callback three times", "callback_repeat"),
        Magic("+13055559023", "callback_delay: callbacks 10 s late", "callback_delay"),
        Magic("+13055559024", "callback_reorder: the last callback first", "callback_reorder"),
    ),
    "mailboxes": (
        Magic("slow", "slow: answers after 3 s", "slow"),
        Magic("hang", "hang: never answers, not accepted", "hang"),
        Magic("reset", "reset: connection reset, not accepted", "reset"),
        Magic("unavailable", "unavailable: 503, not accepted", "unavailable"),
        Magic("ratelimit", "rate_limit: 429, not accepted", "rate_limit"),
        Magic("accept-error", "accept_then_error: accepted, answers 500", "accept_then_error"),
        Magic("accept-hang", "accept_then_hang: accepted, never answers", "accept_then_hang"),
        Magic("accept-reset", "accept_then_reset: accepted, connection reset", "accept_then_reset"),
        Magic("accept-slow", "accept_then_slow: accepted, answers after 3 s", "accept_then_slow"),
        Magic("dropevents", "callback_drop: delivered and opened, but no events", "callback_drop"),
        Magic("repeatevents", "callback_repeat: each event three times", "callback_repeat"),
        Magic("delayevents", "callback_delay: events 10 s late", "callback_delay"),
        Magic("reorderevents", "callback_reorder: the last event first", "callback_reorder"),
    ),
    "devices": (
        Magic("sandbox:slow", "slow: answers after 3 s", "slow"),
        Magic("sandbox:hang", "hang: never answers, not accepted", "hang"),
        Magic("sandbox:reset", "reset: connection reset, not accepted", "reset"),
        Magic("sandbox:unavailable", "unavailable: 503, not accepted", "unavailable"),
        Magic("sandbox:rate-limit", "rate_limit: 429, not accepted", "rate_limit"),
        Magic("sandbox:accept-error", "accept_then_error: accepted, answers 500", "accept_then_error"),
        Magic("sandbox:accept-hang", "accept_then_hang: accepted, never answers", "accept_then_hang"),
        Magic("sandbox:accept-reset", "accept_then_reset: accepted, connection reset", "accept_then_reset"),
        Magic("sandbox:accept-slow", "accept_then_slow: accepted, answers after 3 s", "accept_then_slow"),
    ),
}
FAULTS["hexadecimal"] = tuple(replace(row, address=hexadecimal(row.address)) for row in FAULTS["devices"])
