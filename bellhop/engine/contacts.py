"""Whom a message goes to, where its caller names a guest or a number: the guest is found, or made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses
from bellhop.domain.addresses import BadAddress
from bellhop.domain.channels import AddressKind
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, UnknownGuest
from bellhop.store.conversations import inbound_guests
from bellhop.store.guests import profiles


@dataclass(frozen=True, slots=True)
class ToContact:
    """A guest by their id, or whoever has a number."""

    guest_id: UUID | None = None
    number: str | None = field(default=None, repr=False)

    @property
    def named(self) -> str:
        """As the caller wrote it."""
        return self.number or str(self.guest_id)


@dataclass(frozen=True, slots=True)
class Contact:
    """The number, in its own form, and the guest that it is of. None: nobody can say whose it is."""

    number: str = field(repr=False)
    guest_id: UUID | None


async def resolved(engine: Engine, scope: Scope, wanted: Sequence[ToContact]) -> list[Contact | InvalidField]:
    """Each of them, or what is wrong with it. Of a number that is nobody's a guest is made, as of one who writes from
    it: see `guests_from_inbound` of a property's settings."""

    async def work(tx: AsyncConnection) -> tuple[list[Contact | InvalidField], set[UUID]]:
        found = [await _number(tx, scope, one) for one in wanted]
        given = {one.number: one for one in found if isinstance(one, Contact) and one.guest_id is None}
        hashes = {number: engine.book.hashes(AddressKind.PHONE, number) for number in given}
        owners, endpoints = await inbound_guests.owners_or_made(tx, scope.id, AddressKind.PHONE, hashes)
        return [
            Contact(one.number, one.guest_id or owners[one.number]) if isinstance(one, Contact) else one
            for one in found
        ], endpoints

    contacts, endpoints = await engine.database.write(work)
    engine.dispatcher.wake_endpoints(endpoints)
    return contacts


async def _number(tx: AsyncConnection, scope: Scope, asked: ToContact) -> Contact | InvalidField:
    """Where it goes: the guest of a number is yet to be found."""
    number = asked.number or ""
    if asked.guest_id is not None:
        guest = await profiles.get(tx, scope, asked.guest_id)
        if guest is None:
            return UnknownGuest("recipient")
        number = addresses.canonical(AddressKind.PHONE, guest.phone or "")
    try:
        return Contact(addresses.normalised(AddressKind.PHONE, number), asked.guest_id)
    except BadAddress as problem:
        said = str(problem) if asked.guest_id is None else f"expected a guest with a number: {problem}"
        return InvalidField("recipient", said, "recipient")
