"""How a message's state follows from what is known about it.

Rules of this file:
- a stage is a fact; a message's stage is the highest fact known, so the order in which facts arrive never matters;
- two facts are our own decisions (cancelled, gave_up), the others are a provider's word about one part;
- the public status is read off the stage; the events are the stages passed on the way, each at most once.
It does not know who calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from bellhop.domain.channels import ChannelRules


class Status(StrEnum):
    """The public word for where a message is."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """One fact about a message or about one of its parts."""

    QUEUED = "queued"
    """Accepted by Bellhop; no provider has it."""
    CANCELLED = "cancelled"
    """The property withdrew it before any provider had it. Our decision."""
    GAVE_UP = "gave_up"
    """It will not be sent, or nobody can know whether it was (`outcome_unknown`). Our decision."""
    SENT = "sent"
    """A provider accepted it."""
    UNDELIVERED = "undelivered"
    """A provider accepted it and then reported that it did not arrive."""
    DELIVERED = "delivered"
    """The provider confirmed that it arrived."""
    READ = "read"
    """The guest opened it."""


RANK: dict[Stage, int] = {
    Stage.QUEUED: 0,
    # Decisions stand below every word of a provider: we decide only while no provider is known to have the message,
    # so proof that one has it after all (a late receipt after `outcome_unknown`) corrects the decision.
    Stage.CANCELLED: 10,
    Stage.GAVE_UP: 11,
    Stage.SENT: 20,
    # Above sent: a failure after acceptance is news. Below delivered: a carrier's late "delivered" is the stronger
    # evidence, since a handset cannot confirm what it did not get.
    Stage.UNDELIVERED: 30,
    Stage.DELIVERED: 40,
    Stage.READ: 50,
}
"""Where `delivered` is final (`ChannelRules.delivered_is_final`)."""

RANK_WHERE_TAKEN: dict[Stage, int] = {
    **RANK,
    # Delivered only means that the guest's server took it: that it came back afterwards is the stronger evidence. What
    # was opened has arrived all the same.
    Stage.UNDELIVERED: 45,
}
"""Where `delivered` is not final."""

RANK_OF_ANY: dict[Stage, int] = {
    **RANK,
    # One device that has it is enough, so a failure of one says less than that another provider took it.
    Stage.UNDELIVERED: 15,
}
"""Where one part is enough (`ChannelRules.any_part`)."""

STATUS: dict[Stage, Status] = {
    Stage.QUEUED: Status.QUEUED,
    Stage.CANCELLED: Status.CANCELLED,
    Stage.GAVE_UP: Status.FAILED,
    Stage.SENT: Status.SENT,
    Stage.UNDELIVERED: Status.FAILED,
    Stage.DELIVERED: Status.DELIVERED,
    Stage.READ: Status.READ,
}

PASSES: dict[Stage, tuple[Stage, ...]] = {
    Stage.QUEUED: (),
    Stage.CANCELLED: (Stage.CANCELLED,),
    Stage.GAVE_UP: (Stage.GAVE_UP,),
    Stage.SENT: (Stage.SENT,),
    # A receipt that skips stages tells the skipped ones too, in order.
    Stage.UNDELIVERED: (Stage.SENT, Stage.UNDELIVERED),
    Stage.DELIVERED: (Stage.SENT, Stage.DELIVERED),
    Stage.READ: (Stage.SENT, Stage.DELIVERED, Stage.READ),
}
"""Stage reached → the stages told on the way to it, in order."""

ODD_EDGES: dict[tuple[Stage, Stage], str] = {
    (Stage.GAVE_UP, Stage.SENT): "A provider's late word that it has the message corrects `outcome_unknown`.",
    (Stage.GAVE_UP, Stage.UNDELIVERED): "The message had gone out after all, and failed for the reason now given.",
    (Stage.GAVE_UP, Stage.DELIVERED): "A late receipt proves that the message arrived although we had given it up.",
    (Stage.GAVE_UP, Stage.READ): "The guest opened what we had given up: it arrived.",
    (Stage.CANCELLED, Stage.GAVE_UP): "Its guest was erased while a provider was being called, which then refused it.",
    (Stage.CANCELLED, Stage.SENT): "Cancelled while an earlier attempt counted as not sent; the provider had it.",
    (Stage.CANCELLED, Stage.UNDELIVERED): "As above, and then it failed.",
    (Stage.CANCELLED, Stage.DELIVERED): "As above, and it arrived: saying so is better than a comfortable lie.",
    (Stage.CANCELLED, Stage.READ): "As above, and it was opened.",
    (Stage.UNDELIVERED, Stage.DELIVERED): "A carrier's late delivery report beats its earlier failure.",
    (Stage.UNDELIVERED, Stage.READ): "Opened, therefore delivered, whatever was reported before.",
}
"""Upward edges that surprise, and why each is right."""

ODD_EDGES_WHERE_TAKEN: dict[tuple[Stage, Stage], str] = {
    **{edge: why for edge, why in ODD_EDGES.items() if edge != (Stage.UNDELIVERED, Stage.DELIVERED)},
    (Stage.DELIVERED, Stage.UNDELIVERED): "A server took it, and later reported that it could not hand it on.",
}
"""The same where `delivered` is not final."""

ODD_EDGES_OF_ANY: dict[tuple[Stage, Stage], str] = {
    **ODD_EDGES,
    (Stage.UNDELIVERED, Stage.SENT): "A provider has it for another device after all.",
}
"""The same where one part is enough."""


def odd_edges(rules: ChannelRules) -> Mapping[tuple[Stage, Stage], str]:
    """Those on a channel with these rules."""
    if rules.any_part:
        return ODD_EDGES_OF_ANY
    return ODD_EDGES if rules.delivered_is_final else ODD_EDGES_WHERE_TAKEN


def ranks(rules: ChannelRules) -> Mapping[Stage, int]:
    """How strong each fact is on a channel with these rules."""
    if rules.any_part:
        return RANK_OF_ANY
    return RANK if rules.delivered_is_final else RANK_WHERE_TAKEN


def higher(one: Stage, other: Stage, rules: ChannelRules) -> Stage:
    """The stronger of two facts."""
    rank = ranks(rules)
    return one if rank[one] >= rank[other] else other


def of_parts(parts: Iterable[Stage]) -> Stage:
    """The stage of a message sent in parts: what its slowest part has reached.

    So a part that failed makes the message fail once the others are settled, and not before: a late "delivered" of the
    same part may still come, and a message that fails at once and then un-fails would depend on the order of receipts.
    """
    return min(parts, key=RANK.__getitem__, default=Stage.QUEUED)


def of_any(decision: Stage, parts: Iterable[Stage]) -> Stage:
    """The stage of a message of which one part is enough: what the part that got furthest has reached. `decision` is
    about those that nothing is known of.

    While one of these is left the message waits, unless another has arrived: then the guest has it, and no more is
    sent. It has failed when all of its parts have.
    """
    known = [decision if part is Stage.QUEUED else part for part in parts]
    best = max(known, key=RANK_OF_ANY.__getitem__, default=decision)
    if best in (Stage.DELIVERED, Stage.READ) or (best is Stage.SENT and Stage.QUEUED not in known):
        return best
    return min(known, key=RANK_OF_ANY.__getitem__, default=decision)


def of_message(decision: Stage, parts: Iterable[Stage], rules: ChannelRules) -> Stage:
    """The stage of a message: `decision` (queued, cancelled or gave_up) against what is known of its parts."""
    if rules.any_part:
        return of_any(decision, parts)
    return higher(decision, of_parts(parts), rules)


FAILED = frozenset({Stage.GAVE_UP, Stage.UNDELIVERED})
"""The two ways to fail."""
ARRIVED = frozenset({Stage.DELIVERED, Stage.READ})
"""What it takes for a message to count as arrived, whichever of its steps brought it."""


def of_steps(current: Stage, earlier: Iterable[Stage]) -> Stage:
    """The stage of a message of several steps: that of the one it is at (`current`); but what an earlier one has
    brought to the guest after all counts as well, whatever became of the later."""
    return max((stage for stage in (current, *earlier) if stage in ARRIVED), key=RANK.__getitem__, default=current)


def with_reminder(
    current: Stage, beside: Iterable[Stage], earlier: Iterable[Stage], *, begun: bool
) -> tuple[Stage, Stage]:
    """Of a message whose reminder stands at `current`: the stage that its row keeps, and the one that callers see.
    `beside`: the steps that it reminds of, which may still arrive; `earlier`: those that failed before them; `begun`:
    whether anything of the reminder has gone out, or may have.

    What got furthest counts, whichever it is: so none fails the message while another one may still arrive. The row
    waits as long as the reminder does, which what was read takes back.
    """
    known = (current, *beside)
    best = max((stage for stage in (*known, *earlier) if stage in ARRIVED), key=RANK.__getitem__, default=None)
    seen = best or (Stage.SENT if Stage.SENT in known else current)
    waits = current is Stage.QUEUED and (begun or seen is not Stage.READ)
    return Stage.QUEUED if waits else seen, seen


def news(before: Stage, after: Stage, rules: ChannelRules) -> tuple[Stage, ...]:
    """Stages to tell when a message moves from `before` to `after`, in order; those told before are left out."""
    rank = ranks(rules)
    if rank[after] <= rank[before]:
        return ()
    return tuple(stage for stage in PASSES[after] if stage not in PASSES[before])


def closes(stage: Stage, rules: ChannelRules) -> bool:
    """True when nothing more is worth waiting for on a channel with these rules."""
    if stage is Stage.SENT:
        return not (rules.reports_delivery or rules.reports_reading)
    if stage is Stage.DELIVERED:
        return rules.delivered_is_final and not rules.reports_reading
    return stage in (Stage.CANCELLED, Stage.GAVE_UP, Stage.UNDELIVERED, Stage.READ)


def stages_of(status: Status) -> tuple[Stage, ...]:
    """The stages that a public status stands for (the list filter)."""
    return tuple(stage for stage, word in STATUS.items() if word is status)
