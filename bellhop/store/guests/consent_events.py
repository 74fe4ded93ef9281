"""What was said of an address, and its guests' `guest.updated` where that changes what the address allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.categories import Category
from bellhop.domain.consents import SaidTo, allowed, reopened
from bellhop.domain.events import EventType
from bellhop.store.compiled import CompiledStatement
from bellhop.store.guests import consents
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

MOST_GUESTS = 20
"""Guests of one address whose update is an event, of all that have it."""

MOST_SCOPES = 50
"""Scopes of one sender whose guests with an address hear of it."""

_GUESTS = CompiledStatement(
    text(
        f"""
        select distinct guest_id from contact_points
        where scope_id = :scope and kind = :kind and address_hash = :hashed and guest_id is not null
        order by guest_id limit {MOST_GUESTS}
        """
    ),
    value=UUID,
)


# By the address, which few know, and not from the scopes that share a sender, which may be a thousand.
_KNOWING = CompiledStatement(
    text(
        f"""
        select distinct scope_id from contact_points
        where address_hash = any(:hashes) and kind = :kind and scope_id = any(:scopes) and guest_id is not null
        limit {MOST_SCOPES}
        """
    ).bindparams(
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("kind", type_=Text),
        bindparam("scopes", type_=ARRAY(Uuid)),
    ),
    value=UUID,
)

Allowed = Mapping[UUID, frozenset[tuple[Category, SaidTo | None]]]
"""Which categories of messages an address takes, and from which sender alone, by scope: those that have guests with
it."""


async def guests_of(tx: AsyncConnection, scope_id: UUID, kind: str, hashed: bytes) -> list[UUID]:
    """The guests with an address, `MOST_GUESTS` at most, by id."""
    return sorted(await _GUESTS(tx, scope=scope_id, kind=kind, hashed=hashed))


async def allowed_now(
    tx: AsyncConnection, scope_ids: Collection[UUID], kind: str, hashes: Collection[bytes]
) -> Allowed:
    """What an address allows, for `changed_since`. `hashes`: every one under which it may be stored."""
    knowing = await _KNOWING(tx, hashes=list(hashes), kind=kind, scopes=list(scope_ids))
    return {scope_id: await _allows(tx, scope_id, kind, hashes) for scope_id in sorted(knowing)}


async def _allows(
    tx: AsyncConnection, scope_id: UUID, kind: str, hashes: Collection[bytes]
) -> frozenset[tuple[Category, SaidTo | None]]:
    facts = await consents.last_said(tx, scope_id, kind, hashes)
    takes: list[tuple[Category, SaidTo | None]] = [(one, None) for one in Category if allowed(facts, one)]
    takes += [(one, sender) for one in Category for sender in reopened(facts, one)]
    return frozenset(takes)


async def changed_since(tx: AsyncConnection, before: Allowed, kind: str, hashes: Collection[bytes]) -> set[UUID]:
    """Write the event of an address's guests where it allows something else than `before`. Returns the endpoints that
    have events to deliver."""
    endpoints: set[UUID] = set()
    for scope_id, allowed_before in before.items():
        if await _allows(tx, scope_id, kind, hashes) != allowed_before:
            found = {guest for hashed in set(hashes) for guest in await guests_of(tx, scope_id, kind, hashed)}
            endpoints |= await tell(tx, scope_id, sorted(found)[:MOST_GUESTS])
    return endpoints


async def tell(tx: AsyncConnection, scope_id: UUID, guest_ids: Sequence[UUID]) -> set[UUID]:
    """Write the event of these guests. Returns the endpoints that have events to deliver."""
    event = NewEvent(EventType.GUEST_UPDATED.value, facts={"changed": ["consents"]})
    return {endpoint for guest in guest_ids for endpoint in await events.write(tx, scope_id, "guest", guest, [event])}
