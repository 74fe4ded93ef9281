"""Idempotency keys: a command that is repeated makes nothing twice, and its caller is answered as at first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.scopes import Scope
from bellhop.engine.errors import IdempotencyMismatch, IdempotencySubjectGone
from bellhop.store.access import idempotency

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a caller gave its request as a key, and the request in one fixed form (bytes): another request under the
    same key is refused. Neither is stored, only keyed hashes of them."""

    key: str
    canonical: bytes


@dataclass(frozen=True, slots=True)
class Unkeyed:
    """A request whose client gives it no key and yet repeats it by itself: what makes two of them the same (bytes), and
    whether it is marked as a repetition. A marked one that comes within a minute of the first makes nothing."""

    content: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class Once(Generic[T]):
    """What a command made, now or (`replayed`) when it first came. `status_code`: how it was answered at first."""

    made: T
    subject_id: UUID
    status_code: int
    replayed: bool = False


async def once(
    tx: AsyncConnection,
    book: AddressBook,
    scope: Scope,
    kind: str,
    key: IdempotencyKey | Unkeyed | None,
    make: Callable[[], Awaitable[Once[T]]],
    find: Callable[[UUID], Awaitable[T | None]],
) -> Once[T]:
    """`make` something in the transaction `tx`, or `find` (by its row key) what the same key made before.

    `kind`: what keys are unique within, beside the scope. Without a key this is `make`. Raises IdempotencyMismatch,
    IdempotencySubjectGone.
    """
    if key is None:
        return await make()
    if isinstance(key, Unkeyed):
        made_by = b"repeated" if key.repeated else b"first"
        ticket = idempotency.ticket(f"{kind}.unkeyed", key.content.hex(), made_by, book)
        earlier = await idempotency.take_unkeyed(tx, scope, ticket, repeated=key.repeated)
    else:
        ticket = idempotency.ticket(kind, key.key, key.canonical, book)
        earlier = await idempotency.take(tx, scope, ticket)
    if earlier is None:
        first = await make()
        await idempotency.fill(tx, scope, ticket, first.subject_id, first.status_code)
        return first
    if isinstance(key, IdempotencyKey) and earlier.fingerprint != ticket.fingerprint:
        raise IdempotencyMismatch
    made = await find(earlier.subject_id) if earlier.subject_id else None
    if made is None or earlier.subject_id is None:
        raise IdempotencySubjectGone
    return Once(made, earlier.subject_id, earlier.status_code, replayed=True)
