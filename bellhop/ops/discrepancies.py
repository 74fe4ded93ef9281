"""Our attempts against a provider's list, message by message: what differs, and the sentence for it. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bellhop.domain.delivery_ports import Listed
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.reports import ReconciledAttempt
from bellhop.domain.serializers import timestamp
from bellhop.domain.statuses import STATUS, Stage


class Kind(StrEnum):
    """What can differ."""

    UNKNOWN_HERE = "unknown_here"
    """The provider has it, from a sender of ours; no attempt of ours is about it."""
    UNKNOWN_THERE = "unknown_there"
    """The provider accepted it, as we have it; its list does not show it."""
    TWO_COPIES = "two_copies"
    """The provider has one part of one message more than once."""
    NOT_SENT = "not_sent"
    """We wrote down that the call surely did not arrive; it did."""
    UNSETTLED = "unsettled"
    """We do not know what became of the call; the provider does."""
    STATUSES = "statuses"
    """Both have it, and say different things about where it is."""


SENTENCES: dict[Kind, str] = {
    Kind.UNKNOWN_HERE: "{provider} has {provider_ids}, accepted {at}, from a sender of ours; we know nothing of it.",
    Kind.UNKNOWN_THERE: "{message}: we say that {provider} accepted it as {provider_ids} at {at}; its list does not "
    "have it.",
    Kind.TWO_COPIES: "{message}: {provider} has two copies or more: {provider_ids}.",
    Kind.NOT_SENT: "{message}: we say that a call of {at} did not arrive; {provider} has it as {provider_ids}.",
    Kind.UNSETTLED: "{message}: we do not know what became of a call of {at} ({ours}); {provider} has it as "
    "{provider_ids}, {theirs}.",
    Kind.STATUSES: "{message}: statuses differ: ours {ours}, theirs {theirs} ({provider_ids}).",
}

TRANSIENT = frozenset({Kind.UNKNOWN_THERE, Kind.UNSETTLED, Kind.STATUSES})
"""What a receipt on its way, a list that lags, or a question about to be asked sets right by itself."""

CLAIMED = ("accepted", "undelivered")
"""States of an attempt that say: the provider has it."""

_UNSEEN = {(Stage.READ, Stage.DELIVERED), (Stage.READ, Stage.SENT)}
"""(ours, theirs) that are no discrepancy: lists do not show that a mail was opened."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One discrepancy about one message."""

    kind: Kind
    provider: str
    message_id: UUID | None
    provider_ids: tuple[str, ...]
    at: datetime | None
    ours: str | None = None
    theirs: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """The same at a second look, though a status may have moved on."""
        return self.kind, self.provider, self.message_id, frozenset(self.provider_ids)

    @property
    def sentence(self) -> str:
        """In words, without addresses or texts."""
        return SENTENCES[self.kind].format(
            provider=self.provider,
            message=render(Prefix.MESSAGE, self.message_id) if self.message_id else "",
            provider_ids=", ".join(self.provider_ids) or "no id",
            at=timestamp(self.at) or "at a time it does not show",
            ours=self.ours,
            theirs=self.theirs,
        )


@dataclass(slots=True)
class Compared:
    """What came of comparing one provider's list."""

    discrepancies: list[Discrepancy] = field(default_factory=list)
    ours: int = 0
    """Attempts of the span that the provider accepted, as we have it."""
    theirs: int = 0
    """Messages of ours in the span, as the provider has it."""
    moving: list[Discrepancy] = field(default_factory=list)
    """Of the last minutes: too fresh to call it a discrepancy."""
    uncompared: int = 0
    """Attempts through an account that could not be asked."""


def compare(
    provider: str,
    attempts: Sequence[ReconciledAttempt],
    matched: Mapping[str, ReconciledAttempt],
    listed: Sequence[Listed],
    unmatched: Sequence[Listed],
    asked: Collection[UUID],
    settled_before: datetime,
) -> Compared:
    """Compare `attempts`, ours of the span, with `listed`, which `matched` leads to attempts of this scope by the
    provider's id; `unmatched` are from our senders and no attempt's. `asked`: ids of the accounts that gave their list.
    What `settled_before` is not past may still be moving."""
    done = Compared()
    copies: dict[tuple[UUID, int], list[str]] = defaultdict(list)
    of_attempt: dict[UUID, Listed] = {}
    for one in listed:
        row = matched[one.provider_id]
        copies[row.message_id, row.part].append(one.provider_id)
        of_attempt[row.id] = one
    in_span = {row.id for row in attempts}
    found: list[tuple[Discrepancy, datetime | None]] = []
    twice = {where for where, ids in copies.items() if len(ids) > 1}
    for message_id, part in sorted(twice):
        ids = tuple(sorted(copies[message_id, part]))
        found.append((Discrepancy(Kind.TWO_COPIES, provider, message_id, ids, None), None))
    for row in attempts:
        if row.account_id not in asked and row.id not in of_attempt:
            done.uncompared += row.state in CLAIMED
            continue
        done.ours += row.state in CLAIMED
        if (row.message_id, row.part) not in twice and (differs := _of(provider, row, of_attempt.get(row.id))):
            found.append((differs, row.created_at))
    for one in unmatched:
        ids = (one.provider_id,)
        found.append((Discrepancy(Kind.UNKNOWN_HERE, provider, None, ids, one.accepted_at), one.accepted_at))
    done.theirs = sum(matched[one.provider_id].id in in_span for one in listed) + len(unmatched)
    for discrepancy, at in found:
        fresh = discrepancy.kind in TRANSIENT and at is not None and at > settled_before
        (done.moving if fresh else done.discrepancies).append(discrepancy)
    return done


def _of(provider: str, row: ReconciledAttempt, there: Listed | None) -> Discrepancy | None:
    """What differs between an attempt and the provider's one message of it."""
    if there is None:
        if row.state not in CLAIMED:
            return None
        ids = (row.provider_id,) if row.provider_id else ()
        return Discrepancy(Kind.UNKNOWN_THERE, provider, row.message_id, ids, row.created_at)
    about = (provider, row.message_id, (there.provider_id,), row.created_at)
    if row.state == "not_sent":
        return Discrepancy(Kind.NOT_SENT, *about)
    if row.state not in CLAIMED:
        return Discrepancy(Kind.UNSETTLED, *about, row.state, there.word)
    ours = Stage(row.stage) if row.stage else Stage.SENT
    if there.stage is None or there.stage is ours or (ours, there.stage) in _UNSEEN:
        return None
    return Discrepancy(Kind.STATUSES, *about, STATUS[ours].value, _said(there))


def _said(there: Listed) -> str:
    assert there.stage is not None
    status = STATUS[there.stage].value
    return status if there.word == status else f"{status} (its word: {there.word})"
