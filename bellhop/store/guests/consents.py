"""What guests allow: an append-only list by address hash; the newest word per address counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.delivery_ports import Effect
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import consents, contact_points

ACTION: dict[Effect, str] = {
    Effect.OPT_OUT: "opt_out",
    Effect.HARD_BOUNCE: "opt_out",
    Effect.COMPLAINT: "opt_out",
    Effect.OPT_IN: "opt_in",
}


@dataclass(frozen=True, slots=True)
class _Consent:
    action: str
    source: str


_NEWEST = CompiledStatement(
    select(consents.c.action, consents.c.source)
    .where(
        consents.c.scope_id == bindparam("scope"),
        consents.c.kind == bindparam("kind"),
        consents.c.address_hash == bindparam("hashed"),
    )
    .order_by(consents.c.id.desc())
    .limit(1),
    row=_Consent,
)
_REMEMBER = CompiledStatement(
    upsert(contact_points).on_conflict_do_nothing().inline(),
    ("scope_id", "kind", "address", "address_hash", "guest_id"),
)


async def write(
    tx: AsyncConnection,
    scope_id: UUID,
    kind: str,
    address_hash: bytes,
    effect: Effect,
    source: str,
    evidence: UUID | None,
) -> None:
    """Record what an address said, or what its provider said of it. `source`: where we have it from."""
    await tx.execute(
        insert(consents).values(
            scope_id=scope_id,
            kind=kind,
            address_hash=address_hash,
            action=ACTION[effect],
            source=source,
            evidence_id=evidence,
        )
    )
    if effect is Effect.HARD_BOUNCE:
        await tx.execute(
            update(contact_points)
            .where(
                contact_points.c.scope_id == scope_id,
                contact_points.c.kind == kind,
                contact_points.c.address_hash == address_hash,
            )
            .values(invalid_since=func.now())
        )


async def refused(tx: AsyncConnection, scope_id: UUID, kind: str, address_hash: bytes) -> str | None:
    """The source of the opt-out in force for an address, or None when it may be written to."""
    for newest in await _NEWEST(tx, scope=scope_id, kind=kind, hashed=address_hash):
        if newest.action == "opt_out":
            return newest.source
    return None


async def remember_contact(
    tx: AsyncConnection, scope_id: UUID, kind: str, address: str, address_hash: bytes, guests: Iterable[UUID | None]
) -> None:
    """Make sure a contact point exists for an address, with each of `guests` (None: nobody known)."""
    for guest_id in guests:
        await _REMEMBER(tx, scope_id=scope_id, kind=kind, address=address, address_hash=address_hash, guest_id=guest_id)
