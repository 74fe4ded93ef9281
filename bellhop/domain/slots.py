"""How many provider calls one process makes at a time: through each account of a property, through each account at a
provider, and in all. Pure: no I/O, and no clock but the one that is given.

A slot is a thread as well: whoever has one makes its call at once. By Little's law an account has as many under way as
it makes calls a second, times the seconds of a call; this bounds how many. A quick one may have more than its share
while others have room; one that answers slowly has what it needs at its pace, of its share; one that hangs gets fewer,
down to one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

USUAL = 0.2
"""Seconds a call is expected to take before any has been made."""
SMOOTHING = 0.2
HANGS = 8.0
"""Seconds: a call that takes longer is not taken for answered."""
OF_LATE = 10.0
"""Seconds over which it is averaged how many calls of an account are under way that are answered."""
HEADROOM = 1.5
"""So many times that average may be under way."""
LONGEST_TURN = 60.0
"""Seconds: who would have to wait longer for its turn asks again then, as much may change meanwhile."""
ASKED_A_SECOND = 20.0
"""So many of those ask again, of one account: the more wait, the later."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Through whom a call goes: a property's account at a provider. Several properties may share an `identity`."""

    environment: str
    provider: str
    identity: str
    account_id: UUID


@dataclass(slots=True)
class Slot:
    """Leave to make one call at a time."""

    carrier: Carrier
    since: float | None = None
    """When the call began that is made with it now."""


@dataclass(slots=True)
class AdaptiveLimit:
    """A limit that is halved when calls take longer than `slow` seconds, but not below what their pace needs as long as
    they are answered (within `hangs` seconds), and grows by one with every round of quick ones, up to `most`."""

    most: int
    slow: float
    hangs: float = HANGS
    value: float = field(init=False)
    expected: float = USUAL
    """Seconds a call takes, of late."""
    _cut_at: float = float("-inf")
    _answered: float = 0.0
    """Seconds that answered calls took, each forgotten within OF_LATE or so."""
    _answered_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.value = float(self.most)

    @property
    def limit(self) -> int:
        return int(self.value)

    def ended(self, began: float, now: float) -> None:
        """A call that began then is over."""
        took = now - began
        self.expected += SMOOTHING * (took - self.expected)
        if took < self.hangs:
            self._answered, self._answered_at = OF_LATE * self.under_way(now) + took, now
        if took >= self.slow:
            self.late(began, now)
        else:
            self.value = min(float(self.most), self.value + 1.0 / self.value)

    def late(self, began: float, now: float) -> None:
        """A call that began then takes too long. Of those under way together only the first counts."""
        if began >= self._cut_at:
            self.value = min(float(self.most), max(1.0, self.value / 2.0, HEADROOM * self.under_way(now)))
            self._cut_at = now

    def under_way(self, now: float) -> float:
        """How many calls that are answered were under way on the average, of late: their pace times what they take."""
        return self._answered * math.exp((self._answered_at - now) / OF_LATE) / OF_LATE


@dataclass(slots=True)
class _Account:
    limit: AdaptiveLimit
    held: list[Slot] = field(default_factory=list)
    promised: float = 0.0
    asks_at: float = 0.0

    def oldest(self, now: float) -> float:
        """When the first of the calls under way began; `now`: there is none."""
        return min((slot.since for slot in self.held if slot.since is not None), default=now)


class Slots:
    """Those of one environment. `threads`: calls at a time in all; an account at a provider gets two thirds of them at
    most, and each property's account a third; while another third is free one that is quick gets up to half. `slow`:
    seconds; `hangs`: seconds from which on a call is not taken for answered."""

    def __init__(self, threads: int, slow: float, clock: Callable[[], float], hangs: float = HANGS) -> None:
        self._threads = threads
        self._slow = slow
        self._hangs = hangs
        self._clock = clock
        self._most_of_identity = max(1, 2 * threads // 3)
        self._most_of_account = max(1, threads // 3)
        self._accounts: dict[UUID, _Account] = {}
        self._identities: dict[tuple[str, str], int] = {}
        self._taken = 0

    def take(self, carrier: Carrier) -> Slot | None:
        """A slot for a call through this account; None: there is none now."""
        account = self._account(carrier)
        now = self._clock()
        oldest = account.oldest(now)
        if now - oldest >= self._slow:
            account.limit.late(oldest, now)
        identity = (carrier.provider, carrier.identity)
        if (
            self._taken >= self._threads
            or (len(account.held) >= account.limit.limit and not self._lends(account))
            or self._identities.get(identity, 0) >= self._most_of_identity
        ):
            return None
        slot = Slot(carrier)
        self._taken += 1
        self._identities[identity] = self._identities.get(identity, 0) + 1
        account.held.append(slot)
        return slot

    def _lends(self, account: _Account) -> bool:
        """Whether an account that has its share gets one more: a quick one, as long as a third is free for others."""
        return (
            account.limit.limit >= self._most_of_account
            and len(account.held) < self._threads // 2
            and self._taken < self._threads - self._most_of_account
        )

    def begins(self, slot: Slot) -> None:
        """A call is made with it."""
        slot.since = self._clock()

    def ends(self, slot: Slot) -> None:
        """That call is over."""
        assert slot.since is not None, "it has begun"
        self._account(slot.carrier).limit.ended(slot.since, self._clock())
        slot.since = None

    def give_back(self, slot: Slot) -> None:
        """It is needed no longer."""
        self._account(slot.carrier).held.remove(slot)
        self._taken -= 1
        identity = (slot.carrier.provider, slot.carrier.identity)
        self._identities[identity] -= 1
        if not self._identities[identity]:
            del self._identities[identity]

    def turn(self, carrier: Carrier) -> float:
        """In how many seconds one that found no slot should ask again: each later than the one before it, by what a
        call takes, so that none asks for nothing many times."""
        account, now = self._account(carrier), self._clock()
        each = max(account.limit.expected, now - account.oldest(now)) / account.limit.limit
        turn = max(now, account.promised) + each
        if turn - now <= LONGEST_TURN:
            account.promised = turn
            return turn - now
        account.asks_at = max(account.asks_at, now + LONGEST_TURN) + 1.0 / ASKED_A_SECOND
        return account.asks_at - now

    def limit(self, carrier: Carrier) -> int:
        """How many slots this account may have now."""
        return self._account(carrier).limit.limit

    def _account(self, carrier: Carrier) -> _Account:
        account = self._accounts.get(carrier.account_id)
        if account is None:
            account = _Account(AdaptiveLimit(self._most_of_account, self._slow, self._hangs))
            self._accounts[carrier.account_id] = account
        return account
