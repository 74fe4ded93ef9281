"""Whose message a guest's text is, where several properties share the sender that it was written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid, any_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import spellings
from bellhop.domain.channels import CHANNELS
from bellhop.domain.delivery_ports import Account, Inbound
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import receipts, senders

LOOKED_AT = 200
"""How many of the newest messages to an address are looked at for who wrote to it last."""


@dataclass(slots=True)
class Sharing:
    """A scope that sends from the address a guest wrote to, with its row of the account."""

    scope_id: UUID
    account_id: UUID
    address: str


@dataclass(slots=True)
class _Known:
    """A scope that knows the guest's address. `attempt_id`: the last call with which it wrote there; None: none yet."""

    scope_id: UUID
    attempt_id: str | None


_SHARING = CompiledStatement(
    select(senders.c.scope_id, senders.c.account_id, senders.c.address)
    .where(
        senders.c.address == any_(bindparam("addresses", type_=ARRAY(Text))),
        senders.c.account_id == any_(bindparam("accounts", type_=ARRAY(Uuid))),
        senders.c.channel == bindparam("channel"),
    )
    .order_by(senders.c.id),
    row=Sharing,
)
# By when the provider was called, not by when that was asked for: what was scheduled long ago may just have gone out.
_KNOWN = CompiledStatement(
    text(
        """
        select written.scope_id, max(attempt.id::text) as attempt_id
        from unnest(:hashes) given (hash)
        cross join lateral (
          (select id, scope_id from messages
          where address_hash = given.hash and direction = 'outbound' order by id desc limit :looked_at)
          union all
          (select message_id, scope_id from message_steps
          where address_hash = given.hash order by id desc limit :looked_at)
        ) written
        left join attempts attempt on attempt.message_id = written.id
          and attempt.sender = any(:senders) and attempt.state <> 'not_sent'
        where written.scope_id = any(:scopes)
        group by written.scope_id
        union all
        select distinct point.scope_id, null from contact_points point
        where point.scope_id = any(:scopes) and point.kind = :kind and point.address_hash = any(:hashes)
          and point.guest_id is not null
        order by attempt_id desc nulls last, scope_id
        """
    ).bindparams(
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("senders", type_=ARRAY(Text)),
        bindparam("scopes", type_=ARRAY(Uuid)),
        bindparam("kind", type_=Text),
    ),
    row=_Known,
)


_STORED = CompiledStatement(
    select(receipts.c.id)
    .where(
        receipts.c.dedupe_key == bindparam("dedupe_key"),
        receipts.c.account_id == any_(bindparam("accounts", type_=ARRAY(Uuid))),
    )
    .limit(1),
    value=UUID,
)


async def sharing(tx: AsyncConnection, verified: Sequence[Account], item: Inbound) -> list[Sharing]:
    """The scopes that send from the address which a text went to, each once."""
    addresses = spellings(CHANNELS[item.channel].address, item.recipient)
    found = await _SHARING(
        tx,
        addresses=[*addresses, *([item.service] if item.service else [])],
        accounts=[account.id for account in verified],
        channel=item.channel.value,
    )
    by_scope: dict[UUID, Sharing] = {}
    for one in found:
        by_scope.setdefault(one.scope_id, one)
    return list(by_scope.values())


async def owners(
    tx: AsyncConnection, shared: Sequence[Sharing], item: Inbound, hashes: Sequence[bytes]
) -> list[Sharing]:
    """Whose message a text is, of those that share the sender: the one that wrote to the guest last; where none did,
    each that knows the guest. A sender of one scope has no other owner. `hashes`: the guest's address."""
    if len(shared) <= 1:
        return list(shared)
    known = await _KNOWN(
        tx,
        hashes=list(hashes),
        senders=sorted({one.address for one in shared}),
        scopes=[one.scope_id for one in shared],
        kind=CHANNELS[item.channel].address.value,
        looked_at=LOOKED_AT,
    )
    if known and known[0].attempt_id is not None:
        return [one for one in shared if one.scope_id == known[0].scope_id]
    scopes = {one.scope_id for one in known}
    return [one for one in shared if one.scope_id in scopes]


async def was_here(tx: AsyncConnection, verified: Sequence[Account], item: Inbound) -> bool:
    """Whether a text is stored already, for whichever scope: who wrote last may have changed before its callback was
    repeated. Until this transaction ends, nobody else stores it."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(item.dedupe_key, 0))))
    return bool(await _STORED(tx, accounts=[account.id for account in verified], dedupe_key=item.dedupe_key))
