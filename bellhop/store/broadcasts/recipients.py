"""Whom a broadcast goes to: written down once each, and each given a message once, by the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.broadcasts import GuestFilter, Outcome, RecipientState
from bellhop.domain.guests import fold
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.broadcasts import BroadcastRow, ListedRecipient, RecipientRow
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage, Status, stages_of
from bellhop.store import pages
from bellhop.store.compiled import CompiledStatement
from bellhop.store.guests import profiles
from bellhop.store.rows import from_result
from bellhop.store.tables import broadcast_recipients, guests, messages, stay_guests, stays

KEPT_DAYS = 30
"""After the end of a broadcast: then the addresses of its recipients are forgotten. Their messages are kept as any."""

_IDS, _HASHES = ARRAY(Uuid), ARRAY(LargeBinary)
_ADD_GUESTS = CompiledStatement(
    text(
        """
        insert into broadcast_recipients (scope_id, broadcast_id, guest_id)
        select :scope, :broadcast, guests.id from unnest(:guests) with ordinality given (id, place)
        join guests on guests.id = given.id and guests.scope_id = :scope
        order by given.place
        on conflict do nothing
        """
    ).bindparams(bindparam("guests", type_=_IDS), bindparam("scope", type_=Uuid), bindparam("broadcast", type_=Uuid)),
)
_ADD_ADDRESSES = CompiledStatement(
    text(
        """
        insert into broadcast_recipients (scope_id, broadcast_id, recipient, address_hash)
        select :scope, :broadcast, given.address, given.hashed
        from unnest(:addresses, :hashes) with ordinality given (address, hashed, place)
        order by given.place
        on conflict do nothing
        """
    ).bindparams(
        bindparam("addresses", type_=ARRAY(Text)),
        bindparam("hashes", type_=_HASHES),
        bindparam("scope", type_=Uuid),
        bindparam("broadcast", type_=Uuid),
    ),
)
_NEXT = CompiledStatement(
    text(
        """
        select id, guest_id, recipient, state, reason, message_id from broadcast_recipients
        where broadcast_id = :broadcast and state = 'pending' order by id limit :most
        """
    ).bindparams(bindparam("most", type_=Integer)),
    row=RecipientRow,
)
_TAKEN = CompiledStatement(
    text(
        """
        select address_hash from broadcast_recipients
        where broadcast_id = :broadcast and address_hash = any(:hashes) and not (id = any(:but))
        """
    ).bindparams(bindparam("hashes", type_=_HASHES), bindparam("but", type_=_IDS)),
    value=bytes,
)
_WRITE = CompiledStatement(
    text(
        """
        update broadcast_recipients set state = given.state, reason = given.reason, message_id = given.message_id,
          address_hash = coalesce(broadcast_recipients.address_hash, given.hashed)
        from unnest(:ids, :states, :reasons, :messages, :hashes) given (id, state, reason, message_id, hashed)
        where broadcast_recipients.id = given.id
        """
    ).bindparams(
        bindparam("ids", type_=_IDS),
        bindparam("states", type_=ARRAY(Text)),
        bindparam("reasons", type_=ARRAY(Text)),
        bindparam("messages", type_=_IDS),
        bindparam("hashes", type_=_HASHES),
    ),
)
_OF_STATE = CompiledStatement(
    text(
        """
        select id, guest_id, recipient, state, reason, message_id from broadcast_recipients
        where broadcast_id = :broadcast and state = :state and id > :after order by id limit :most
        """
    ).bindparams(bindparam("after", type_=Uuid), bindparam("most", type_=Integer)),
    row=RecipientRow,
)


@dataclass(slots=True)
class _Count:
    word: str
    count: int


_BY_STATE = CompiledStatement(
    text(
        """
        select state || coalesce(':' || reason, '') as word, count(*)::int as count
        from broadcast_recipients where broadcast_id = :broadcast group by state, reason
        """
    ),
    row=_Count,
)
# As `PublicMessage.shown`.
_BY_STAGE = CompiledStatement(
    text(
        """
        select case when message.stage <> 'queued' or message.sent_at is null then message.stage
          when message.delivered_at is null then 'sent' else 'delivered' end as word, count(*)::int as count
        from broadcast_recipients recipient join messages message on message.id = recipient.message_id
        where recipient.broadcast_id = :broadcast and recipient.state = 'accepted'
        group by 1
        """
    ),
    row=_Count,
)
_FORGET = text(
    f"""
    with old as (
      select id from broadcasts where ended_at < now() - interval '{KEPT_DAYS} days' and forgotten_at is null
      order by ended_at limit 1 for update skip locked
    ), emptied as (
      update broadcast_recipients set recipient = null, address_hash = null where id = any(array(
        select recipient.id from old join broadcast_recipients recipient on recipient.broadcast_id = old.id
        where recipient.recipient is not null or recipient.address_hash is not null
        limit :most))
      returning id
    ), done as (
      update broadcasts set forgotten_at = now()
      where id in (select id from old) and (select count(*) from emptied) < :most
    )
    select count(*) from emptied
    """
)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a recipient. `hashed`: of the address that the message goes to."""

    id: UUID
    message_id: UUID | None = None
    reason: str | None = None
    hashed: bytes | None = None


