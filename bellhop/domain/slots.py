"""How many provider calls one process makes at a time: through each account of a property, through each account at a
provider, and in all. Pure: no I/O, and no clock but the one that is given.

A slot is a thread as well: whoever has one makes its call at once. One that answers slowly gets fewer, down to one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

USUAL = 0.2
"""Seconds a call is expected to take before any has been made."""
SMOOTHING = 0.2
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
    """A limit that is halved when calls take longer than `slow` seconds, and grows by one with every round of quick
    ones, up to `most`."""

    most: int
    slow: float
    value: float = field(init=False)
    expected: float = USUAL
    """Seconds a call takes, of late."""
    _cut_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.value = float(self.most)

    @property
    def limit(self) -> int:
        return int(self.value)

    def ended(self, began: float, now: float) -> None:
        """A call that began then is over."""
        took = now - began
        self.expected += SMOOTHING * (took - self.expected)
        if took >= self.slow:
            self.late(began, now)
        else:
            self.value = min(float(self.most), self.value + 1.0 / self.value)

    def late(self, began: float, now: float) -> None:
        """A call that began then takes too long. Of those under way together only the first counts."""
        if began >= self._cut_at:
            self.value = max(1.0, self.value / 2.0)
            self._cut_at = now


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
    most, and each property's account half of that. `slow`: seconds."""

    def __init__(self, threads: int, slow: float, clock: Callable[[], float]) -> None:
        self._threads = threads
        self._slow = slow
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
            or len(account.held) >= account.limit.limit
            or self._identities.get(identity, 0) >= self._most_of_identity
        ):
            return None
        slot = Slot(carrier)
        self._taken += 1
        self._identities[identity] = self._identities.get(identity, 0) + 1
        account.held.append(slot)
        return slot

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
            account = _Account(AdaptiveLimit(self._most_of_account, self._slow))
            self._accounts[carrier.account_id] = account
        return account
