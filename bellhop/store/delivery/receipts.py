"""What providers report: stored as it comes in, deduplicated, and applied to the message in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import statuses
from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Answer
from bellhop.domain.channels import AddressKind, ChannelRules, Service, kind_of
from bellhop.domain.consents import SaidTo
from bellhop.domain.delivery_ports import Account, Inbound, Receipt
from bellhop.domain.groups import left
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.standing import Reason, says_less
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations.inbound import Asked, Text, receive
from bellhop.store.delivery import attempt_rows, receipt_rows, shared_senders
from bellhop.store.delivery.receipt_rows import Fact, Stored
from bellhop.store.guests import consent_events, consents, profiles
from bellhop.store.messages import groups, progress, steps
from bellhop.store.tables import attempts, provider_accounts, receipts, senders

_EMPTY = CompiledStatement(
    update(receipts).where(receipts.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))).values(payload=None)
)
_RAISE = CompiledStatement(
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"))
    .values(settled_at=func.coalesce(attempts.c.settled_at, func.now())),
    ("stage", "state", "provider_id", "failure_code", "provider_code", "service"),
)
_SHARING = CompiledStatement(
    select(senders.c.scope_id).where(
        senders.c.address == bindparam("sender"),
        senders.c.account_id == any_(bindparam("accounts", type_=ARRAY(Uuid))),
        senders.c.channel == bindparam("channel"),
    ),
    value=UUID,
)
_OWNERS = CompiledStatement(
    select(provider_accounts.c.scope_id).where(
        provider_accounts.c.id == any_(bindparam("accounts", type_=ARRAY(Uuid)))
    ),
    value=UUID,
)
_PROVED_BY_A_RECEIPT = frozenset({AttemptState.UNKNOWN, AttemptState.NOT_SENT, AttemptState.ABANDONED})
"""States in which a receipt tells the workflow something new: the provider has it after all."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A workflow to signal, and the time of the pending notification that this makes good."""

    message_id: UUID
    answer: Answer
    at: datetime


@dataclass(slots=True)
class Recorded:
    """What recording led to, for after the commit."""

    signals: list[Signal] = field(default_factory=list)
    endpoints: set[UUID] = field(default_factory=set)
    texts: list[Text] = field(default_factory=list)
    """What guests have written, to be looked at for intents."""
    files: list[Text] = field(default_factory=list)
    """Their messages with files that are to be fetched."""
    asked: list[Asked] = field(default_factory=list)
    """Keywords that may be answered."""
    accepted: list[MessageRow] = field(default_factory=list)
    """The messages that answer them."""
    stored: int = 0


async def record(
    tx: AsyncConnection,
    verified: Sequence[Account],
    items: Sequence[Receipt | Inbound],
    book: AddressBook,
    follow_at: Sequence[float],
) -> Recorded:
    """Store and apply everything one verified callback says. `verified`: the accounts whose signature it bears.
    `follow_at`: the setting, for what signalled workflows do next."""
    recorded = Recorded()
    given = [item for item in items if isinstance(item, Receipt)]
    matched = await receipt_rows.match(tx, verified, given)
    facts = [Fact(item, verified[0], matched.get(item.dedupe_key)) for item in given]
    await _record(tx, facts, verified, book, recorded, follow_at)
    for inbound in items:
        if isinstance(inbound, Inbound):
            stored = await receive(tx, verified, inbound, book)
            if stored is not None:
                recorded.stored += 1
                recorded.endpoints |= stored.endpoints
                recorded.texts += stored.texts
                recorded.files += stored.files
                recorded.asked += stored.asked
    return recorded


async def record_reports(tx: AsyncConnection, reports: Sequence[tuple[Account, Receipt]]) -> set[UUID]:
    """Store and apply what providers said when they were asked. Returns the endpoints that have events to deliver; no
    workflow is signalled, since the one that asked waits for the answer."""
    recorded = Recorded()
    facts: list[Fact] = []
    for account, receipt in reports:
        matched = await receipt_rows.match(tx, [account], [receipt])
        if (match := matched.get(receipt.dedupe_key)) is not None:
            facts.append(Fact(receipt, account, match))
    await _record(tx, facts, [], None, recorded, None)
    return recorded.endpoints