async def add_guests(tx: AsyncConnection, scope: Scope, broadcast_id: UUID, guest_ids: Sequence[UUID]) -> int:
    """Write down guests of this scope, each once. Returns how many are new."""
    return await _ADD_GUESTS(tx, scope=scope.id, broadcast=broadcast_id, guests=list(guest_ids))


async def add_addresses(tx: AsyncConnection, scope: Scope, broadcast_id: UUID, addresses: Mapping[bytes, str]) -> int:
    """Write down addresses, by their hashes. Returns how many are new."""
    return await _ADD_ADDRESSES(
        tx, scope=scope.id, broadcast=broadcast_id, addresses=list(addresses.values()), hashes=list(addresses)
    )


def _meant(scope: Scope, which: GuestFilter, after: UUID | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [guests.c.scope_id == scope.id, guests.c.is_active]
    if after is not None:
        conditions.append(guests.c.id > after)
    if which.languages:
        lower = func.lower(guests.c.language)
        conditions.append(
            or_(
                *(
                    or_(lower == one.lower(), lower.startswith(f"{one.lower()}-", autoescape=True))
                    for one in which.languages
                )
            )
        )
    if which.search:
        conditions.append(func.strpos(guests.c.search_text, fold(which.search)) > 0)
    if which.of_stays:
        of_stay: list[ColumnElement[bool]] = [stay_guests.c.guest_id == guests.c.id, stays.c.scope_id == scope.id]
        if which.stay_status:
            of_stay.append(stays.c.status.in_([one.value for one in which.stay_status]))
        if which.first is not None:
            of_stay.append(func.coalesce(stays.c.departure, stays.c.arrival) >= which.first)
        if which.last is not None:
            of_stay.append(func.coalesce(stays.c.arrival, stays.c.departure) <= which.last)
        there = select(stay_guests.c.stay_id).join(stays, stays.c.id == stay_guests.c.stay_id).where(and_(*of_stay))
        conditions.append(there.exists())
    return conditions


async def meant(tx: AsyncConnection, scope: Scope, which: GuestFilter, after: UUID | None, most: int) -> list[UUID]:
    """The next guests that a filter means, in the order of their keys."""
    query = select(guests.c.id).where(*_meant(scope, which, after)).order_by(guests.c.id).limit(most)
    return list((await tx.execute(query)).scalars())


async def count_meant(tx: AsyncConnection, scope: Scope, which: GuestFilter, most: int) -> int:
    """How many those are; `most`: it is not counted further."""
    some = select(guests.c.id).where(*_meant(scope, which, None)).limit(most).subquery()
    found: int = (await tx.execute(select(func.count()).select_from(some))).scalar_one()
    return found


async def following(tx: AsyncConnection, row: BroadcastRow, most: int) -> list[RecipientRow]:
    """The next who are to get it. Under the broadcast's lock nobody else gives them a message."""
    return await _NEXT(tx, broadcast=row.id, most=most)


async def guests_of(tx: AsyncConnection, scope: Scope, guest_ids: Collection[UUID]) -> dict[UUID, GuestRow]:
    """These guests, as they are now."""
    found = await tx.execute(profiles.of_scope(scope).where(guests.c.id == any_(literal(list(guest_ids), _IDS))))
    return {row.id: row for row in from_result(GuestRow, found)}


async def taken(tx: AsyncConnection, row: BroadcastRow, hashes: Collection[bytes], but: Collection[UUID]) -> set[bytes]:
    """Which of these addresses are other recipients' (than those) already."""
    return set(await _TAKEN(tx, broadcast=row.id, hashes=list(hashes), but=list(but)))


async def write(tx: AsyncConnection, done: Sequence[Done]) -> None:
    """Write down what became of some, in the transaction that accepted their messages."""
    await _WRITE(
        tx,
        ids=[one.id for one in done],
        states=[(RecipientState.ACCEPTED if one.message_id else RecipientState.REFUSED).value for one in done],
        reasons=[one.reason for one in done],
        messages=[one.message_id for one in done],
        hashes=[one.hashed for one in done],
    )


async def of_state(
    tx: AsyncConnection, row: BroadcastRow, state: RecipientState, after: UUID, most: int
) -> list[RecipientRow]:
    """The next who stand so, in the order of their keys."""
    return await _OF_STATE(tx, broadcast=row.id, state=state.value, after=after, most=most)


async def counts(tx: AsyncConnection, broadcast_id: UUID) -> tuple[dict[str, int], dict[str, int]]:
    """How many recipients stand so (`pending`, `accepted`, `refused:word`), and at which stage messages are."""
    by_state = {one.word: one.count for one in await _BY_STATE(tx, broadcast=broadcast_id)}
    by_stage = {one.word: one.count for one in await _BY_STAGE(tx, broadcast=broadcast_id)}
    return by_state, by_stage


_STAGE = case(
    (or_(messages.c.stage != Stage.QUEUED.value, messages.c.sent_at.is_(None)), messages.c.stage),
    (messages.c.delivered_at.is_(None), Stage.SENT.value),
    else_=Stage.DELIVERED.value,
)
"""As `PublicMessage.shown`."""
_LISTED = select(
    *(broadcast_recipients.c[each.name] for each in fields(RecipientRow)),
    _STAGE.label("stage"),
    messages.c.failure_code,
).outerjoin(
    messages,
    and_(messages.c.id == broadcast_recipients.c.message_id, messages.c.scope_id == broadcast_recipients.c.scope_id),
)


def _of(outcome: Outcome) -> ColumnElement[bool]:
    """That this became of a recipient."""
    state = broadcast_recipients.c.state
    if outcome in (Outcome.PENDING, Outcome.REFUSED):
        return state == outcome.value
    if outcome is Outcome.ACCEPTED:
        return and_(state == RecipientState.ACCEPTED.value, messages.c.id.is_(None))
    return _STAGE.in_([stage.value for stage in stages_of(Status(outcome.value))])


async def listing(
    tx: AsyncConnection, row: BroadcastRow, asked: PageRequest, outcome: Outcome | None
) -> Listed[ListedRecipient]:
    """The recipients of a broadcast, the last that was written down first. With an `outcome` it reads all there are, at
    most MOST_RECIPIENTS."""
    query = _LISTED if outcome is None else _LISTED.where(_of(outcome))
    owner, key = broadcast_recipients.c.broadcast_id, broadcast_recipients.c.id
    some = pages.within(query, owner, row.id, key, pages.before(asked))
    rows = from_result(ListedRecipient, await tx.execute(pages.taken(some, asked)))
    every = pages.within(query, owner, row.id, key)
    return await pages.page(rows, asked, lambda one: Place(one.id), lambda: pages.count(tx, every))


async def erase(tx: AsyncConnection, scope: Scope, guest_id: UUID, hashes: Collection[bytes]) -> None:
    """Take an erased guest out of every broadcast, and addresses that were theirs alone."""
    theirs = broadcast_recipients.c.address_hash == any_(literal(list(hashes), _HASHES))
    await tx.execute(
        delete(broadcast_recipients).where(
            broadcast_recipients.c.scope_id == scope.id,
            or_(broadcast_recipients.c.guest_id == guest_id, theirs),
        )
    )


async def forget(tx: AsyncConnection, most: int) -> int:
    """Addresses of broadcasts that ended long ago."""
    found: int = (await tx.execute(_FORGET, {"most": most})).scalar_one()
    return found
