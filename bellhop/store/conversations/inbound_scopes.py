"""Whose message a guest's text is, where several properties share the sender that it was written to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import spellings
from bellhop.domain.channels import CHANNELS, Channel, kind_of
from bellhop.domain.delivery_ports import Account, Inbound
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import provider_accounts, receipts, senders

LOOKED_AT = 200
"""How many of the newest messages to an address are looked at for who wrote to it last."""
SOLE = 20
"""Senders with an address that are read to see whether only one is meant: a thousand properties may have it."""


@dataclass(slots=True)
class Sharing:
    """A scope that sends from the address a guest wrote to, with its row of the account."""

    scope_id: UUID
    account_id: UUID
    address: str


@dataclass(slots=True)
class _Known:
    """A scope that sends from there and knows the guest's address. `attempt_id`: the last call with which it wrote
    there; None: none yet."""

    scope_id: UUID
    account_id: UUID
    address: str
    attempt_id: str | None


_sending = select(senders.c.scope_id, senders.c.account_id, senders.c.address).where(
    senders.c.address == any_(bindparam("addresses", type_=ARRAY(Text))), senders.c.channel == bindparam("channel")
)
_SHARING = CompiledStatement(_sending.order_by(senders.c.id), row=Sharing)
_SENDER = CompiledStatement(
    select(senders.c.scope_id, senders.c.account_id, senders.c.address)
    .where(senders.c.scope_id == bindparam("scope", type_=Uuid), senders.c.channel == bindparam("channel"))
    .order_by(senders.c.is_default.desc(), senders.c.id)
    .limit(1),
    row=Sharing,
)
_SOME_SHARING = CompiledStatement(_sending.limit(SOLE), row=Sharing)
# By when the provider was called, not by when that was asked for: what was scheduled long ago may just have gone out.
# From the guest's address, which few know, and not from the scopes that share the sender.
_KNOWN = CompiledStatement(
    text(
        """
        select known.scope_id, sender.account_id, sender.address, known.attempt_id
        from (
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
            and attempt.sender = any(:addresses) and attempt.state <> 'not_sent'
          group by written.scope_id
          union all
          select distinct point.scope_id, null from contact_points point
          where point.address_hash = any(:hashes) and point.kind = :kind and point.guest_id is not null
        ) known
        join senders sender on sender.scope_id = known.scope_id and sender.channel = :channel
          and sender.address = any(:addresses)
        order by known.attempt_id desc nulls last, known.scope_id, sender.id
        """
    ).bindparams(
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("addresses", type_=ARRAY(Text)),
        bindparam("channel", type_=Text),
        bindparam("kind", type_=Text),
    ),
    row=_Known,
)
_OF_ACCOUNTS = CompiledStatement(
    select(
        provider_accounts.c.scope_id,
        provider_accounts.c.id.label("account_id"),
        provider_accounts.c.identity.label("address"),
    )
    .where(provider_accounts.c.id == any_(bindparam("accounts", type_=ARRAY(Uuid))))
    .limit(2),
    row=Sharing,
)
_STORED = CompiledStatement(
    select(receipts.c.account_id).where(receipts.c.dedupe_key == bindparam("dedupe_key")), value=UUID
)
_ALONE = CompiledStatement(
    text("select pg_advisory_xact_lock(hashtextextended(:dedupe_key, 0))").bindparams(
        bindparam("dedupe_key", type_=Text)
    )
)


async def sender_of(tx: AsyncConnection, scope_id: UUID, channel: Channel) -> Sharing | None:
    """What this scope itself sends from on a channel; None: it has no sender there."""
    return next(iter(await _SENDER(tx, scope=scope_id, channel=channel.value)), None)


async def sharing(tx: AsyncConnection, verified: Sequence[Account], item: Inbound) -> list[Sharing]:
    """The scopes that send from the address which a text went to, each once."""
    return _each_once(await _SHARING(tx, addresses=_addresses(item), channel=item.channel.value), verified)


async def written_to(tx: AsyncConnection, account_ids: Collection[UUID], item: Inbound) -> dict[UUID, list[str]]:
    """The senders which a text went to, of those that are set up with these accounts, by scope: a number, and the
    service that it is in."""
    found: dict[UUID, list[str]] = {}
    for one in await _SHARING(tx, addresses=_addresses(item), channel=item.channel.value):
        if one.account_id in account_ids:
            found.setdefault(one.scope_id, []).append(one.address)
    return found


async def owners(
    tx: AsyncConnection, verified: Sequence[Account], item: Inbound, hashes: Sequence[bytes]
) -> list[Sharing]:
    """Whose message a text is, of the scopes that share the sender: the one that wrote to the guest last; where none
    did, each that knows the guest. A sender of one scope has no other owner. `hashes`: the guest's address."""
    addresses, channel = _addresses(item), item.channel.value
    found = await _SOME_SHARING(tx, addresses=addresses, channel=channel)
    shared = _each_once(found, verified)
    if len(shared) <= 1 and len(found) == SOLE:
        shared = await sharing(tx, verified, item)
    if not found and CHANNELS[item.channel].any_recipient:
        # Whatever comes to a domain whose account is one property's alone is theirs.
        alone = await _OF_ACCOUNTS(tx, accounts=[account.id for account in verified])
        return [Sharing(alone[0].scope_id, alone[0].account_id, item.recipient)] if len(alone) == 1 else []
    if len(shared) <= 1:
        return shared
    kind = kind_of(item.channel, item.sender).value
    known = await _KNOWN(tx, hashes=list(hashes), addresses=addresses, channel=channel, kind=kind, looked_at=LOOKED_AT)
    signed = {account.id for account in verified}
    theirs = [one for one in known if one.account_id in signed]
    if theirs and theirs[0].attempt_id is not None:
        theirs = theirs[:1]
    return _each_once([Sharing(one.scope_id, one.account_id, one.address) for one in theirs], verified)


async def was_here(tx: AsyncConnection, verified: Sequence[Account], item: Inbound) -> bool:
    """Whether a text is stored already, for whichever scope: who wrote last may have changed before its callback was
    repeated. Until this transaction ends, nobody else stores it."""
    await _ALONE(tx, dedupe_key=item.dedupe_key)
    return await is_stored(tx, verified, item)


async def is_stored(tx: AsyncConnection, verified: Sequence[Account], item: Inbound) -> bool:
    """The same of just now."""
    stored = await _STORED(tx, dedupe_key=item.dedupe_key)
    return bool(stored) and any(account.id in stored for account in verified)


def _addresses(item: Inbound) -> list[str]:
    """Every way in which the address it went to may be set as a sender."""
    return [*spellings(CHANNELS[item.channel].address, item.recipient), *([item.service] if item.service else [])]


def _each_once(found: Sequence[Sharing], verified: Sequence[Account]) -> list[Sharing]:
    """Of senders those whose accounts signed, one of each scope: the first."""
    signed = {account.id for account in verified}
    by_scope: dict[UUID, Sharing] = {}
    for one in found:
        if one.account_id in signed:
            by_scope.setdefault(one.scope_id, one)
    return list(by_scope.values())