async def _record(
    tx: AsyncConnection,
    facts: Sequence[Fact],
    verified: Sequence[Account],
    book: AddressBook | None,
    recorded: Recorded,
    follow_at: Sequence[float] | None,
) -> None:
    """Store everything, then apply what is fresh, message by message. `follow_at`: None where no workflow is to be
    signalled.

    What was here before costs no lock: a callback that is repeated ten thousand times holds nobody up. Locks are taken
    in one order, so that two batches never wait for each other: receipts by key, guests, messages by id, contact points
    by address.
    """
    if not facts:
        return
    fresh = await receipt_rows.store(tx, facts)
    recorded.stored += len(fresh)
    await _guests_seen(tx, [fact for fact, _ in fresh])
    by_message: dict[UUID | None, list[tuple[Fact, Stored]]] = {}
    for one in fresh:
        by_message.setdefault(one[0].message_id, []).append(one)
    effects: list[tuple[Fact, MessageRow | None, UUID]] = []
    for message_id in sorted(by_message, key=str):
        row = await progress.lock(tx, message_id) if message_id else None
        stored_facts = by_message[message_id]
        effects += [(fact, row, stored.id) for fact, stored in stored_facts if fact.item.effect is not None]
        if row is None:
            continue
        if row.erased_at is not None or left(row.details):
            # Nothing of an erased guest is kept, whoever sends it.
            await _EMPTY(tx, ids=[stored.id for _, stored in stored_facts])
        named = next((fact.item.group_id for fact, _ in stored_facts if fact.item.group_id), None)
        if named is not None and row.erased_at is None:
            await groups.named(tx, row, named)
        if said := [fact for fact, _ in stored_facts if fact.item.stage is not None]:
            await _move(tx, row, said, recorded, follow_at)
    recorded.endpoints |= await _effects(tx, effects, verified, book)


async def _guests_seen(tx: AsyncConnection, facts: Sequence[Fact]) -> None:
    """Reading a message is an interaction, and so is that one went out, where a receipt is the first to tell. Guests
    come before messages in the order of locks."""
    seen = {
        fact.match.guest_id
        for fact in facts
        if fact.match is not None
        and fact.match.guest_id
        and (fact.item.stage is Stage.READ or (fact.match.sent_at is None and fact.item.stage in _WENT_OUT))
    }
    for guest_id in sorted(seen):
        await profiles.seen(tx, guest_id)


_WENT_OUT = frozenset({Stage.SENT, Stage.DELIVERED})


async def _move(
    tx: AsyncConnection,
    row: MessageRow,
    said: Sequence[Fact],
    recorded: Recorded,
    follow_at: Sequence[float] | None,
) -> None:
    """Raise attempts, then the message, by what fresh receipts say. A receipt proves that its attempt was accepted.
    `follow_at`: None where the workflow itself waits for them."""
    rows = await progress.attempts_of(tx, row.id)
    attempts_by_id = {one.id: one for one in rows}
    before: dict[UUID, AttemptRow] = {}
    for fact in said:
        assert fact.match is not None
        attempt = attempts_by_id[fact.match.id]
        before.setdefault(attempt.id, copy(attempt))
        _raise(attempt, rows, fact.item, fact.match.names, row.rules_of(attempt.step))
    for attempt_id, was in before.items():
        raised = attempts_by_id[attempt_id]
        if raised != was:
            assert raised.stage is not None
            await _RAISE(
                tx,
                attempt=attempt_id,
                stage=raised.stage.value,
                state=raised.state.value,
                provider_id=raised.provider_id,
                failure_code=raised.failure_code,
                provider_code=raised.provider_code,
                service=raised.service,
            )
    # While `deliver` itself is in the call it sees all this when it records: a signal would only cost. And so it would
    # when nothing has changed for the workflow.
    states = {was.state for was in before.values()}
    news = bool(states & _PROVED_BY_A_RECEIPT) or progress.moves(row, rows) is not None
    signalled = states != {AttemptState.IN_FLIGHT} and follow_at is not None and news
    moved = await progress.advance(tx, row, rows, wake=signalled)
    recorded.endpoints |= moved.endpoints
    if signalled and follow_at is not None:
        assert row.wake_due_at is not None
        recorded.signals.append(Signal(row.id, progress.next_step(row, follow_at), row.wake_due_at))


