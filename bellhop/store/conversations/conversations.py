"""Conversations of a scope: listed by their newest message, looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, Uuid, any_, cast, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import windows
from bellhop.domain.conversations import MOST_UNREAD, ConversationStatus, Side
from bellhop.domain.paging import Listed, Place
from bellhop.domain.rows.conversations import (
    Conversation,
    ConversationRow,
    Entry,
    Participant,
    StayEnd,
    WhichConversations,
)
from bellhop.domain.scopes import Scope
from bellhop.store import pages
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import contact_points, conversations, guests, messages, properties, stay_guests, stays

SUBJECT = "conversation"
"""Of its events."""
_LOOKED_AT = 50
"""How many of the newest messages are looked at for one that the guest has read."""

# As text: SQLAlchemy correlates nothing with what an update returns.
_STATUS: ColumnElement[str] = literal_column(
    "case when conversations.closed_at is not null then 'closed' when conversations.snoozed_until > now() "
    "then 'snoozed' else 'open' end"
)
_GUESTS: ColumnElement[Any] = literal_column(
    "case when conversations.stay_id is not null then array(select guest_id from stay_guests "
    "where stay_id = conversations.stay_id order by position) "
    "when conversations.guest_id is not null then array[conversations.guest_id] else '{}'::uuid[] end",
    ARRAY(Uuid),
)
_UNREAD: ColumnElement[int] = literal_column(
    "(select count(*) from (select from messages where messages.conversation_id = conversations.id "
    f"and direction = 'inbound' and (read_id is null or messages.id > read_id) limit {MOST_UNREAD}) unread)"
)
_NEWEST = (
    "(select {} from (select id, direction, read_at from messages where conversation_id = conversations.id "
    f"order by id desc limit {_LOOKED_AT}) newest where newest.direction = 'outbound' and newest.read_at is not null "
    "order by newest.id desc limit 1)"
)
_LAST: ColumnElement[Any] = literal_column(
    "(select newest.id from messages newest where newest.conversation_id = conversations.id "
    "order by newest.id desc limit 1)",
    Uuid,
)
_OPEN = conversations.c.closed_at.is_(None)
_ASIDE = conversations.c.snoozed_until > func.now()
_STANDS: dict[ConversationStatus, ColumnElement[bool]] = {
    ConversationStatus.OPEN: _OPEN & func.coalesce(~_ASIDE, True),
    ConversationStatus.SNOOZED: _OPEN & _ASIDE,
    ConversationStatus.CLOSED: conversations.c.closed_at.is_not(None),
}
_HAS_UNREAD = func.coalesce(
    conversations.c.inbound_place > conversations.c.read_id, conversations.c.inbound_place.is_not(None)
)
_COMPUTED: dict[str, ColumnElement[Any]] = {
    "status": _STATUS,
    "guests": _GUESTS,
    "unread": _UNREAD,
    "seen_id": literal_column(_NEWEST.format("newest.id"), Uuid),
    "seen_at": literal_column(_NEWEST.format("newest.read_at")),
    "last_id": _LAST,
}


def columns(scope: Scope) -> list[ColumnElement[Any]]:
    """Those of a ConversationRow."""
    read = [
        _COMPUTED[each.name].label(each.name) if each.name in _COMPUTED else conversations.c[each.name]
        for each in fields(ConversationRow)
        if each.name != "property_id"
    ]
    return [*read, literal(scope.property_id, Uuid).label("property_id")]


def of(scope: Scope) -> Select[Any]:
    """Every conversation of a scope, as ConversationRow."""
    return select(*columns(scope)).where(conversations.c.scope_id == scope.id)


async def get(tx: AsyncConnection, scope: Scope, conversation_id: UUID) -> Conversation | None:
    """A conversation of this scope, or None."""
    found = first_of(ConversationRow, await tx.execute(of(scope).where(conversations.c.id == conversation_id)))
    return None if found is None else (await whole(tx, scope, [found]))[0]


async def of_keys(tx: AsyncConnection, scope: Scope, keys: Collection[UUID]) -> dict[UUID, Conversation]:
    """Conversations of this scope by their keys."""
    rows = from_result(ConversationRow, await tx.execute(of(scope).where(_any(conversations.c.id, keys))))
    return {one.row.id: one for one in await whole(tx, scope, rows)}


async def listing(tx: AsyncConnection, scope: Scope, which: WhichConversations) -> Listed[Conversation]:
    """Conversations, that with the newest message first."""
    query = of(scope).where(*_wanted(which))
    asked = which.page
    newest = pages.within(query, conversations.c.scope_id, scope.id, conversations.c.place, pages.before(asked))
    rows = from_result(ConversationRow, await tx.execute(pages.taken(newest, asked)))
    listed = await pages.page(rows, asked, lambda row: Place(row.place), lambda: pages.count(tx, query))
    return Listed(await whole(tx, scope, listed.rows), listed.total, listed.total_exact, listed.next)


def _wanted(which: WhichConversations) -> list[ColumnElement[bool]]:
    wanted = [] if which.status is None else [_STANDS[which.status]]
    if which.unread is not None:
        wanted.append(_HAS_UNREAD if which.unread else ~_HAS_UNREAD)
    if which.assigned is not None:
        wanted.append(conversations.c.assigned_to.is_not(None) == which.assigned)
    for column, value in (
        (conversations.c.assigned_to, which.assigned_to),
        (conversations.c.stay_id, which.stay_id),
        (conversations.c.channel, which.channel),
    ):
        if value is not None:
            wanted.append(column == value)
    if which.guest_id is not None:
        theirs = select(stay_guests.c.stay_id).where(stay_guests.c.guest_id == which.guest_id)
        mine = conversations.alias()
        either = or_(mine.c.guest_id == which.guest_id, mine.c.stay_id.in_(theirs))
        wanted.append(conversations.c.id.in_(select(mine.c.id).where(either)))
    return wanted


async def whole(tx: AsyncConnection, scope: Scope, rows: Sequence[ConversationRow]) -> list[Conversation]:
    """The same with who takes part, and the newest message of each."""
    known = await _guests(tx, scope, {one for row in rows for one in row.guests})
    unknown = await _addresses(tx, scope, {row.contact_point_id for row in rows if row.contact_point_id})
    over = await ends(tx, scope, {row.stay_id for row in rows if row.stay_id})
    shown = [row.last_id for row in rows if row.last_id and (row.stay_id not in over or readable(over[row.stay_id]))]
    newest = await entries(tx, scope, shown)
    found = []
    for row in rows:
        taking_part = [known[one] for one in row.guests if one in known]
        if row.contact_point_id in unknown:
            taking_part.append(unknown[row.contact_point_id])
        found.append(Conversation(row, taking_part, newest.get(row.last_id) if row.last_id else None))
    return found


def readable(stay: StayEnd, side: Side = Side.PROPERTY) -> bool:
    """Whether that side may still look at what was written about a stay."""
    return windows.may_read(side, windows.end(stay.status, stay.departure, stay.ended_on), stay.today)


async def ends(tx: AsyncConnection, scope: Scope, stay_ids: Collection[UUID]) -> dict[UUID | None, StayEnd]:
    """When stays of this scope are over, by their keys."""
    if not stay_ids:
        return {}
    found = await tx.execute(
        select(
            stays.c.id,
            stays.c.status,
            stays.c.departure,
            cast(func.timezone(properties.c.timezone, stays.c.ended_at), Date).label("ended_on"),
            cast(func.timezone(properties.c.timezone, func.now()), Date).label("today"),
        )
        .join(properties, properties.c.id == scope.property_id)
        .where(stays.c.scope_id == scope.id, _any(stays.c.id, stay_ids))
    )
    return {row.id: row for row in from_result(StayEnd, found)}


async def _guests(tx: AsyncConnection, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Participant]:
    if not ids:
        return {}
    found = await tx.execute(
        select(guests.c.id, guests.c.first_name, guests.c.last_name).where(
            guests.c.scope_id == scope.id, _any(guests.c.id, ids)
        )
    )
    return {row.id: Participant(row.id, f"{row.first_name} {row.last_name}".strip() or None) for row in found}


async def _addresses(tx: AsyncConnection, scope: Scope, ids: Collection[UUID]) -> dict[UUID | None, Participant]:
    if not ids:
        return {}
    found = await tx.execute(
        select(contact_points.c.id, contact_points.c.address).where(
            contact_points.c.scope_id == scope.id, _any(contact_points.c.id, ids)
        )
    )
    return {row.id: Participant(None, None, row.address) for row in found}


def entry_columns(scope: Scope) -> list[ColumnElement[Any]]:
    """Those of an Entry, and no more: a message's body can be large."""
    read = [messages.c[each.name] for each in fields(Entry) if each.name != "property_id"]
    return [*read, literal(scope.property_id, Uuid).label("property_id")]


async def entries(tx: AsyncConnection, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Entry]:
    """Messages of this scope by their keys."""
    if not ids:
        return {}
    found = await tx.execute(
        select(*entry_columns(scope)).where(messages.c.scope_id == scope.id, _any(messages.c.id, ids))
    )
    return {row.id: row for row in from_result(Entry, found)}


def _any(column: ColumnElement[Any], ids: Collection[UUID]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(Uuid)))
