"""What an address allows: looked at, and set or lifted by an operator, with who did it and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses
from bellhop.domain.addresses import AddressBook, BadAddress
from bellhop.domain.categories import Category
from bellhop.domain.channels import CHANNELS, AddressKind, Channel, kind_of
from bellhop.domain.consents import ALL, ConsentFact, Effect, SaidTo, binding, in_force, reopened
from bellhop.domain.ids import Prefix, render
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.guests import ConsentRow, GuestRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.store.guests import consent_events, consents, profiles

MOST_ADDRESSES = 50
"""Addresses of one guest that are looked at."""


class Action(StrEnum):
    """What an operator may write down of an address."""

    OPT_OUT = "opt_out"
    """It wants nothing, until an operator says otherwise."""
    OPT_IN = "opt_in"
    """It may be written to again, whatever was said before."""


EFFECT = {Action.OPT_OUT: Effect.OPERATOR_OPT_OUT, Action.OPT_IN: Effect.OPERATOR_OPT_IN}


@dataclass(frozen=True, slots=True)
class AddressConsents:
    """What was said of an address. `holding`: the rows that are refusals in force; `refused_by`: why it may not be
    written to, the last said first; nothing: it may; `marketing_refused_by`: why no marketing goes there; `reopened`:
    the senders from which messages go there all the same."""

    address: str
    listed: Listed[ConsentRow]
    holding: Collection[UUID]
    refused_by: list[Effect]
    marketing_refused_by: list[Effect]
    reopened: list[SaidTo]


async def set_by_operator(
    engine: Engine,
    scope: Scope,
    channel: Channel,
    address: str,
    action: Action,
    *,
    source: str,
    actor: str,
    reason: str | None,
    purpose: str = ALL,
    occurred_at: datetime | None = None,
) -> tuple[str, ConsentRow, bool]:
    """Write down what an operator says of an address. Returns the address as it is compared, the row, and whether that
    is a refusal in force. It binds
    everything, or all marketing (`purpose`), that goes to that address, on whatever channel. `occurred_at`: when it
    was said; None: now. Raises InvalidField."""
    kind, address = kind_of(channel, address), _normalised(channel, address)
    hashes = engine.book.hashes(kind, address)

    async def write(tx: AsyncConnection) -> tuple[ConsentRow, bool, set[UUID]]:
        before = await consent_events.allowed_now(tx, [scope.id], kind.value, hashes)
        row = await consents.write(
            tx,
            scope.id,
            kind.value,
            hashes[0],
            EFFECT[action],
            source,
            None,
            occurred_at=occurred_at,
            purpose=purpose,
            actor=actor,
            reason=reason,
        )
        holding = {fact.id for fact in in_force(await consents.last_said(tx, scope.id, kind.value, hashes))}
        return row, row.id in holding, await consent_events.changed_since(tx, before, kind.value, hashes)

    row, holds, endpoints = await engine.database.write(write)
    engine.dispatcher.wake_endpoints(endpoints)
    return address, row, holds


async def of_address(
    engine: Engine, scope: Scope, channel: Channel, address: str, asked: PageRequest
) -> AddressConsents:
    """What was said of an address, the last first, and what of it is in force. Raises InvalidField."""
    kind, address = kind_of(channel, address), _normalised(channel, address)
    hashes = engine.book.hashes(kind, address)

    async def read(tx: AsyncConnection) -> tuple[Listed[ConsentRow], list[ConsentFact]]:
        listed = await consents.listing(tx, scope, [(kind.value, one) for one in hashes], asked)
        return listed, await consents.last_said(tx, scope.id, kind.value, hashes)

    listed, last = await engine.database.read(read)
    holding = {fact.id for fact in in_force({*last, *map(consents.fact_of, listed.rows)})}
    return AddressConsents(address, listed, holding, *_follows(last))


def _follows(last: Sequence[ConsentFact]) -> tuple[list[Effect], list[Effect], list[SaidTo]]:
    everything, marketing = (
        [fact.effect for fact in binding(last, category)] for category in (Category.TRANSACTIONAL, Category.MARKETING)
    )
    return everything, marketing, reopened(last, Category.TRANSACTIONAL)


@dataclass(frozen=True, slots=True)
class GuestAddress:
    """One of a guest's addresses, and what it allows: as in `AddressConsents`."""

    kind: AddressKind
    address: str
    hashes: tuple[bytes, ...]
    refused_by: list[Effect]
    marketing_refused_by: list[Effect]
    reopened: list[SaidTo]
    holding: Collection[UUID]


