"""What guests allow: an append-only list by address hash. What follows from it, bellhop/domain/consents.py decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, any_, bindparam, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.consents import ALL, LIFTED_BY, ConsentFact, Effect, SaidTo, binding, in_force, reopened
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.guests import ConsentRow
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.compiled import CompiledStatement
from bellhop.store.rows import from_result, from_row
from bellhop.store.tables import consents, contact_points

_UNSTATED = {"opt_out": Effect.OPT_OUT, "opt_in": Effect.OPT_IN}
"""What a row is taken for that a process of an older version wrote during an upgrade: it knew the action alone."""


@dataclass(slots=True)
class _Said:
    """The last of what was said of an address for one cause and purpose."""

    id: UUID
    action: str
    cause: str
    purpose: str
    channel: str
    sender: str
    occurred_at: datetime

    def fact(self) -> ConsentFact:
        effect = effect_of(self.cause, self.action)
        return ConsentFact(self.id, effect, self.occurred_at, self.purpose, _said_to(self.channel, self.sender))


# From one cause, purpose and sender of ours to the next along the index: as many steps as an address has of those,
# however often each was said. One step for an address of which nothing was.
def _last_said(hashed: str) -> str:
    return f"""
        with recursive last as (
          (
            select id, action, cause, purpose, channel, sender, occurred_at from consents
            where scope_id = :scope and kind = :kind and address_hash = {hashed}
            order by cause desc, purpose desc, channel desc, sender desc, occurred_at desc, id desc limit 1
          )
          union all
          select following.* from last cross join lateral (
            select id, action, cause, purpose, channel, sender, occurred_at from consents
            where scope_id = :scope and kind = :kind and address_hash = {hashed}
              and (cause, purpose, channel, sender) < (last.cause, last.purpose, last.channel, last.sender)
            order by cause desc, purpose desc, channel desc, sender desc, occurred_at desc, id desc limit 1
          ) following
        )
        select id, action, cause, purpose, channel, sender, occurred_at from last
    """


_LAST_SAID = CompiledStatement(text(_last_said(":hashed")), row=_Said)


@dataclass(slots=True)
class _SaidOf(_Said):
    address_hash: bytes


_LAST_SAID_OF_EACH = CompiledStatement(
    text(
        f"""
        select given.hashed as address_hash, said.* from unnest(:hashes) given (hashed)
        cross join lateral ({_last_said("given.hashed")}) said
        """
    ).bindparams(bindparam("hashes", type_=ARRAY(LargeBinary))),
    row=_SaidOf,
)
_REMEMBER = CompiledStatement(
    upsert(contact_points).on_conflict_do_nothing().inline(),
    ("scope_id", "kind", "address", "address_hash", "guest_id"),
)


def fact_of(row: ConsentRow) -> ConsentFact:
    """What a row says."""
    said_to = _said_to(row.channel, row.sender)
    return ConsentFact(row.id, effect_of(row.cause, row.action), row.occurred_at, row.purpose, said_to)


def _said_to(channel: str, sender: str) -> SaidTo | None:
    return SaidTo(Channel(channel), sender) if channel and sender else None


def effect_of(cause: str, action: str) -> Effect:
    """The effect that a row stands for."""
    return _UNSTATED[action] if cause == "unstated" else Effect(cause)


async def write(
    tx: AsyncConnection,
    scope_id: UUID,
    kind: str,
    address_hash: bytes,
    effect: Effect,
    source: str,
    evidence: UUID | None,
    *,
    said_to: SaidTo | None = None,
    occurred_at: datetime | None = None,
    group: str | None = None,
    purpose: str = ALL,
    actor: str | None = None,
    reason: str | None = None,
) -> ConsentRow:
    """Record what an address said, or what was said of it. `source`: where we have it from. `said_to`: one of the
    scope's senders, so that there are no more of them than those. `occurred_at`: when it was said, if that is known;
    None: now. `group`: the provider's, if it is about one, else `purpose` says what it is
    about. `actor` and `reason`: of a person who set it."""
    # A clock that is ahead would make a fact that nothing said later could lift.
    said = func.now() if occurred_at is None else func.least(occurred_at, func.now())
    written = await tx.execute(
        insert(consents)
        .values(
            scope_id=scope_id,
            kind=kind,
            address_hash=address_hash,
            purpose=purpose if group is None else f"group:{group}",
            action="opt_out" if effect in LIFTED_BY else "opt_in",
            cause=effect.value,
            channel=said_to.channel.value if said_to else "",
            sender=said_to.address if said_to else "",
            source=source,
            evidence_id=evidence,
            actor=actor,
            reason=reason,
            occurred_at=said,
        )
        .returning(*consents.c)
    )
    row = from_row(ConsentRow, written.one())
    if effect in (Effect.HARD_BOUNCE, Effect.OPERATOR_OPT_IN):
        await _mark_contact(tx, scope_id, kind, address_hash)
    return row


async def _mark_contact(tx: AsyncConnection, scope_id: UUID, kind: str, address_hash: bytes) -> None:
    """Note with its contact points since when an address is invalid: since the bounce that is in force, if one is."""
    holding = in_force(await last_said(tx, scope_id, kind, [address_hash]))
    since = next((fact.occurred_at for fact in holding if fact.effect is Effect.HARD_BOUNCE), None)
    same = select(contact_points.c.id).where(
        contact_points.c.scope_id == scope_id,
        contact_points.c.kind == kind,
        contact_points.c.address_hash == address_hash,
    )
    # Those who share an address, in the one order of locks.
    in_order = same.order_by(contact_points.c.id).with_for_update()
    points = any_(func.array(in_order.scalar_subquery(), type_=ARRAY(Uuid)))
    await tx.execute(update(contact_points).where(contact_points.c.id == points).values(invalid_since=since))


async def last_said(tx: AsyncConnection, scope_id: UUID, kind: str, hashes: Iterable[bytes]) -> list[ConsentFact]:
    """The last of what was said of an address, for each cause, purpose and sender of ours: all that a decision needs.
    `hashes`: every one under which it may be stored."""
    return [
        said.fact()
        for hashed in dict.fromkeys(hashes)
        for said in await _LAST_SAID(tx, scope=scope_id, kind=kind, hashed=hashed)
    ]


async def refused(
    tx: AsyncConnection,
    scope_id: UUID,
    kind: str,
    hashes: Iterable[bytes],
    category: Category = Category.TRANSACTIONAL,
    *,
    channel: Channel | None = None,
    sender: str | None = None,
) -> Effect | None:
    """Why messages of a category may not go to an address on a channel (None: any) from a sender (None: any of the
    scope's), or None when they may. A bounce only where nothing else stands against it: a guest who wants no messages
    is not asked for another address."""
    return _why_not(await last_said(tx, scope_id, kind, hashes), category, channel, sender)


def _why_not(
    facts: Sequence[ConsentFact], category: Category, channel: Channel | None, sender: str | None
) -> Effect | None:
    started = reopened(facts, category)
    if any(channel in (None, one.channel) and sender in (None, one.address) for one in started):
        return None
    holding = [fact.effect for fact in binding(facts, category)]
    return min(holding, key=lambda effect: effect is Effect.HARD_BOUNCE, default=None)


async def refused_each(
    tx: AsyncConnection,
    scope_id: UUID,
    kind: str,
    hashes: Iterable[bytes],
    category: Category,
    channel: Channel,
    sender: str | None,
) -> dict[bytes, Effect]:
    """The same of many addresses, each by its hash; of those that may be written to nothing."""
    said: dict[bytes, list[ConsentFact]] = {}
    for one in await _LAST_SAID_OF_EACH(tx, scope=scope_id, kind=kind, hashes=list(dict.fromkeys(hashes))):
        said.setdefault(one.address_hash, []).append(one.fact())
    found: dict[bytes, Effect] = {}
    for hashed, facts in said.items():
        if (why := _why_not(facts, category, channel, sender)) is not None:
            found[hashed] = why
    return found


async def opted_out(tx: AsyncConnection, scope_id: UUID, kind: str, hashes: Iterable[bytes]) -> set[bytes]:
    """Which of some addresses want no messages at all, by their hashes; not those that only bounced."""
    found = set()
    for hashed in dict.fromkeys(hashes):
        if await refused(tx, scope_id, kind, [hashed]) not in (None, Effect.HARD_BOUNCE):
            found.add(hashed)
    return found


async def listing(
    tx: AsyncConnection, scope: Scope, addresses: Collection[tuple[str, bytes]], asked: PageRequest
) -> Listed[ConsentRow]:
    """What was said of some addresses, the last first. `addresses`: kinds and hashes."""
    query = select(consents).where(
        consents.c.scope_id == scope.id, tuple_(consents.c.kind, consents.c.address_hash).in_(list(addresses))
    )
    newest = query.order_by(consents.c.occurred_at.desc(), consents.c.id.desc())
    if asked.after is not None:
        newest = newest.where(tuple_(consents.c.occurred_at, consents.c.id) < (asked.after.at, asked.after.id))
    rows = from_result(ConsentRow, await tx.execute(pages.taken(newest, asked)))
    return await pages.page(rows, asked, lambda row: Place(row.id, row.occurred_at), lambda: pages.count(tx, query))


async def contacts(tx: AsyncConnection, guest_id: UUID, most: int) -> list[tuple[str, str]]:
    """The addresses that a guest has or was written to at, as (kind, address), the oldest first; `most` of them."""
    found = await tx.execute(
        select(contact_points.c.kind, contact_points.c.address)
        .where(contact_points.c.guest_id == guest_id)
        .order_by(contact_points.c.id)
        .limit(most)
    )
    return [(row.kind, row.address) for row in found]


async def remember_contact(
    tx: AsyncConnection, scope_id: UUID, kind: str, address: str, address_hash: bytes, guests: Iterable[UUID | None]
) -> None:
    """Make sure a contact point exists for an address, with each of `guests` (None: nobody known)."""
    for guest_id in guests:
        await _REMEMBER(tx, scope_id=scope_id, kind=kind, address=address, address_hash=address_hash, guest_id=guest_id)
