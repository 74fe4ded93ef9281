"""Erasing a guest (I7): everything with the guest's data goes, a tombstone of ids, times and statuses stays.

Consents survive, by address hash: an erased guest who opted out stays opted out. So does the hash of the address in
what was sent: an opt-out or a complaint about it may come later, and binds as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Subquery,
    Text,
    and_,
    any_,
    case,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain import groups as groups_of
from bellhop.domain.addresses import AddressBook, canonical, spellings
from bellhop.domain.channels import AddressKind
from bellhop.domain.events import EventType
from bellhop.domain.groups import Group
from bellhop.domain.ids import intents_workflow, message_workflow
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.store.broadcasts import recipients
from bellhop.store.conversations import inbound_files, intents, notes
from bellhop.store.guests import profiles, provisional, stays
from bellhop.store.inbox import entries
from bellhop.store.messages import assets, groups, progress, short_links
from bellhop.store.rows import from_result
from bellhop.store.tables import (
    attempts,
    consents,
    contact_points,
    conversations,
    guests,
    history_erasures,
    message_steps,
    messages,
    operator_actions,
    provider_accounts,
    receipts,
    scopes,
)
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

_TOMBSTONE: dict[str, Any] = {
    "recipient": None,
    "address_hash": None,
    "sender": None,
    "guest_ref": None,
    "guest_id": None,
    "conversation_id": None,
    "stay_id": None,
    "subject": None,
    "content": None,
    "body": None,
    "details": None,
    "reference": None,
    "tags": [],
    "metadata": {},
}


_STEP_TOMBSTONE = {
    name: _TOMBSTONE[name] for name in ("recipient", "address_hash", "subject", "content", "body", "details")
}


@dataclass(slots=True)
class Erased:
    """What the commit leaves to do: workflows to wake so that they close, endpoints that are owed events."""

    woken: list[MessageRow] = field(default_factory=list)
    endpoints: set[UUID] = field(default_factory=set)
    files: list[str] = field(default_factory=list)
    """Keys of files to be removed."""
    at_providers: list[tuple[UUID, UUID]] = field(default_factory=list)
    """Messages, with their scopes, whose files are to be deleted at the provider."""

    def add(self, more: Erased) -> None:
        """Do the same of what was erased along."""
        self.woken += more.woken
        self.endpoints |= more.endpoints
        self.files += more.files
        self.at_providers += more.at_providers


async def erase(
    tx: AsyncConnection, scope: Scope, guest_id: UUID, book: AddressBook, *, beside: bool = True
) -> Erased | None:
    """Erase a guest of this scope with everything that tells of them; None when there is no such guest. `beside`:
    also the provisional guests that were made of their addresses, here or where another scope got what they wrote.

    Lock order: guest, then its messages by id.
    """
    guest = await profiles.get_locked(tx, scope, guest_id)
    if guest is None:
        return None
    alone, _ = await addresses_of(tx, scope, guest, book)
    erased = Erased()
    for other, stray in await provisional.beside(tx, scope, guest_id, alone) if beside else ():
        if (along := await erase(tx, other, stray, book, beside=False)) is not None:
            erased.add(along)
    took_part = await notes.taken_part(tx, scope, guest_id)
    outbound, everything = await _anonymise(tx, scope, guest_id, alone, erased)
    erased.files += await assets.erase(tx, scope, guest_id, everything)
    await _empty(tx, scope, everything, alone)
    await intents.erase(tx, everything)
    erased.at_providers += await inbound_files.erase(tx, everything)
    await _empty_strays(tx, scope, alone, erased)
    await notes.forget(tx, scope, took_part)
    await _forget(tx, scope, guest_id, alone)
    await recipients.erase(tx, scope, guest_id, [hashed for _, hashed in alone])
    await stays.forget(tx, guest_id)
    await entries.forget(tx, guest_id)
    if everything:
        sent = set(outbound)
        workflows = [message_workflow(key) if key in sent else intents_workflow(key) for key in everything]
        await tx.execute(
            upsert(history_erasures)
            .values([{"workflow_id": workflow} for workflow in workflows])
            .on_conflict_do_nothing()
        )
    erased.endpoints |= await events.write(
        tx, scope.id, "guest", guest_id, [NewEvent(EventType.GUEST_DELETED.value, "deleted")]
    )
    await tx.execute(delete(guests).where(guests.c.id == guest_id))
    return erased


_Addresses = dict[tuple[str, bytes], str]
"""(kind, hash) → address."""


async def addresses_of(
    tx: AsyncConnection, scope: Scope, guest: GuestRow, book: AddressBook
) -> tuple[_Addresses, _Addresses]:
    """The guest's addresses: those that no other guest of the property has (a provisional one is none), and all."""
    points = await tx.execute(
        select(contact_points.c.kind, contact_points.c.address_hash, contact_points.c.address).where(
            contact_points.c.guest_id == guest.id
        )
    )
    given = [(AddressKind(point.kind), point.address) for point in points]
    given += [(AddressKind.EMAIL, guest.email)] if guest.email else []
    given += [(AddressKind.PHONE, guest.phone)] if guest.phone else []
    known = {(kind.value, hashed): address for kind, address in given for hashed in book.hashes(kind, address)}
    if not known:
        return {}, {}
    shared = await tx.execute(
        select(contact_points.c.kind, contact_points.c.address_hash)
        .join_from(contact_points, guests, guests.c.id == contact_points.c.guest_id)
        .where(
            contact_points.c.scope_id == scope.id,
            ~guests.c.is_provisional,
            tuple_(contact_points.c.kind, contact_points.c.address_hash).in_(list(known)),
            contact_points.c.guest_id != guest.id,
        )
    )
    theirs = {known[point.kind, point.address_hash] for point in shared}
    others = {(kind, hashed) for kind, address in given if address in theirs for hashed in book.hashes(kind, address)}
    return {key: address for key, address in known.items() if (AddressKind(key[0]), key[1]) not in others}, known


