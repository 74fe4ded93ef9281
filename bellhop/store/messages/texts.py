"""Texts on phones, both ways: one, and a list by whatever its reader asks for.

A list is read off one index: of a scope's messages the newest (or, in that order, the oldest) COUNTED of the span that
is asked for, or all with one number. What else is asked for is looked for among those, so no list costs more, however
long the history and however rare what it is to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, case, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import LargeBinary, Uuid

from bellhop.domain.channels import CHANNELS, TEXTS, AddressKind, Service
from bellhop.domain.ids import CLOCK_SLACK, earliest_id
from bellhop.domain.paging import COUNTED
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.texts import TextRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import STATUS, Stage, Status
from bellhop.store import pages
from bellhop.store.guests import consents
from bellhop.store.rows import from_result
from bellhop.store.tables import attempts, messages

LINE = case(
    (messages.c.direction == "inbound", messages.c.recipient),
    else_=func.coalesce(
        select(attempts.c.sender)
        .where(attempts.c.message_id == messages.c.id)
        .order_by(attempts.c.id.desc())
        .limit(1)
        .scalar_subquery(),
        messages.c.sender,
    ),
)
"""The property's own number of a message: see `TextRow.line`."""
# Of a message to a guest where it goes, of a guest's own where it was written.
_GROUP = func.jsonb_extract_path(messages.c.details, "group")
_GROUP_ID = func.jsonb_extract_path_text(messages.c.details, "group", "id")
_COLUMNS = [messages.c[each.name] for each in fields(PublicMessage) if each.name != "property_id"]
_AGAIN = and_(messages.c.stage == Stage.QUEUED.value, messages.c.sent_at.is_not(None))
# As `PublicMessage.shown`.
SHOWN = case(
    (and_(_AGAIN, messages.c.delivered_at.is_(None)), Stage.SENT.value),
    (_AGAIN, Stage.DELIVERED.value),
    else_=messages.c.stage,
)


class OrderedBy(StrEnum):
    """The time that a list is in the order of."""

    CREATED = "created_at"
    UPDATED = "updated_at"
    SENT = "sent_at"


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when, both inclusive; None: any time."""

    since: datetime | None = None
    until: datetime | None = None

    def within(self, at: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """What is so of a time in it."""
        bounds = [] if self.since is None else [at >= self.since]
        return bounds if self.until is None else [*bounds, at <= self.until]


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number that is asked for: as written, and its hashes, under which a guest's is known."""

    written: str = field(repr=False)
    hashes: Sequence[bytes] = field(repr=False)

    def of_guest(self) -> ColumnElement[bool]:
        """That it is the guest's."""
        return messages.c.address_hash == any_(literal(list(self.hashes), ARRAY(LargeBinary)))

    def of_line(self) -> ColumnElement[bool]:
        """That it is the property's own."""
        return LINE.is_not_distinct_from(self.written)


@dataclass(frozen=True, slots=True)
class WhichTexts:
    """Which texts to list; None: any. `statuses`: those of outbound ones, beside `received` ones."""

    outbound: bool | None = None
    statuses: Sequence[Status] | None = None
    received: bool = True
    service: Service | None = None
    number: Number | None = None
    """Of the guest or the property."""
    sender: Number | None = None
    receiver: Number | None = None
    line: Number | None = None
    grouped: bool | None = None
    """Whether they are in a group chat; `group_id`: in which one."""
    group_id: str | None = None
    created: Span = Span()
    updated: Span = Span()
    sent: Span = Span()
    order: OrderedBy = OrderedBy.CREATED
    ascending: bool = False
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ListedTexts:
    """A page of them. `total`: how many there are of those that were looked at."""

    rows: list[TextRow]
    total: int


async def load(tx: AsyncConnection, scope_id: UUID, property_id: UUID, ids: Iterable[UUID]) -> dict[UUID, TextRow]:
    """Texts of this scope by id, without those that are erased or no texts."""
    wanted = messages.c.id == any_(literal(list(ids), ARRAY(Uuid)))
    found = await tx.execute(_texts(property_id).where(messages.c.scope_id == scope_id, wanted))
    rows = {row.id: row for row in from_result(TextRow, found)}
    hashes = [row.address_hash for row in rows.values() if row.address_hash is not None]
    refusing = await consents.opted_out(tx, scope_id, AddressKind.PHONE.value, hashes)
    for row in rows.values():
        row.opted_out = row.address_hash in refusing
    return rows


