"""What an address allows: looked at, and set or lifted by an operator, with who did it and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses
from bellhop.domain.addresses import BadAddress
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel, kind_of
from bellhop.domain.consents import ALL, ConsentFact, Effect, binding, in_force
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.guests import ConsentRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField
from bellhop.store.guests import consents


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
    written to, the last said first; nothing: it may; `marketing_refused_by`: why no marketing goes there."""

    address: str
    listed: Listed[ConsentRow]
    holding: Collection[UUID]
    refused_by: list[Effect]
    marketing_refused_by: list[Effect]


async def set_by_operator(
    engine: Engine,
    scope: Scope,
    channel: Channel,
    address: str,
    action: Action,
    *,
    source: str,
    actor: str,
    reason: str,
    purpose: str = ALL,
) -> tuple[str, ConsentRow]:
    """Write down what an operator says of an address. Returns the address as it is compared, and the row. It binds
    everything, or all marketing (`purpose`), that goes to that address, on whatever channel. Raises InvalidField."""
    kind, address = kind_of(channel, address), _normalised(channel, address)
    hashed = engine.book.hash(kind, address)

    async def write(tx: AsyncConnection) -> ConsentRow:
        return await consents.write(
            tx,
            scope.id,
            kind.value,
            hashed,
            EFFECT[action],
            source,
            None,
            purpose=purpose,
            actor=actor,
            reason=reason,
        )

    return address, await engine.database.write(write)


async def of_address(
    engine: Engine, scope: Scope, channel: Channel, address: str, asked: PageRequest
) -> AddressConsents:
    """What was said of an address, the last first, and what of it is in force. Raises InvalidField."""
    kind, address = kind_of(channel, address), _normalised(channel, address)
    hashes = engine.book.hashes(kind, address)

    async def read(tx: AsyncConnection) -> tuple[Listed[ConsentRow], list[ConsentFact]]:
        listed = await consents.listing(tx, scope, kind.value, hashes, asked)
        return listed, await consents.last_said(tx, scope.id, kind.value, hashes)

    listed, last = await engine.database.read(read)
    holding = {fact.id for fact in in_force({*last, *map(consents.fact_of, listed.rows)})}
    everything, marketing = (
        [fact.effect for fact in binding(last, category)] for category in (Category.TRANSACTIONAL, Category.MARKETING)
    )
    return AddressConsents(address, listed, holding, everything, marketing)


def _normalised(channel: Channel, address: str) -> str:
    try:
        return addresses.recipient(channel, address)
    except BadAddress as problem:
        raise InvalidField("address", str(problem), "address") from None