def _raise(
    attempt: AttemptRow, rows: Sequence[AttemptRow], item: Receipt, provider_id: str | None, rules: ChannelRules
) -> None:
    """Change an attempt by what a receipt says; every attempt of the message is in `rows`. `provider_id`: the
    provider's id for it. `rules`: of the channel it went out on."""
    assert item.stage is not None
    known = attempt.stage or Stage.QUEUED
    said = statuses.higher(statuses.higher(known, Stage.SENT, rules), item.stage, rules)
    reasons: list[Reason] = []
    if said is Stage.UNDELIVERED:
        # Of several failures the one that says most, whichever came first.
        reasons += [(attempt.failure_code, attempt.provider_code)] if known is said else []
        reasons += [(item.code.value if item.code else None, item.provider_code)] if item.stage is said else []
    attempt.failure_code, attempt.provider_code = min(reasons, key=says_less, default=(None, None))
    attempt.stage = said
    attempt.service = Service.of((attempt.service, item.service))
    if not attempt_rows.beside(attempt, rows):
        attempt.state = AttemptState.UNDELIVERED if said is Stage.UNDELIVERED else AttemptState.ACCEPTED
    attempt.provider_id = attempt.provider_id or provider_id


@dataclass(frozen=True, slots=True)
class _Said:
    """What a receipt says of an address, for one scope that it binds."""

    scope_id: UUID
    kind: AddressKind
    hashed: bytes
    fact: Fact
    evidence: UUID
    said_to: SaidTo | None


async def _effects(
    tx: AsyncConnection,
    effects: Sequence[tuple[Fact, MessageRow | None, UUID]],
    verified: Sequence[Account],
    book: AddressBook | None,
) -> set[UUID]:
    """Write what receipts say about addresses. Contact points are locked by scope and address. Returns the endpoints
    that have events to deliver."""
    said = [one for each in effects for one in await _bound(tx, *each, verified, book)]
    binds: dict[tuple[str, bytes], set[UUID]] = {}
    for one in said:
        binds.setdefault((one.kind.value, one.hashed), set()).add(one.scope_id)
    before = {(kind, at): await consent_events.allowed_now(tx, ids, kind, [at]) for (kind, at), ids in binds.items()}
    for one in sorted(said, key=lambda one: (one.scope_id, one.hashed)):
        item = one.fact.item
        assert item.effect is not None
        await consents.write(
            tx,
            one.scope_id,
            one.kind.value,
            one.hashed,
            item.effect,
            f"{one.fact.account.provider} {item.word}",
            one.evidence,
            said_to=one.said_to,
            occurred_at=item.occurred_at,
            group=item.effect_group,
        )
    endpoints: set[UUID] = set()
    for (kind, hashed), was in before.items():
        endpoints |= await consent_events.changed_since(tx, was, kind, [hashed])
    return endpoints


async def _bound(
    tx: AsyncConnection,
    fact: Fact,
    row: MessageRow | None,
    evidence: UUID,
    verified: Sequence[Account],
    book: AddressBook | None,
) -> list[_Said]:
    """Whom it binds: the message's scope and each that sends from the same sender. Without a message, each that has the
    account: a complaint about nothing we know is still a guest's will. `verified`: none where it was asked."""
    keys = [account.id for account in verified]
    item, said_to = fact.item, None
    if row is not None and fact.match is not None:
        row = await steps.at(tx, row, fact.match.step)
        said_to = SaidTo(row.channel, fact.match.sender)
        kind = kind_of(row.channel, row.recipient or item.address)
        hashed = row.address_hash or row.erased_hash
        if hashed is None and item.address and book is not None:
            # Erased by a version that kept no hash.
            hashed = book.hash(kind, item.address)
        if hashed is None:
            return []
        if keys:
            sharing = set(await _SHARING(tx, accounts=keys, channel=row.channel.value, sender=fact.match.sender))
        else:
            sharing = await shared_senders.sharing(tx, fact.account.id, row.channel, fact.match.sender)
        scope_ids = {row.scope_id, *sharing}
    elif row is None and item.address and item.address_kind and book is not None:
        kind, hashed = item.address_kind, book.hash(item.address_kind, item.address)
        scope_ids = set(await _OWNERS(tx, accounts=keys))
    else:
        return []
    return [_Said(scope_id, kind, hashed, fact, evidence, said_to) for scope_id in scope_ids]
