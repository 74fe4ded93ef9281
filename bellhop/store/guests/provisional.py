"""Provisional guests: made of what somebody wrote whom the property does not know, until it says who they are.

The address of one is a contact point, as any guest's. It is in `email` too, but not in `email_key`: guests whom the
property made of that address itself are in nobody's way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses
from bellhop.domain.addresses import AddressBook, BadAddress
from bellhop.domain.channels import AddressKind
from bellhop.domain.events import EventType
from bellhop.domain.guests import SETTING_OF_SENDERS, name_of_sender, search_text
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import CompiledStatement
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

_ALONE = CompiledStatement(
    text("select pg_advisory_xact_lock(hashtextextended(:address, 0))").bindparams(bindparam("address", type_=Text))
)
_MAKE = CompiledStatement(
    text(
        f"""
        insert into guests (scope_id, first_name, last_name, email, phone, language, search_text, is_provisional)
        select id, :first_name, :last_name, :email, :phone,
          coalesce(case when jsonb_typeof(settings->'language') = 'string' then settings->>'language' end, 'en'),
          :search_text, true
        from scopes where id = :scope and coalesce(settings->>'{SETTING_OF_SENDERS}', 'true') <> 'false'
        returning id
        """
    ).bindparams(
        *(bindparam(name, type_=Text) for name in ("first_name", "last_name", "email", "phone", "search_text")),
        bindparam("scope", type_=Uuid),
    ),
    value=UUID,
)
_ONLY_OWNER = CompiledStatement(
    text(
        """
        select min(guest.id::text)::uuid as guest_id
        from unnest(:places, :kinds, :hashes) given (place, kind, hash)
        join contact_points point
          on point.scope_id = :scope and point.kind = given.kind and point.address_hash = given.hash
        join guests guest on guest.id = point.guest_id
        group by given.place having count(distinct guest.id) = 1 and bool_and(guest.is_provisional)
        order by 1 limit 1
        """
    ).bindparams(
        bindparam("places", type_=ARRAY(Integer)),
        bindparam("kinds", type_=ARRAY(Text)),
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("scope", type_=Uuid),
    ),
    value=UUID,
)


@dataclass(slots=True)
class _Beside:
    """A provisional guest with its scope."""

    scope_id: UUID
    property_id: UUID
    environment: str
    guest_id: UUID


# By the accounts: what is written to a sender that several properties share may have come to either.
_BESIDE = CompiledStatement(
    text(
        """
        select distinct guest.scope_id, scope.property_id, scope.environment, guest.id as guest_id
        from unnest(:kinds, :hashes) given (kind, hash)
        join contact_points point on point.kind = given.kind and point.address_hash = given.hash
        join guests guest on guest.id = point.guest_id and guest.is_provisional
        join scopes scope on scope.id = guest.scope_id
        where guest.scope_id = :scope and guest.id <> :guest
          or guest.scope_id <> :scope and exists (
            select from provider_accounts own
            join provider_accounts other on other.provider = own.provider and other.identity = own.identity
            where own.scope_id = :scope and other.scope_id = guest.scope_id)
          and not exists (
            select from messages
            where address_hash = given.hash and scope_id = guest.scope_id and direction = 'outbound')
        order by guest.id
        """
    ).bindparams(
        bindparam("kinds", type_=ARRAY(Text)),
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("scope", type_=Uuid),
        bindparam("guest", type_=Uuid),
    ),
    row=_Beside,
)


async def lock(tx: AsyncConnection, scope_id: UUID, hashes: Collection[bytes]) -> None:
    """Until this transaction ends nobody else makes a guest of one of these addresses, each by its first hash. In the
    order of locks this comes with the scope's guests, before them."""
    for hashed in sorted(hashes):
        await _ALONE(tx, address=f"guest:{scope_id}:{hashed.hex()}")


async def make(
    tx: AsyncConnection, scope_id: UUID, kind: AddressKind, address: str, name: str | None
) -> tuple[UUID, set[UUID]] | None:
    """Make a guest of an address that is locked and belongs to nobody. `name`: what they call themselves. None: the
    property wants no such guests. Returns the guest, and the endpoints that are owed the event."""
    first_name, last_name = name_of_sender(name, kind, address)
    email = address if kind is AddressKind.EMAIL else None
    made = await _MAKE(
        tx,
        scope=scope_id,
        first_name=first_name,
        last_name=last_name,
        email=email,
        phone=address if kind is AddressKind.PHONE else None,
        search_text=search_text(first_name, last_name, email),
    )
    if not made:
        return None
    event = NewEvent(EventType.GUEST_CREATED.value, "created")
    return made[0], await events.write(tx, scope_id, "guest", made[0], [event])


def can_be_written_to(kind: AddressKind, address: str) -> bool:
    """Whether an address is one of a person's: a short code or a name as sender is a program's."""
    try:
        addresses.normalised(kind, addresses.canonical(kind, address))
    except BadAddress:
        return False
    return True


async def owner(
    tx: AsyncConnection, scope: Scope, given: Sequence[tuple[AddressKind, str]], book: AddressBook
) -> UUID | None:
    """The provisional guest whose alone one of these addresses is; of several the one made first. The addresses are
    locked from here on."""
    hashes = [(place, kind.value, one) for place, (kind, to) in enumerate(given) for one in book.hashes(kind, to)]
    if not hashes:
        return None
    await lock(tx, scope.id, {book.hash(kind, to) for kind, to in given})
    places, kinds, hashed = (list(column) for column in zip(*hashes, strict=True))
    found = await _ONLY_OWNER(tx, scope=scope.id, places=places, kinds=kinds, hashes=hashed)
    return found[0] if found else None


async def beside(
    tx: AsyncConnection, scope: Scope, guest_id: UUID, given: Collection[tuple[str, bytes]]
) -> list[tuple[Scope, UUID]]:
    """The provisional guests beside another one with these addresses (kinds and hashes): in this scope, and in others
    that share an account with it and have never written to them."""
    if not given:
        return []
    kinds, hashes = (list(column) for column in zip(*sorted(given), strict=True))
    found = await _BESIDE(tx, scope=scope.id, guest=guest_id, kinds=kinds, hashes=hashes)
    return [(Scope(one.scope_id, one.property_id, one.environment), one.guest_id) for one in found]