@dataclass(frozen=True, slots=True)
class GuestConsents:
    """A guest's addresses, and what was said of them. `of`: the address of each row."""

    addresses: list[GuestAddress]
    listed: Listed[ConsentRow]
    of: Mapping[UUID, GuestAddress]


async def of_guest(engine: Engine, scope: Scope, guest_id: UUID, asked: PageRequest) -> GuestConsents:
    """What was said of a guest's addresses, the last first, and what each of them allows. Raises NotFound."""

    async def read(tx: AsyncConnection) -> GuestConsents:
        guest = await profiles.get(tx, scope, guest_id)
        if guest is None:
            raise NotFound
        found = [
            await _guest_address(tx, scope, engine.book, kind, address)
            for kind, address in await _addresses_of(tx, engine.book, guest)
        ]
        by_hash = {(one.kind.value, hashed): one for one in found for hashed in one.hashes}
        listed = await consents.listing(tx, scope, by_hash, asked)
        return GuestConsents(found, listed, {row.id: by_hash[row.kind, row.address_hash] for row in listed.rows})

    return await engine.database.read(read)


async def _addresses_of(tx: AsyncConnection, book: AddressBook, guest: GuestRow) -> list[tuple[AddressKind, str]]:
    """Those that the profile has come first; of two spellings one."""
    known = [(AddressKind.EMAIL, guest.email), (AddressKind.PHONE, guest.phone)]
    given = [(kind, address) for kind, address in known if address]
    given += [(AddressKind(kind), address) for kind, address in await consents.contacts(tx, guest.id, MOST_ADDRESSES)]
    given.append((AddressKind.GUEST, render(Prefix.GUEST, guest.id)))
    return list({(kind, book.hash(kind, address)): (kind, address) for kind, address in reversed(given)}.values())[::-1]


async def _guest_address(
    tx: AsyncConnection, scope: Scope, book: AddressBook, kind: AddressKind, address: str
) -> GuestAddress:
    hashes = book.hashes(kind, address)
    last = await consents.last_said(tx, scope.id, kind.value, hashes)
    return GuestAddress(kind, address, tuple(hashes), *_follows(last), {fact.id for fact in in_force(last)})


async def set_of_guest(
    engine: Engine,
    scope: Scope,
    guest_id: UUID,
    channel: Channel,
    address: str | None,
    action: Action,
    *,
    source: str,
    actor: str,
    reason: str | None,
    purpose: str = ALL,
    occurred_at: datetime | None = None,
) -> tuple[str, ConsentRow, bool]:
    """Write down what a guest said, or an operator says, of one of the guest's addresses; None: the one that the
    profile has for the channel. Returns as `set_by_operator` does. Raises NotFound, InvalidField."""

    async def read(tx: AsyncConnection) -> tuple[GuestRow, list[tuple[AddressKind, str]]]:
        guest = await profiles.get(tx, scope, guest_id)
        if guest is None:
            raise NotFound
        return guest, await _addresses_of(tx, engine.book, guest)

    guest, theirs = await engine.database.read(read)
    if address is None:
        usual = {
            AddressKind.EMAIL: guest.email,
            AddressKind.PHONE: guest.phone,
            AddressKind.GUEST: render(Prefix.GUEST, guest.id),
        }
        address = usual.get(CHANNELS[channel].address)
        if address is None:
            raise InvalidField("address", f"expected an address: the guest has none for {channel.value}", "address")
    kind, given = kind_of(channel, address), _normalised(channel, address)
    if engine.book.hash(kind, given) not in {engine.book.hash(one, theirs_) for one, theirs_ in theirs if one is kind}:
        raise InvalidField("address", "expected an address of this guest", "not_of_guest")
    return await set_by_operator(
        engine,
        scope,
        channel,
        address,
        action,
        source=source,
        actor=actor,
        reason=reason,
        purpose=purpose,
        occurred_at=occurred_at,
    )


def _normalised(channel: Channel, address: str) -> str:
    try:
        return addresses.recipient(channel, address)
    except BadAddress as problem:
        raise InvalidField("address", str(problem), "address") from None
