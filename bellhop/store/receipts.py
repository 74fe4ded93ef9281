"""What providers told us: stored at the door, deduplicated, and applied to the message in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, any_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop import statuses
from bellhop.addresses import AddressBook
from bellhop.messages import ADDRESS_KIND, AddressKind, Channel
from bellhop.ports import Account, Inbound, Receipt
from bellhop.statuses import Stage
from bellhop.store import consents, progress
from bellhop.store.hot import Hot, Row
from bellhop.store.inbound import receive
from bellhop.tables import attempts, guests, messages, provider_accounts, receipts, scopes
from bellhop.wire import Answer

_ACCOUNTS = Hot(
    select(provider_accounts)
    .where(provider_accounts.c.provider == bindparam("name"), provider_accounts.c.identity == bindparam("account"))
    .order_by(provider_accounts.c.id)
)
_MATCH = Hot(
    select(attempts.c.id, attempts.c.message_id, attempts.c.provider_id, attempts.c.account_id, messages.c.guest_id)
    .join(messages, messages.c.id == attempts.c.message_id)
    .where(
        # Any attempt of the same scope at the same provider: while a key is being rotated, receipts for the new account
        # still come to the old one's address.
        select(provider_accounts.c.id)
        .where(
            provider_accounts.c.id == any_(bindparam("accounts", type_=ARRAY(Uuid))),
            provider_accounts.c.scope_id == attempts.c.scope_id,
            provider_accounts.c.provider == attempts.c.provider,
        )
        .exists(),
        or_(
            attempts.c.id == any_(bindparam("ours", type_=ARRAY(Uuid))),
            attempts.c.provider_id == any_(bindparam("theirs", type_=ARRAY(Text))),
        ),
    )
)
_STORE = Hot(
    upsert(receipts)
    .on_conflict_do_nothing(index_elements=["account_id", "dedupe_key"])
    .returning(receipts.c.id, func.now().label("now")),
    (
        "scope_id", "account_id", "provider", "dedupe_key", "attempt_id", "message_id", "word", "stage",
        "failure_code", "provider_code", "provider_id", "payload", "occurred_at",
    ),
)  # fmt: skip
_RAISE = Hot(
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"))
    .values(settled_at=func.coalesce(attempts.c.settled_at, func.now())),
    ("stage", "state", "provider_id", "failure_code", "provider_code"),
)


@dataclass(frozen=True, slots=True)
class Signal:
    """A conductor to tell, and since when it is owed that."""

    message_id: UUID
    answer: Answer
    at: datetime


@dataclass(slots=True)
class Recorded:
    """What recording led to, for after the commit."""

    signals: list[Signal] = field(default_factory=list)
    endpoints: set[UUID] = field(default_factory=set)
    stored: int = 0


async def accounts(tx: AsyncConnection, provider: str, identity: str) -> list[Account]:
    """The rows that stand for one account at a provider (several properties may share it), to verify callbacks."""
    found = await _ACCOUNTS(tx, name=provider, account=identity)
    return [
        Account(
            row["id"],
            row["provider"],
            row["identity"],
            row["base_url"],
            row["credentials"],
            row["previous_credentials"],
        )
        for row in found
    ]


async def record(
    tx: AsyncConnection, verified: Sequence[Account], items: Sequence[Receipt | Inbound], book: AddressBook
) -> Recorded:
    """Store and apply everything one verified callback says. `verified`: the accounts whose signature it bears.

    Messages are locked in the order of their ids, after their guests: two batches never wait for each other.
    """
    recorded = Recorded()
    told = [item for item in items if isinstance(item, Receipt)]
    matched = await _match(tx, verified, told)
    await _guests_seen(tx, told, matched)
    for item in sorted(
        told, key=lambda item: str(matched[item.dedupe_key]["message_id"]) if item.dedupe_key in matched else ""
    ):
        await _apply(tx, verified, item, matched.get(item.dedupe_key), book, recorded)
    for inbound in items:
        if isinstance(inbound, Inbound):
            stored = await receive(tx, verified, inbound, book)
            if stored is not None:
                recorded.stored += 1
                recorded.endpoints |= stored
    return recorded


async def _match(
    tx: AsyncConnection, verified: Sequence[Account], items: Sequence[Receipt]
) -> dict[str, Mapping[str, Any]]:
    """Dedupe key → the attempt a receipt is about: by our own id as echoed, else by the provider's."""
    ours = {item.attempt_id for item in items if item.attempt_id}
    theirs = {item.provider_id for item in items if item.provider_id}
    if not verified or not (ours or theirs):
        return {}
    rows = await _MATCH(tx, accounts=[account.id for account in verified], ours=list(ours), theirs=list(theirs))
    by_ours = {row["id"]: row for row in rows}
    by_theirs = {row["provider_id"]: row for row in rows if row["provider_id"]}
    matched: dict[str, Mapping[str, Any]] = {}
    for item in items:
        attempt = by_ours.get(item.attempt_id) if item.attempt_id else None
        if attempt is None and item.provider_id:
            attempt = by_theirs.get(item.provider_id)
        if attempt is not None:
            matched[item.dedupe_key] = attempt
    return matched


