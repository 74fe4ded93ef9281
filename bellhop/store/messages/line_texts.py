"""Lists of what one of the property's lines has carried, both ways, and what guests did with it.

A page looks at COUNTED messages of the scope at most. Where that did not fill it, it says where the next one goes on:
no page costs more, however long the history and however rare what it is to find, and no message is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.events import EventType
from bellhop.domain.failures import FailureCode
from bellhop.domain.ids import CLOCK_SLACK, earliest_id
from bellhop.domain.paging import COUNTED, Listed, PageRequest, Place
from bellhop.domain.rows.delivery import OwnSender
from bellhop.domain.rows.texts import ChannelText
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.store import pages
from bellhop.store.messages import channel_texts
from bellhop.store.messages.texts import LINE, SHOWN, Span
from bellhop.store.tables import attempts, events, messages


@dataclass(frozen=True, slots=True)
class WhichOfLine:
    """Which messages of a line to list; None: any. Those to guests: at one of `stages`; `codes`: of these that failed
    the ones that did so (with `others`: did not do so) for one of these reasons; `tried`: whether a provider was
    called; `scheduled`: whether they wait for a time to come. `received`: whether guests' own are among them."""

    outbound: bool | None = None
    stages: Collection[Stage] | None = None
    codes: Collection[FailureCode] | None = None
    others: bool = False
    tried: bool | None = None
    scheduled: bool | None = None
    received: bool = True
    batch: str | None = None
    """Those that were sent in one batch, which their `metadata` name."""
    created: Span = field(default_factory=Span)
    ascending: bool = False
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True)
class Interaction:
    """What a guest did with a message, and when. `id`: of what says so."""

    id: UUID
    type: str
    at: datetime


async def now(tx: AsyncConnection) -> datetime:
    """The database's clock at the beginning of the transaction."""
    at: datetime = (await tx.execute(select(func.now()))).scalar_one()
    return at


async def new_batch(tx: AsyncConnection) -> UUID:
    """What messages that are sent together are one batch of."""
    made: UUID = (await tx.execute(select(func.uuidv7()))).scalar_one()
    return made


async def listing(
    tx: AsyncConnection, scope: Scope, line: OwnSender, known: Sequence[OwnSender], which: WhichOfLine
) -> Listed[ChannelText]:
    """A page of them. `known`: every line of its channel, in the order in which that uses them. Nothing is counted."""
    keys = _keys(scope, which)
    looked_at = keys.limit(COUNTED).subquery("looked_at")
    matching = (
        select(messages.c.id)
        .join(looked_at, looked_at.c.id == messages.c.id)
        .where(_carried_by(line, known), *_matching(which))
        .order_by(messages.c.id.asc() if which.ascending else messages.c.id.desc())
        .limit(which.page.limit + 1)
    )
    taken = list((await tx.execute(matching)).scalars())
    kept = taken[: which.page.limit]
    following = Place(kept[-1]) if len(taken) > len(kept) else None
    if following is None:
        # Where looking ended, if there is more.
        rest = list((await tx.execute(keys.limit(2).offset(COUNTED - 1))).scalars())
        following = Place(rest[0]) if len(rest) > 1 else None
    rows = await channel_texts.load(tx, scope, kept) if kept else {}
    return Listed([rows[one] for one in kept if one in rows], len(kept), total_exact=False, next=following)


async def interactions(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[Interaction]:
    """What a guest did with a message to them, the first first."""
    found = await tx.execute(
        select(events.c.id, events.c.created_at)
        .where(
            events.c.scope_id == scope.id,
            events.c.subject == "message",
            events.c.subject_id == message_id,
            events.c.type == EventType.MESSAGE_READ.value,
        )
        .order_by(events.c.id)
    )
    return [Interaction(row.id, "opened", row.created_at) for row in found]


def _keys(scope: Scope, which: WhichOfLine) -> Select[Any]:
    low = pages.FIRST if which.created.since is None else earliest_id(which.created.since - CLOCK_SLACK)
    high = pages.LAST if which.created.until is None else earliest_id(which.created.until + CLOCK_SLACK)
    after = which.page.after.id if which.page.after else None
    both = tuple_(messages.c.scope_id, messages.c.id)
    keys = select(messages.c.id).where(both >= (scope.id, low), both <= (scope.id, high))
    if after is not None:
        keys = keys.where(both > (scope.id, after) if which.ascending else both < (scope.id, after))
    columns = (messages.c.scope_id, messages.c.id)
    return keys.order_by(*(each.asc() if which.ascending else each.desc() for each in columns))


def _carried_by(line: OwnSender, known: Sequence[OwnSender]) -> ColumnElement[bool]:
    """As `channel_texts.SENDER_ID`: what is of no line that is known is the usual one's."""
    own: ColumnElement[bool] = LINE.in_([line.address])
    if line.id == known[0].id:
        own = or_(own, LINE.is_(None), LINE.not_in([one.address for one in known]))
    return and_(messages.c.channel == line.channel.value, own)


def _matching(which: WhichOfLine) -> list[ColumnElement[bool]]:
    inbound, outbound = messages.c.direction == "inbound", messages.c.direction == "outbound"
    wanted = [messages.c.erased_at.is_(None), *which.created.within(messages.c.created_at)]
    if which.outbound is not None:
        wanted.append(outbound if which.outbound else inbound)
    if which.batch is not None:
        wanted.append(func.jsonb_extract_path_text(messages.c.metadata, "bird", "batchId") == which.batch)
    sent = [outbound]
    if which.stages is not None:
        sent.append(SHOWN.in_([stage.value for stage in which.stages]))
    if which.codes is not None:
        code = func.coalesce(messages.c.failure_code, "")
        codes = [one.value for one in which.codes]
        sent.append(code.not_in(codes) if which.others else code.in_(codes))
    if which.tried is not None:
        known = select(attempts.c.id).where(attempts.c.message_id == messages.c.id, attempts.c.provider_id.is_not(None))
        tried = or_(messages.c.tries > 0, known.exists())
        sent.append(tried if which.tried else ~tried)
    if which.scheduled is not None:
        waits = func.coalesce(messages.c.scheduled_at > func.now(), False)
        sent.append(waits if which.scheduled else ~waits)
    wanted.append(or_(and_(*sent), inbound) if which.received else and_(*sent))
    return wanted
