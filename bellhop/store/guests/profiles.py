"""Guests of a scope: found or made, changed, searched. Erasure is in erasure.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert_into
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain import addresses
from bellhop.domain.addresses import AddressBook, BadAddress
from bellhop.domain.channels import AddressKind
from bellhop.domain.events import EventType
from bellhop.domain.guests import fold, search_text
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.guests import GuestFields, GuestRow
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.compiled import CompiledStatement
from bellhop.store.guests import consents, provisional
from bellhop.store.rows import first_of, from_result, from_row
from bellhop.store.tables import contact_points, guests
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

_COLUMNS = [column for column in guests.c if column.name not in ("email_key", "search_text")]


class GuestConflict(Exception):
    """Another guest of this property has that e-mail address or external id already. `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Written:
    """A guest after a change, whether it is new, and the endpoints that are owed an event."""

    row: GuestRow
    created: bool = False
    endpoints: set[UUID] = field(default_factory=set)


async def upsert(tx: AsyncConnection, scope: Scope, fields: GuestFields, book: AddressBook) -> Written:
    """Make a guest, or update and re-activate the one with this external id or e-mail address; else name the
    provisional one whose alone the e-mail address or number is.

    `fields`: checked values of the body's fields that were present; the others keep what they are. Raises
    GuestConflict when the two name different guests.
    """
    email = fields.get("email")
    key = None if email is None else addresses.email_key(email)
    # Twice at most: lost the race for a new guest, the second round finds the winner's row.
    for _ in range(3):
        matches = await _matching(tx, scope, fields.get("external_id"), key)
        if len(matches) > 1:
            raise GuestConflict("email")
        if matches:
            again: GuestFields = {**fields, "is_active": True}
            return await _apply(tx, scope, matches[0], again, book, seen=True)
        if (unnamed := await _provisional(tx, scope, fields, book)) is not None:
            return await _apply(tx, scope, unnamed, {**fields, "is_active": True}, book, seen=True)
        made = await tx.execute(
            upsert_into(guests)
            .values(
                scope_id=scope.id,
                search_text=search_text(fields["first_name"], fields["last_name"], email),
                email_key=key,
                **fields,
            )
            .on_conflict_do_nothing()
            .returning(*_columns(scope))
        )
        row = first_of(GuestRow, made)
        if row is not None:
            await _keep_contacts(tx, scope, None, row, book)
            event = NewEvent(EventType.GUEST_CREATED.value, "created")
            endpoints = await events.write(tx, scope.id, "guest", row.id, [event])
            return Written(row, created=True, endpoints=endpoints)
    raise GuestConflict("email")


async def change(
    tx: AsyncConnection, scope: Scope, guest_id: UUID, fields: GuestFields, book: AddressBook
) -> Written | None:
    """Set `fields` of a guest; None when the scope has no such guest. Raises GuestConflict."""
    row = await get_locked(tx, scope, guest_id)
    return None if row is None else await _apply(tx, scope, row, fields, book, seen=False)


async def get(tx: AsyncConnection, scope: Scope, guest_id: UUID) -> GuestRow | None:
    """A guest of this scope, or None."""
    return first_of(GuestRow, await tx.execute(of_scope(scope).where(guests.c.id == guest_id)))


async def get_locked(tx: AsyncConnection, scope: Scope, guest_id: UUID) -> GuestRow | None:
    """A guest of this scope, or None; nobody else changes it before this transaction ends."""
    return first_of(GuestRow, await tx.execute(of_scope(scope).where(guests.c.id == guest_id).with_for_update()))


_SEEN = CompiledStatement(
    update(guests)
    .where(guests.c.id == bindparam("guest"))
    .values(last_seen_at=func.greatest(guests.c.last_seen_at, func.now()))
)


async def seen(tx: AsyncConnection, guest_id: UUID) -> bool:
    """Note that something went out to a guest, came in or was read, now. False when there is no such guest any more.
    Guests come before messages in the order of locks."""
    return await _SEEN(tx, guest=guest_id) == 1


_SEEN_IF_FREE = CompiledStatement(
    text(
        """
        update guests set last_seen_at = greatest(last_seen_at, now())
        where id = (select id from guests where id = :guest for no key update skip locked)
        """
    )
)


async def seen_if_free(tx: AsyncConnection, guest_id: UUID) -> None:
    """The same for whoever holds a message's lock already: it waits for nobody, and whoever has the guest's row
    notes the same or more."""
    await _SEEN_IF_FREE(tx, guest=guest_id)


async def listing(tx: AsyncConnection, scope: Scope, asked: PageRequest, *, search: str | None) -> Listed[GuestRow]:
    """Guests, newest first; `search` is any part of a name or of an e-mail address."""
    query = select(*_columns(scope))
    if search is not None:
        # strpos, not LIKE: the guest's text holds no pattern to escape.
        query = query.where(func.strpos(guests.c.search_text, fold(search)) > 0)
    newest = pages.within(query, guests.c.scope_id, scope.id, guests.c.id, pages.before(asked))
    rows = from_result(GuestRow, await tx.execute(pages.taken(newest, asked)))
    every = pages.within(query, guests.c.scope_id, scope.id, guests.c.id)
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, every))


def _columns(scope: Scope) -> list[ColumnElement[Any]]:
    return [*_COLUMNS, literal(scope.property_id, Uuid).label("property_id")]


def of_scope(scope: Scope) -> Select[Any]:
    """The guests of a scope, each as a GuestRow."""
    return select(*_columns(scope)).where(guests.c.scope_id == scope.id)


async def _matching(
    tx: AsyncConnection, scope: Scope, external_id: str | None, email_key: str | None
) -> list[GuestRow]:
    named = [
        column == value
        for column, value in ((guests.c.external_id, external_id), (guests.c.email_key, email_key))
        if value is not None
    ]
    if not named:
        return []
    return from_result(
        GuestRow, await tx.execute(of_scope(scope).where(or_(*named)).order_by(guests.c.id).with_for_update())
    )


async def _provisional(tx: AsyncConnection, scope: Scope, fields: GuestFields, book: AddressBook) -> GuestRow | None:
    """The provisional guest, locked, who has an address of a guest that is to be made."""
    given = [(AddressKind.EMAIL, fields.get("email")), (AddressKind.PHONE, fields.get("phone"))]
    reachable = [(kind, to) for kind, to in given if to and (kind is AddressKind.EMAIL or _reachable(to))]
    guest_id = await provisional.owner(tx, scope, reachable, book)
    row = None if guest_id is None else await get_locked(tx, scope, guest_id)
    return row if row is not None and row.is_provisional else None


async def _named(
    tx: AsyncConnection, scope: Scope, row: GuestRow, fields: GuestFields, changed: dict[str, Any]
) -> dict[str, Any]:
    """What else becomes of a provisional guest when the property names them. The address that they wrote from becomes
    their e-mail address, unless another guest has it by now."""
    changed["is_provisional"] = False
    if row.email is None or "email" in changed:
        return {}
    key = addresses.email_key(row.email)
    others = select(guests.c.id).where(guests.c.scope_id == scope.id, guests.c.email_key == key, guests.c.id != row.id)
    if "email" not in fields and (await tx.execute(others)).first() is not None:
        changed["email"] = None
        return {}
    return {"email_key": key}


async def _apply(
    tx: AsyncConnection, scope: Scope, row: GuestRow, fields: GuestFields, book: AddressBook, *, seen: bool
) -> Written:
    """Write what differs. `guest.updated` is told only when something does; being seen alone is no update."""
    changed: dict[str, Any] = {name: value for name, value in fields.items() if getattr(row, name) != value}
    unnamed = row.is_provisional and not {"first_name", "last_name"}.isdisjoint(fields)
    values = await _named(tx, scope, row, fields, changed) if unnamed else {}
    values |= changed
    if changed:
        email = changed.get("email", row.email)
        values["search_text"] = search_text(
            fields.get("first_name", row.first_name), fields.get("last_name", row.last_name), email
        )
        values["updated_at"] = func.now()
        if "email" in changed:
            values["email_key"] = None if email is None else addresses.email_key(email)
    if seen:
        values["last_seen_at"] = func.greatest(guests.c.last_seen_at, func.now())
    if not values:
        return Written(row)
    try:
        async with tx.begin_nested():
            written = await tx.execute(
                update(guests).where(guests.c.id == row.id).values(**values).returning(*_columns(scope))
            )
    except IntegrityError as error:
        raise GuestConflict("external_id" if "external_id" in str(error.orig) else "email") from None
    new = from_row(GuestRow, written.one())
    endpoints: set[UUID] = set()
    if changed:
        await _keep_contacts(tx, scope, row, new, book)
        event = NewEvent(EventType.GUEST_UPDATED.value, facts={"changed": sorted(changed)})
        endpoints = await events.write(tx, scope.id, "guest", row.id, [event])
    return Written(new, endpoints=endpoints)


async def _keep_contacts(
    tx: AsyncConnection, scope: Scope, before: GuestRow | None, after: GuestRow, book: AddressBook
) -> None:
    """The contact points follow the profile: a corrected number is the guest's, the mistyped one no longer is."""
    email, phone = (None, None) if before is None else (before.email, before.phone)
    for kind, old, new in ((AddressKind.EMAIL, email, after.email), (AddressKind.PHONE, phone, after.phone)):
        if old == new:
            continue
        if old is not None:
            await tx.execute(
                delete(contact_points).where(
                    and_(
                        contact_points.c.guest_id == after.id,
                        contact_points.c.kind == kind.value,
                        contact_points.c.address_hash.in_(book.hashes(kind, old)),
                        # What they have written from is theirs.
                        contact_points.c.last_inbound_at.is_(None),
                    )
                )
            )
        if new is not None and (kind is AddressKind.EMAIL or _reachable(new)):
            await consents.remember_contact(tx, scope.id, kind.value, new, book.hash(kind, new), [after.id])


def _reachable(phone: str) -> bool:
    # A guest's phone may be written any way; only what stands for an E.164 number is an address.
    try:
        addresses.phone(addresses.canonical(AddressKind.PHONE, phone))
    except BadAddress:
        return False
    return True