async def _guests_seen(tx: AsyncConnection, items: Sequence[Receipt], matched: Mapping[str, Mapping[str, Any]]) -> None:
    """Reading a message is an interaction. Guests come before messages in the order of locks."""
    readers = {
        matched[item.dedupe_key]["guest_id"]
        for item in items
        if item.stage is Stage.READ and item.dedupe_key in matched and matched[item.dedupe_key]["guest_id"]
    }
    for guest_id in sorted(readers):
        await tx.execute(
            update(guests)
            .where(guests.c.id == guest_id)
            .values(last_seen_at=func.greatest(guests.c.last_seen_at, func.now()))
        )


async def _apply(
    tx: AsyncConnection,
    verified: Sequence[Account],
    item: Receipt,
    match: Mapping[str, Any] | None,
    book: AddressBook,
    recorded: Recorded,
) -> None:
    row = await progress.lock(tx, match["message_id"]) if match else None
    stored = await _STORE(
        tx,
        scope_id=row["scope_id"] if row else None,
        account_id=match["account_id"] if match else verified[0].id,
        provider=verified[0].provider,
        dedupe_key=item.dedupe_key,
        attempt_id=match["id"] if match else None,
        message_id=row["id"] if row else None,
        word=item.word,
        stage=item.stage.value if item.stage else None,
        failure_code=item.code.value if item.code else None,
        provider_code=item.provider_code,
        provider_id=item.provider_id,
        # Nothing of an erased guest is kept, whoever sends it.
        payload=None if row and row["erased_at"] else dict(item.payload),
        occurred_at=item.occurred_at,
    )
    if not stored:
        return
    (fresh,) = stored
    recorded.stored += 1
    if item.effect is not None:
        await _effect(tx, verified, item, row, book, fresh["id"])
    if row is None or match is None or item.stage is None:
        return
    await _move(tx, row, match["id"], item, fresh["now"], recorded)


async def _move(
    tx: AsyncConnection, row: Row, attempt_id: UUID, item: Receipt, now: datetime, recorded: Recorded
) -> None:
    """Raise the attempt, then the message, by what a fresh receipt says. A receipt proves that it was accepted."""
    assert item.stage is not None
    rows = await progress.attempts_of(tx, row["id"])
    attempt = next(one for one in rows if one["id"] == attempt_id)
    before = attempt["state"]
    if (raised := _raised(attempt, rows, item)) != {name: attempt[name] for name in raised}:
        await _RAISE(tx, attempt=attempt_id, **raised)
        attempt.update(raised)
    # While `deliver` itself is in the call it sees all this when it records: a signal would only cost. And so it would
    # when nothing has changed for the conductor.
    settled = before in ("unknown", "not_sent", "abandoned")
    signalled = before != "in_flight" and (settled or progress.moves(row, rows) is not None)
    moved = await progress.advance(tx, row, rows, wake=signalled)
    recorded.endpoints |= moved.endpoints
    if signalled:
        recorded.signals.append(Signal(row["id"], moved.answer, now))


def _raised(attempt: Row, rows: Sequence[Row], item: Receipt) -> dict[str, Any]:
    """What a receipt makes of its attempt; every attempt of the message is in `rows`."""
    assert item.stage is not None
    said = statuses.higher(Stage(attempt["stage"]) if attempt["stage"] else Stage.QUEUED, item.stage)
    beside = any(
        one["id"] != attempt["id"] and one["part"] == attempt["part"] and one["state"] in progress.LIVE for one in rows
    )
    proved = "undelivered" if said is Stage.UNDELIVERED else "accepted"
    failed = said is Stage.UNDELIVERED and item.stage is Stage.UNDELIVERED
    code = item.code.value if item.code else None
    return {
        "stage": said.value,
        "state": attempt["state"] if beside else proved,
        "provider_id": attempt["provider_id"] or item.provider_id,
        "failure_code": code if failed else attempt["failure_code"],
        "provider_code": item.provider_code if failed else attempt["provider_code"],
    }


async def _effect(
    tx: AsyncConnection,
    verified: Sequence[Account],
    item: Receipt,
    row: Row | None,
    book: AddressBook,
    evidence: UUID,
) -> None:
    """Write what a receipt says about the address, in the message's scope or, without one, in each that has the
    account: a complaint without a message is still a guest's will."""
    assert item.effect is not None
    source = f"{verified[0].provider} {item.word}"
    if row is not None and row["address_hash"] is not None:
        kind = ADDRESS_KIND[Channel(row["channel"])].value
        await consents.write(tx, row["scope_id"], kind, row["address_hash"], item.effect, source, evidence)
    elif row is None and item.address:
        kind_of = AddressKind.EMAIL if "@" in item.address else AddressKind.PHONE
        owners = await tx.execute(
            select(scopes.c.id)
            .join(provider_accounts, provider_accounts.c.scope_id == scopes.c.id)
            .where(provider_accounts.c.id.in_([account.id for account in verified]))
        )
        for scope_id in sorted(set(owners.scalars())):
            hashed = book.hash(kind_of, item.address)
            await consents.write(tx, scope_id, kind_of.value, hashed, item.effect, source, evidence)
