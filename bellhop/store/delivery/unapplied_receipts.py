"""Large batches of receipts: stored as they came in and acknowledged, then applied chunk by chunk.

A chunk is one row, and it goes in the transaction that applies it: a process that is killed between the two leaves it
to the next. What is applied twice changes nothing, since each fact is stored once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.delivery_ports import Account, Receipt
from bellhop.store.compiled import seconds
from bellhop.store.delivery import receipts
from bellhop.store.delivery.receipts import Recorded
from bellhop.store.tables import unapplied_receipts

MOST_MESSAGES = 25
"""Attempts that one transaction applies receipts of: each is locked until it ends."""
MOST_RECEIPTS = 1_000
AGAIN_FIRST, AGAIN_LONGEST = 2.0, 3_600.0
"""Seconds until a chunk that could not be applied is tried again; doubles."""

_ITEMS = TypeAdapter(list[Receipt])


@dataclass(frozen=True, slots=True)
class Chunk:
    """Receipts that are applied in one transaction. `accounts`: the rows whose credentials signed them."""

    id: UUID
    provider: str
    identity: str
    accounts: tuple[UUID, ...]
    items: list[object] = field(repr=False)
    """As they are stored."""
    tries: int


def chunks(items: Sequence[Receipt]) -> list[list[Receipt]]:
    """Receipts in the order of what they are about, cut into what one transaction may apply."""
    about: dict[object, list[Receipt]] = {}
    for item in items:
        about.setdefault(item.attempt_id or item.provider_id or item.dedupe_key, []).append(item)
    return list(_cut(about.values()))


def _cut(groups: Iterable[list[Receipt]]) -> Iterator[list[Receipt]]:
    chunk: list[Receipt] = []
    messages = 0
    for group in groups:
        for start in range(0, len(group), MOST_RECEIPTS):
            some = group[start : start + MOST_RECEIPTS]
            if chunk and (messages == MOST_MESSAGES or len(chunk) + len(some) > MOST_RECEIPTS):
                yield chunk
                chunk, messages = [], 0
            chunk = chunk + some
            messages += 1
    if chunk:
        yield chunk


async def store(tx: AsyncConnection, verified: Sequence[Account], given: Sequence[Sequence[Receipt]]) -> None:
    """Keep chunks of receipts until they are applied. `verified`: the accounts whose signature they bear."""
    one = verified[0]
    stored = [_ITEMS.dump_python(list(items), mode="json") for items in given]
    await _insert(tx, one.provider, one.identity, [account.id for account in verified], stored)


async def _insert(
    tx: AsyncConnection, provider: str, identity: str, accounts: Sequence[UUID], stored: Sequence[list[object]]
) -> None:
    await tx.execute(
        insert(unapplied_receipts),
        [
            {"provider": provider, "identity": identity, "account_ids": list(accounts), "items": items}
            for items in stored
        ],
    )


async def waiting(tx: AsyncConnection) -> bool:
    """Whether a chunk is due."""
    due = select(unapplied_receipts.c.id).where(unapplied_receipts.c.due_at <= func.now()).limit(1)
    return (await tx.execute(due)).first() is not None


async def next_chunk(tx: AsyncConnection) -> Chunk | None:
    """The oldest chunk that is due and that nobody else applies, locked. None: there is none."""
    row = (
        await tx.execute(
            select(unapplied_receipts)
            .where(unapplied_receipts.c.due_at <= func.now())
            .order_by(unapplied_receipts.c.due_at, unapplied_receipts.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
    ).one_or_none()
    if row is None:
        return None
    return Chunk(row.id, row.provider, row.identity, tuple(row.account_ids), row.items, row.tries)


async def apply(tx: AsyncConnection, chunk: Chunk, book: AddressBook, follow_at: Sequence[float]) -> Recorded:
    """Apply a locked chunk, which is then done with. `follow_at`: the setting, for what signalled workflows do next."""
    # Whoever signed has been verified: nothing is called, so their credentials are not needed.
    verified = [Account(key, chunk.provider, chunk.identity, "", {}) for key in chunk.accounts]
    recorded = await receipts.record(tx, verified, _ITEMS.validate_python(chunk.items), book, follow_at)
    await tx.execute(delete(unapplied_receipts).where(unapplied_receipts.c.id == chunk.id))
    return recorded


async def postpone(tx: AsyncConnection, chunk: Chunk) -> None:
    """A chunk could not be applied: its halves are tried by themselves, and a single receipt again later, so that none
    keeps the others waiting."""
    half = len(chunk.items) // 2
    if half == 0:
        pause = min(AGAIN_FIRST * 2.0 ** min(chunk.tries, 20), AGAIN_LONGEST)
        await tx.execute(
            update(unapplied_receipts)
            .where(unapplied_receipts.c.id == chunk.id)
            .values(tries=chunk.tries + 1, due_at=func.now() + seconds(pause))
        )
        return
    gone = await tx.execute(delete(unapplied_receipts).where(unapplied_receipts.c.id == chunk.id))
    if gone.rowcount:
        parts = (chunk.items[:half], chunk.items[half:])
        await _insert(tx, chunk.provider, chunk.identity, chunk.accounts, parts)