async def _anonymise(
    tx: AsyncConnection, scope: Scope, guest_id: UUID, alone: dict[tuple[str, bytes], str], erased: Erased
) -> tuple[list[UUID], list[UUID]]:
    """Cancel what is pending and empty every linked message: the guest's own, and those to an address of theirs alone
    that name nobody. Returns the ids: outbound ones, all."""
    linked: ColumnElement[bool] = messages.c.guest_id == guest_id
    if alone:
        unnamed = messages.c.guest_id.is_(None)
        hashes = [hashed for _, hashed in alone]
        at_a_step = await tx.execute(select(message_steps.c.message_id).where(message_steps.c.address_hash.in_(hashes)))
        theirs = or_(messages.c.address_hash.in_(hashes), _any(messages.c.id, list(at_a_step.scalars())))
        together = await groups.with_member(tx, scope, hashes)
        linked = or_(linked, and_(unnamed, theirs), _any(messages.c.id, together))
    rows = await tx.execute(
        select(*progress.message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .where(messages.c.scope_id == scope.id, messages.c.erased_at.is_(None), linked)
        .order_by(messages.c.id)
        .with_for_update(of=messages)
    )
    outbound: list[UUID] = []
    everything: list[UUID] = []
    open_ones: list[UUID] = []
    gone = {canonical(AddressKind(kind), address) for (kind, _), address in alone.items()}
    for row in from_result(MessageRow, rows):
        if row.guest_id != guest_id and (others := groups_of.without(row.details, gone)) is not None:
            open_ones += [row.id] if row.stage is Stage.QUEUED else []
            await _leave(tx, row, others, alone, erased)
            continue
        everything.append(row.id)
        if row.direction != "outbound":
            continue
        outbound.append(row.id)
        if row.stage in (Stage.QUEUED, Stage.SENT, Stage.DELIVERED):
            open_ones.append(row.id)
        if row.stage is Stage.QUEUED:
            moved = await progress.advance(tx, row, decision=Stage.CANCELLED)
            erased.endpoints |= moved.endpoints
    if everything:
        await bury(tx, everything)
    if open_ones:
        # Should the process die after the commit, recovery wakes the workflows.
        left = await tx.execute(
            update(messages)
            .where(_any(messages.c.id, open_ones))
            .values(wake_due_at=func.clock_timestamp())
            .returning(*progress.columns_of_written)
        )
        erased.woken = from_result(MessageRow, left)
    return outbound, everything


async def _leave(
    tx: AsyncConnection, row: MessageRow, others: Group, alone: Mapping[tuple[str, bytes], str], erased: Erased
) -> None:
    """Take a guest out of the group of a message, which is locked: its text is the others' as well. What waits is
    cancelled: it was meant for all of them."""
    await groups.change(tx, row, others)
    await groups.leave(tx, row.id, [hashed for _, hashed in alone])
    if row.stage is Stage.QUEUED:
        erased.endpoints |= (await progress.advance(tx, row, decision=Stage.CANCELLED)).endpoints
    # A provider's own words may name any of them.
    await tx.execute(update(attempts).where(attempts.c.message_id == row.id).values(error_text=None))
    await tx.execute(update(receipts).where(receipts.c.message_id == row.id).values(payload=None))


async def bury(tx: AsyncConnection, ids: Collection[UUID]) -> None:
    """Leave a tombstone of messages, which are locked."""
    await tx.execute(
        update(messages)
        .where(_any(messages.c.id, ids))
        .values(
            **_TOMBSTONE,
            erased_hash=case((messages.c.direction == "outbound", messages.c.address_hash)),
            # Nothing of a guest's message is looked at any more.
            wake_due_at=case((messages.c.direction == "outbound", messages.c.wake_due_at)),
            erased_at=func.now(),
            updated_at=func.now(),
        )
    )


async def empty_beside(tx: AsyncConnection, ids: Collection[UUID]) -> None:
    """Remove texts and payloads kept beside messages, which are locked."""
    await tx.execute(
        update(message_steps)
        .where(_any(message_steps.c.message_id, ids), message_steps.c.erased_hash.is_(None))
        .values(**_STEP_TOMBSTONE, erased_hash=message_steps.c.address_hash)
    )
    await groups.forget(tx, list(ids))
    await short_links.forget(tx, list(ids))
    await tx.execute(update(attempts).where(_any(attempts.c.message_id, ids)).values(body=None, error_text=None))
    await tx.execute(update(receipts).where(_any(receipts.c.message_id, ids)).values(payload=None))
    # Who sent one of them again stays on record; why may tell of the guest.
    await tx.execute(update(operator_actions).where(_any(operator_actions.c.subject_id, ids)).values(reason=None))


async def _empty(tx: AsyncConnection, scope: Scope, ids: list[UUID], alone: dict[tuple[str, bytes], str]) -> None:
    """Remove texts and payloads kept beside the messages, and payloads that matched no message but name the guest."""
    if ids:
        await empty_beside(tx, ids)
    named = {text.lower() for (kind, _), address in alone.items() for text in spellings(AddressKind(kind), address)}
    if named:
        # Whatever may be an address in a payload has its place in an index, a number by its digits alone.
        accounts = select(_sharing(scope).c.id)
        await tx.execute(
            update(receipts)
            .where(
                receipts.c.account_id.in_(accounts),
                receipts.c.message_id.is_(None),
                receipts.c.payload.is_not(None),
                func.addresses_in(receipts.c.payload).op("&&")(func.addresses_in(literal(sorted(named), JSONB))),
            )
            .values(payload=None)
        )
    ids_of_users = [text for (kind, _), text in alone.items() if kind == AddressKind.WHATSAPP_USER.value]
    for named_so in sorted(set(ids_of_users)):
        # No such address: what nobody's texts say of their writers is looked at itself, and there are few of these.
        await tx.execute(
            update(receipts)
            .where(
                receipts.c.account_id.in_(select(_sharing(scope).c.id)),
                receipts.c.message_id.is_(None),
                receipts.c.word == "inbound",
                receipts.c.payload.is_not(None),
                func.strpos(cast(receipts.c.payload, Text), named_so) > 0,
            )
            .values(payload=None)
        )


def _sharing(scope: Scope) -> Subquery:
    """The accounts that are the scope's too, of whichever scope: what is nobody's may be kept with any of them."""
    own, every = provider_accounts.alias(), provider_accounts.alias()
    same = and_(own.c.provider == every.c.provider, own.c.identity == every.c.identity)
    return select(every.c.id, every.c.scope_id).join(own, same).where(own.c.scope_id == scope.id).subquery()


async def _empty_strays(tx: AsyncConnection, scope: Scope, alone: dict[tuple[str, bytes], str], erased: Erased) -> None:
    """Remove what the guest wrote to a sender of this scope and another one got that shares it: one that has never
    written to the address, and has no guest with it."""
    if not alone:
        return
    sharing = _sharing(scope)
    others = select(sharing.c.scope_id).where(sharing.c.scope_id != scope.id)
    wrote, points = messages.alias(), contact_points.alias()
    known = or_(
        exists().where(
            wrote.c.address_hash == messages.c.address_hash,
            wrote.c.scope_id == messages.c.scope_id,
            wrote.c.direction == "outbound",
        ),
        exists().where(
            points.c.scope_id == messages.c.scope_id,
            points.c.address_hash == messages.c.address_hash,
            points.c.guest_id.is_not(None),
        ),
    )
    found = await tx.execute(
        select(messages.c.id, messages.c.scope_id)
        .where(
            messages.c.address_hash.in_([hashed for _, hashed in alone]),
            messages.c.scope_id.in_(others),
            messages.c.direction == "inbound",
            messages.c.guest_id.is_(None),
            ~known,
        )
        .order_by(messages.c.id)
        .with_for_update(of=messages)
    )
    strays = found.all()
    if not strays:
        return
    ids = [stray.id for stray in strays]
    await tx.execute(
        update(messages).where(_any(messages.c.id, ids)).values(**_TOMBSTONE, wake_due_at=None, erased_at=func.now())
    )
    await tx.execute(update(receipts).where(_any(receipts.c.message_id, ids)).values(payload=None))
    await intents.erase(tx, ids)
    for stray in strays:
        await assets.abandon_of(tx, stray.id)
    erased.at_providers += await inbound_files.erase(tx, ids)
    await tx.execute(
        delete(contact_points).where(
            _any(contact_points.c.scope_id, {stray.scope_id for stray in strays}),
            tuple_(contact_points.c.kind, contact_points.c.address_hash).in_(list(alone)),
            contact_points.c.guest_id.is_(None),
        )
    )


async def _forget(tx: AsyncConnection, scope: Scope, guest_id: UUID, alone: dict[tuple[str, bytes], str]) -> None:
    """Remove contact points and conversations; unclaimed contact points of the same addresses too, and the
    reasons that operators gave for what these allow."""
    mine: ColumnElement[bool] = contact_points.c.guest_id == guest_id
    if alone:
        same = tuple_(contact_points.c.kind, contact_points.c.address_hash).in_(list(alone))
        mine = or_(mine, and_(contact_points.c.scope_id == scope.id, contact_points.c.guest_id.is_(None), same))
        # What was said of them still binds; what somebody wrote beside it may tell of the guest.
        await tx.execute(
            update(consents)
            .where(consents.c.scope_id == scope.id, tuple_(consents.c.kind, consents.c.address_hash).in_(list(alone)))
            .values(reason=None, source=case((consents.c.actor.is_not(None), "operator"), else_=consents.c.source))
        )
    points = await tx.execute(select(contact_points.c.id).where(mine).order_by(contact_points.c.id).with_for_update())
    await tx.execute(delete(conversations).where(conversations.c.guest_id == guest_id))
    await tx.execute(delete(contact_points).where(_any(contact_points.c.id, list(points.scalars()))))


def _any(column: ColumnElement[Any], ids: Collection[UUID]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(Uuid)))
