"""Requests a client may repeat: which key made what. Neither the key's text nor the body is kept, only keyed hashes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.scopes import Scope

KEPT_HOURS = 48
REPEATED_WITHIN = 60
"""Seconds after the first in which a request without a key that is marked as a repetition is one."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request under an Idempotency-Key: `key` is its keyed hash, since clients put names into their keys."""

    kind: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the same key made before."""

    fingerprint: bytes
    subject_id: UUID | None
    status_code: int


def ticket(kind: str, key: str, canonical_body: bytes, book: AddressBook) -> Ticket:
    """The ticket of a request of this `kind` (what the key is unique within)."""
    return Ticket(
        kind=kind, key=book.fingerprint(b"key\0" + key.encode()).hex(), fingerprint=book.fingerprint(canonical_body)
    )


_TAKE = text(
    f"""
    insert into idempotency as kept (scope_id, kind, key, fingerprint, status_code)
    values (:scope, :kind, :key, :fingerprint, 0)
    on conflict (scope_id, kind, key) do update
      set fingerprint = excluded.fingerprint, subject_id = null, status_code = 0, created_at = now()
      where kept.created_at < now() - interval '{KEPT_HOURS} hours'
    returning true
    """
)
# Of requests without a key: a repetition takes nothing while what it repeats is young; whoever is none takes it anew,
# unless it is what a repetition has overtaken.
_TAKE_UNKEYED = text(
    f"""
    insert into idempotency as kept (scope_id, kind, key, fingerprint, status_code)
    values (:scope, :kind, :key, :fingerprint, 0)
    on conflict (scope_id, kind, key) do update
      set fingerprint = excluded.fingerprint, subject_id = null, status_code = 0, created_at = now()
      where kept.created_at < now() - interval '{REPEATED_WITHIN} seconds'
        or (not :repeated and kept.fingerprint = excluded.fingerprint)
    returning true
    """
)
_ARRIVED = text(
    "update idempotency set fingerprint = :fingerprint where scope_id = :scope and kind = :kind and key = :key"
)
_EARLIER = text(
    "select fingerprint, subject_id, status_code from idempotency"
    " where scope_id = :scope and kind = :kind and key = :key"
)
_FILL = text(
    "update idempotency set subject_id = :subject, status_code = :status"
    " where scope_id = :scope and kind = :kind and key = :key"
)


async def take(tx: AsyncConnection, scope: Scope, ticket: Ticket) -> Earlier | None:
    """Claim the key; None: it is ours, and `fill` must follow in this transaction. A twin that runs at the same
    moment waits here until the first has committed, and then gets what that one made."""
    at = {"scope": scope.id, "kind": ticket.kind, "key": ticket.key}
    if (await tx.execute(_TAKE, {**at, "fingerprint": ticket.fingerprint})).scalar():
        return None
    row = (await tx.execute(_EARLIER, at)).one()
    return Earlier(fingerprint=row.fingerprint, subject_id=row.subject_id, status_code=row.status_code)


async def take_unkeyed(tx: AsyncConnection, scope: Scope, ticket: Ticket, *, repeated: bool) -> Earlier | None:
    """The same for a request whose `ticket.key` is of its content: None where it is the first, and `fill` must follow.
    `repeated`: its client says that it has sent it before. One who says nothing is the first, each time, unless a
    repetition within a minute came in front of it. The fingerprint tells which of the two made it."""
    at = {"scope": scope.id, "kind": ticket.kind, "key": ticket.key, "fingerprint": ticket.fingerprint}
    if (await tx.execute(_TAKE_UNKEYED, {**at, "repeated": repeated})).scalar():
        return None
    row = (await tx.execute(_EARLIER, at)).one()
    if not repeated:
        await tx.execute(_ARRIVED, at)
    return Earlier(fingerprint=row.fingerprint, subject_id=row.subject_id, status_code=row.status_code)


async def fill(tx: AsyncConnection, scope: Scope, ticket: Ticket, subject_id: UUID, status_code: int) -> None:
    """Say what the key made and how it was answered."""
    await tx.execute(
        _FILL,
        {"scope": scope.id, "kind": ticket.kind, "key": ticket.key, "subject": subject_id, "status": status_code},
    )