async def last_service(tx: AsyncConnection, scope: Scope, hashes: Sequence[bytes]) -> Service | None:
    """By what the last text to a number went, of which somebody has said that."""
    found = await tx.execute(
        select(messages.c.service)
        .where(
            Number("", hashes).of_guest(),
            messages.c.scope_id == scope.id,
            messages.c.direction == "outbound",
            messages.c.service.is_not(None),
        )
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    said = found.scalar_one_or_none()
    return None if said is None else Service(said)


async def listing(tx: AsyncConnection, scope: Scope, which: WhichTexts, lines: frozenset[str]) -> ListedTexts:
    """Texts of this scope. `lines`: the property's own numbers."""
    looked_at = _looked_at(scope, which, lines).subquery("looked_at")
    matching = select(messages.c.id, _at(which.order)).join(looked_at, looked_at.c.id == messages.c.id)
    found = matching.where(*_matching(which)).subquery("found")
    at, key = found.c[which.order.value], found.c.id
    ordered = (at.asc().nulls_first(), key.asc()) if which.ascending else (at.desc().nulls_last(), key.desc())
    total = func.count().over().label("total")
    listed = select(found.c.id, total).order_by(*ordered).limit(which.limit).offset(which.offset)
    taken = (await tx.execute(listed)).all()
    if taken or not which.offset:
        counted = taken[0].total if taken else 0
    else:
        counted = (await tx.execute(select(func.count()).select_from(found))).scalar_one()
    rows = await load(tx, scope.id, scope.property_id, [one.id for one in taken]) if taken else {}
    return ListedTexts([rows[one.id] for one in taken if one.id in rows], counted)


def _texts(property_id: UUID) -> Select[Any]:
    more = (messages.c.direction, messages.c.address_hash, messages.c.updated_at, LINE.label("line"))
    return select(*_COLUMNS, *more, literal(property_id, Uuid).label("property_id")).where(
        messages.c.erased_at.is_(None), messages.c.channel.in_([channel.value for channel in TEXTS])
    )


def _at(order: OrderedBy) -> ColumnElement[Any]:
    return messages.c[order.value]


def _looked_at(scope: Scope, which: WhichTexts, lines: frozenset[str]) -> Select[Any]:
    """The keys among which they are: by a guest's number all with that, else by the time they were created."""
    low = pages.FIRST if which.created.since is None else earliest_id(which.created.since - CLOCK_SLACK)
    high = pages.LAST if which.created.until is None else earliest_id(which.created.until + CLOCK_SLACK)
    ascending = which.ascending and which.order is OrderedBy.CREATED
    keys = select(messages.c.id)
    asked = (which.number, which.sender, which.receiver)
    guest = next((one for one in asked if one is not None and one.written not in lines), None)
    if guest is not None:
        keys = keys.where(guest.of_guest(), messages.c.scope_id == scope.id, messages.c.id.between(low, high))
        return keys.order_by(messages.c.id.asc() if ascending else messages.c.id.desc()).limit(COUNTED)
    both = tuple_(messages.c.scope_id, messages.c.id)
    keys = keys.where(both >= (scope.id, low), both <= (scope.id, high))
    columns = (messages.c.scope_id, messages.c.id)
    order = [each.asc() if ascending else each.desc() for each in columns]
    return keys.order_by(*order).limit(COUNTED)


def _matching(which: WhichTexts) -> list[ColumnElement[bool]]:
    inbound, outbound = messages.c.direction == "inbound", messages.c.direction == "outbound"
    wanted: list[ColumnElement[bool]] = [
        messages.c.erased_at.is_(None),
        messages.c.channel.in_([channel.value for channel in TEXTS]),
        *which.created.within(messages.c.created_at),
        *which.updated.within(messages.c.updated_at),
        *which.sent.within(messages.c.sent_at),
    ]
    if which.outbound is not None:
        wanted.append(outbound if which.outbound else inbound)
    if which.statuses is not None:
        stages = [stage.value for stage, status in STATUS.items() if status in which.statuses]
        sent = and_(outbound, SHOWN.in_(stages))
        wanted.append(or_(sent, inbound) if which.received else sent)
    elif not which.received:
        wanted.append(outbound)
    if which.service is not None:
        meant = [channel.value for channel in TEXTS if CHANNELS[channel].text is which.service]
        wanted.append(
            or_(
                messages.c.service == which.service.value,
                and_(messages.c.service.is_(None), messages.c.channel.in_(meant)),
            )
        )
    if which.number is not None:
        wanted.append(or_(which.number.of_guest(), which.number.of_line()))
    if which.sender is not None:
        wanted.append(or_(and_(inbound, which.sender.of_guest()), and_(outbound, which.sender.of_line())))
    if which.receiver is not None:
        wanted.append(or_(and_(outbound, which.receiver.of_guest()), and_(inbound, which.receiver.of_line())))
    if which.grouped is not None:
        wanted.append(_GROUP.is_not(None) if which.grouped else _GROUP.is_(None))
    if which.group_id is not None:
        wanted.append(_GROUP_ID.in_([which.group_id]))
    if which.line is not None:
        wanted.append(which.line.of_line())
    return wanted
