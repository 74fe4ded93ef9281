"""Guests of a scope: found or made, changed, searched. Erasure has a room of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert_into
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses
from bellhop.domain.addresses import AddressBook, BadAddress
from bellhop.domain.channels import AddressKind
from bellhop.domain.events import EventType
from bellhop.domain.guests import fold, search_text
from bellhop.domain.scopes import Scope
from bellhop.store.guests import consents
from bellhop.store.tables import contact_points, conversations, guests
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

Row = dict[str, Any]


class GuestConflict(Exception):
    """Another guest of this property has that e-mail address or external id already. `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Written:
    """A guest after a change, whether it is new, and the endpoints that are owed an event."""

    row: Row
    created: bool = False
    endpoints: set[UUID] = field(default_factory=set)


async def upsert(tx: AsyncConnection, scope: Scope, fields: Mapping[str, Any], book: AddressBook) -> Written:
    """Make a guest, or update and re-activate the one with this external id or e-mail address.

    `fields`: checked values of the body's fields that were present; the others keep what they are. Raises
    GuestConflict when the two name different guests.
    """
    values = dict(fields)
    if values.get("email") is not None:
        values["email_key"] = addresses.email_key(values["email"])
    # Twice at most: lost the race for a new guest, the second round finds the winner's row.
    for _ in range(3):
        matches = await _matching(tx, scope, values)
        if len(matches) > 1:
            raise GuestConflict("email")
        if matches:
            return await _apply(tx, scope, matches[0], {**fields, "is_active": True}, book, seen=True)
        made = await tx.execute(
            upsert_into(guests)
            .values(
                scope_id=scope.id,
                search_text=search_text(values["first_name"], values["last_name"], values.get("email")),
                **values,
            )
            .on_conflict_do_nothing()
            .returning(guests)
        )
        row = made.mappings().one_or_none()
        if row is not None:
            await _keep_contacts(tx, scope, {}, row, book)
            owed = await events.write(
                tx, scope.id, "guest", row["id"], [NewEvent(EventType.GUEST_CREATED.value, "created")]
            )
            return Written({**row, "property_id": scope.property_id}, created=True, endpoints=owed)
    raise GuestConflict("email")


async def change(
    tx: AsyncConnection, scope: Scope, guest_id: UUID, fields: Mapping[str, Any], book: AddressBook
) -> Written | None:
    """Set `fields` of a guest; None when the scope has no such guest. Raises GuestConflict."""
    found = await tx.execute(_of(scope).where(guests.c.id == guest_id).with_for_update())
    row = found.mappings().one_or_none()
    return None if row is None else await _apply(tx, scope, dict(row), fields, book, seen=False)


async def get(tx: AsyncConnection, scope: Scope, guest_id: UUID) -> Row | None:
    """A guest of this scope, or None."""
    row = (await tx.execute(_of(scope).where(guests.c.id == guest_id))).mappings().one_or_none()
    return None if row is None else {**row, "property_id": scope.property_id}


async def listing(
    tx: AsyncConnection, scope: Scope, *, search: str | None, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Guests, newest first, and how many there are; `search` is any part of a name or of an e-mail address."""
    query = _of(scope)
    if search is not None:
        # strpos, not LIKE: the guest's text holds no pattern to escape.
        query = query.where(func.strpos(guests.c.search_text, fold(search)) > 0)
    total = (await tx.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    page = await tx.execute(query.order_by(guests.c.id.desc()).limit(limit).offset(offset))
    return [{**row, "property_id": scope.property_id} for row in page.mappings()], total


def _of(scope: Scope) -> Select[Any]:
    return select(guests).where(guests.c.scope_id == scope.id)


async def _matching(tx: AsyncConnection, scope: Scope, values: Mapping[str, Any]) -> list[Row]:
    named = [
        column == values[name]
        for name, column in (("external_id", guests.c.external_id), ("email_key", guests.c.email_key))
        if values.get(name) is not None
    ]
    if not named:
        return []
    found = await tx.execute(_of(scope).where(or_(*named)).order_by(guests.c.id).with_for_update())
    return [dict(row) for row in found.mappings()]


async def _apply(
    tx: AsyncConnection, scope: Scope, row: Row, fields: Mapping[str, Any], book: AddressBook, *, seen: bool
) -> Written:
    """Write what differs. `guest.updated` is told only when something does; being seen alone is no update."""
    changed = {name: value for name, value in fields.items() if row[name] != value}
    values: dict[str, Any] = dict(changed)
    if changed:
        after = {**row, **changed}
        values["search_text"] = search_text(after["first_name"], after["last_name"], after["email"])
        values["updated_at"] = func.now()
        if "email" in changed:
            values["email_key"] = None if after["email"] is None else addresses.email_key(after["email"])
    if seen:
        values["last_seen_at"] = func.greatest(guests.c.last_seen_at, func.now())
    if not values:
        return Written({**row, "property_id": scope.property_id})
    try:
        async with tx.begin_nested():
            written = await tx.execute(
                update(guests).where(guests.c.id == row["id"]).values(**values).returning(guests)
            )
    except IntegrityError as error:
        raise GuestConflict("external_id" if "external_id" in str(error.orig) else "email") from None
    new = written.mappings().one()
    owed: set[UUID] = set()
    if changed:
        await _keep_contacts(tx, scope, row, new, book)
        told = NewEvent(EventType.GUEST_UPDATED.value, facts={"changed": sorted(changed)})
        owed = await events.write(tx, scope.id, "guest", row["id"], [told])
    return Written({**new, "property_id": scope.property_id}, endpoints=owed)


async def _keep_contacts(
    tx: AsyncConnection, scope: Scope, before: Mapping[str, Any], after: Mapping[str, Any], book: AddressBook
) -> None:
    """The contact points follow the profile: a corrected number is the guest's, the mistyped one no longer is."""
    for name, kind in (("email", AddressKind.EMAIL), ("phone", AddressKind.PHONE)):
        old, new = before.get(name), after[name]
        if old == new:
            continue
        if old is not None:
            spoken = exists().where(conversations.c.contact_point_id == contact_points.c.id)
            await tx.execute(
                delete(contact_points).where(
                    and_(
                        contact_points.c.guest_id == after["id"],
                        contact_points.c.kind == kind.value,
                        contact_points.c.address_hash == book.hash(kind, old),
                        ~spoken,
                    )
                )
            )
        if new is not None and (kind is AddressKind.EMAIL or _reachable(new)):
            await consents.remember_contact(tx, scope.id, kind.value, new, book.hash(kind, new), [after["id"]])


def _reachable(phone: str) -> bool:
    # A guest's phone may be written any way; only an E.164 number is an address.
    try:
        addresses.phone(phone)
    except BadAddress:
        return False
    return True
