"""What an address allows: decided over the set of what was said of it, in the order in which it was said. Pure.

Rules of this file:
- a fact is one thing that was said of an address, by the guest, a provider or an operator, and when;
- a refusal is in force unless a fact that lifts its kind was said after it;
- one that is about marketing binds marketing, and is lifted by what is said of marketing; every other binds everything;
- one binds whatever goes to the address, whichever of our senders it was said to. START takes back what was said to the
  same sender; of what was said to another it lifts what keeps back the messages of the sender it was said to, and no
  more, where the carrier keeps STOP for each sender: that other one is closed still;
- an address may be written to when no refusal that binds is in force. In which order the facts came to be known never
  matters.
It does not know who calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from bellhop.domain.categories import Category
from bellhop.domain.channels import CHANNELS, Channel

ALL: Final = "all"
"""The purpose of a fact that is about everything a property sends."""
MARKETING: Final = "marketing"
"""The purpose of a fact that is about offers and newsletters only."""
PURPOSES: Final = (ALL, MARKETING)
"""What somebody may say something about."""


class Effect(StrEnum):
    """What was said of an address, and by whom."""

    OPT_OUT = "opt_out"
    """The guest said STOP, or took the link that a mail has for it."""
    OPT_IN = "opt_in"
    """The guest said START."""
    UNSUBSCRIBE = "unsubscribe"
    """The guest unsubscribed from everything that comes through a provider's account."""
    GROUP_UNSUBSCRIBE = "group_unsubscribe"
    """The guest unsubscribed from one group of a provider's account."""
    GROUP_RESUBSCRIBE = "group_resubscribe"
    """The guest subscribed to that group again."""
    COMPLAINT = "complaint"
    """The guest called a message spam."""
    HARD_BOUNCE = "hard_bounce"
    """A server said for good that it has no such mailbox, or that it takes nothing for it."""
    PROVIDER_REFUSAL = "provider_refusal"
    """A provider refuses to send there, because somebody said STOP to it (Twilio's 21610)."""
    OPERATOR_OPT_OUT = "operator_opt_out"
    """An operator wrote down that the address wants nothing."""
    OPERATOR_OPT_IN = "operator_opt_in"
    """An operator wrote down that the address may be written to again."""


LIFTED_BY: Mapping[Effect, frozenset[Effect]] = {
    Effect.OPT_OUT: frozenset({Effect.OPT_IN, Effect.OPERATOR_OPT_IN}),
    # START is said to the same number that refuses since STOP was said to it.
    Effect.PROVIDER_REFUSAL: frozenset({Effect.OPT_IN, Effect.OPERATOR_OPT_IN}),
    Effect.GROUP_UNSUBSCRIBE: frozenset({Effect.GROUP_RESUBSCRIBE, Effect.OPERATOR_OPT_IN}),
    # START answers a STOP and nothing more: carriers take a mere "yes" for it.
    Effect.UNSUBSCRIBE: frozenset({Effect.OPERATOR_OPT_IN}),
    Effect.COMPLAINT: frozenset({Effect.OPERATOR_OPT_IN}),
    Effect.HARD_BOUNCE: frozenset({Effect.OPERATOR_OPT_IN}),
    Effect.OPERATOR_OPT_OUT: frozenset({Effect.OPERATOR_OPT_IN}),
}
"""Each refusal, and what lifts it when it is said afterwards."""
OF_A_GROUP = frozenset({Effect.GROUP_UNSUBSCRIBE, Effect.GROUP_RESUBSCRIBE})
"""Effects that are about one group: those of other groups have nothing to do with them."""


class SaidTo(NamedTuple):
    """The sender of ours that something was said to, or of."""

    channel: Channel
    address: str


@dataclass(frozen=True, slots=True)
class ConsentFact:
    """One thing that was said of an address. `id`: sorts by when it came to be known; of what was said at one moment,
    the later counts."""

    id: UUID
    effect: Effect
    occurred_at: datetime
    purpose: str = ALL
    """What it is about: everything, marketing, or one group (`group:…`)."""
    said_to: SaidTo | None = None
    """None: to none of them, or nobody knows to which."""

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where it stands in the order in which things were said."""
        return self.occurred_at, self.id


def lifts(fact: ConsentFact, refusal: ConsentFact, sender: SaidTo | None = None) -> bool:
    """Whether `fact` ends `refusal` for what goes out from `sender`. None: from one to which nothing was said."""
    if fact.effect not in LIFTED_BY.get(refusal.effect, ()) or fact.place <= refusal.place:
        return False
    if MARKETING in (fact.purpose, refusal.purpose) or fact.effect in OF_A_GROUP:
        return fact.purpose == refusal.purpose
    if fact.effect is not Effect.OPT_IN or not _kept_by_sender(refusal) or fact.said_to is None:
        return True
    return fact.said_to in (refusal.said_to, sender)


def _kept_by_sender(refusal: ConsentFact) -> bool:
    return refusal.said_to is not None and CHANNELS[refusal.said_to.channel].stops_by_sender


def in_force(facts: Iterable[ConsentFact], sender: SaidTo | None = None) -> list[ConsentFact]:
    """The refusals that hold for what goes out from `sender` (None: from any to which nothing was said), the one said
    last first. Of facts of one effect, purpose and sender the last one suffices."""
    known = list(facts)
    refusals = (fact for fact in known if fact.effect in LIFTED_BY)
    holding = [refusal for refusal in refusals if not any(lifts(fact, refusal, sender) for fact in known)]
    return sorted(holding, key=lambda fact: fact.place, reverse=True)


def binding(facts: Iterable[ConsentFact], category: Category, sender: SaidTo | None = None) -> list[ConsentFact]:
    """Those of the refusals in force that keep back messages of a category, the one said last first."""
    return [fact for fact in in_force(facts, sender) if fact.purpose != MARKETING or category is Category.MARKETING]


def reopened(facts: Iterable[ConsentFact], category: Category) -> list[SaidTo]:
    """Where messages of a category are kept back: the senders to which the guest said START since, and from which they
    go out all the same."""
    known = list(facts)
    if not binding(known, category):
        return []
    started = {fact.said_to for fact in known if fact.effect is Effect.OPT_IN and fact.said_to is not None}
    return sorted(sender for sender in started if not binding(known, category, sender))


def allowed(facts: Iterable[ConsentFact], category: Category = Category.TRANSACTIONAL) -> bool:
    """Whether messages of a category may go to the address of which these things were said."""
    return not binding(facts, category)
