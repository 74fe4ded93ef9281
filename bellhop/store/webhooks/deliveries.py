"""What is owed to webhook endpoints: claimed, posted elsewhere, and the outcome written down (`results`).

Looked for in `pending_deliveries`, which has a row of each that is pending and nothing else, so that nothing here is
slower for what was delivered before. A claim pushes its `next_at` beyond the time a POST may take, so nobody else takes
the row meanwhile and a killed drainer's rows fall due again by themselves. The pushed time is also the claim's token: a
failure is written only where it still stands, a success always (it is a fact, whoever brings it).
Order: only the first pending delivery of each subject (head of line) is ever claimed.
Locks: whoever writes deliveries that are there takes their endpoint's row first, so that no two wait for each other. A
claim takes none, and waits for nobody: it skips what is locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Integer, Uuid

from bellhop.domain.formats import bird
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.texts import ChannelText
from bellhop.domain.rows.webhooks import EndpointFormat
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.domain.webhook_ports import PendingDelivery, SubjectRow, Visit
from bellhop.store.compiled import CompiledStatement
from bellhop.store.webhooks import subjects


@dataclass(slots=True)
class _Claimed:
    """What `_CLAIM` gives of one delivery."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    subject_id: UUID
    attempts: int
    next_at: datetime
    claimed_at: datetime
    type: str
    subject: str
    stage: str | None
    facts: dict[str, Any]
    created_at: datetime
    scope_id: UUID
    property_id: UUID
    environment: str
    format: EndpointFormat
    asked: dict[str, Any] | None
    url: str = field(repr=False)
    secret: str = field(repr=False)
    previous_secret: str | None = field(repr=False)


MOST_ABANDONED = 1_000
"""Deliveries of a deleted endpoint that one transaction gives up."""

_DRAINING = CompiledStatement(
    text(
        """
        update endpoints set draining_until = now() + make_interval(secs => :lease)
        where id = :endpoint and is_active and deleted_at is null returning id
        """
    ),
    value=UUID,
)
# While it rests somebody is in charge: the workflow that comes again when the rest is over.
_NOBODY_DRAINS = CompiledStatement(
    text(
        """
        update endpoints set draining_until = case when rests_until > now() and is_active then rests_until end
        where id = :endpoint
        """
    )
)
_TAKE = CompiledStatement(text("select id from endpoints where id = :endpoint for no key update"), value=UUID)
_ABANDON = CompiledStatement(
    text(
        """
        with gone as materialized (
          select event_id from pending_deliveries where endpoint_id = :endpoint
            and exists (select from endpoints where id = :endpoint and deleted_at is not null)
          order by next_at limit :most for update skip locked)
        update deliveries set state = 'abandoned' from gone
        where deliveries.endpoint_id = :endpoint and deliveries.event_id = gone.event_id
        """
    )
)
_LET_GO = CompiledStatement(
    text(
        """
        update deliveries set state = 'abandoned' from pending_deliveries pending
        where pending.delivery_id = any(:ids) and deliveries.endpoint_id = pending.endpoint_id
          and deliveries.event_id = pending.event_id and state = 'pending'
        """
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
)
_PARK = CompiledStatement(
    text(
        """
        update pending_deliveries later set next_at = head.next_at from pending_deliveries head
        where later.endpoint_id = :endpoint and later.next_at <= now()
          and head.endpoint_id = :endpoint and head.subject_id = later.subject_id
          and head.event_id < later.event_id and head.attempts > 0 and head.next_at > now()
        """
    )
)
# Longer than any transaction lives: nothing is written as due before that any more.
OPEN_FOR = 60.0
"""Seconds."""
SINCE = """
    least(now() - make_interval(secs => :open_for), (
      select first.next_at from pending_deliveries first
      where first.endpoint_id = {0} and first.next_at >= {1} order by first.next_at limit 1))
"""
"""Before when nothing of an endpoint is due. What is gone is passed over once to find that, and not with each claim:
as long as somebody's snapshot is open, it cannot be cleared away."""
_SINCE = CompiledStatement(text("select" + SINCE.format(":endpoint", "'-infinity'") + "as since"), value=datetime)
# The scalar subquery is one look into ix_pending_deliveries_order per candidate; an anti-join could turn into a scan of
# everything pending when the planner's statistics are young.
_HEAD_OF_LINE = """
    (select first.event_id from pending_deliveries first
     where first.endpoint_id = owed.endpoint_id and first.subject_id = owed.subject_id
     order by first.event_id limit 1) = owed.event_id
"""
_CLAIM = CompiledStatement(
    text(
        f"""
        with due as (
          select owed.delivery_id
          from unnest(:endpoints, :rooms, :since) as visit (endpoint, room, since)
            join endpoints endpoint on endpoint.id = visit.endpoint and endpoint.is_active
              and endpoint.deleted_at is null and (endpoint.rests_until is null or endpoint.rests_until <= now())
            cross join lateral (
              select owed.delivery_id from pending_deliveries owed
              where owed.endpoint_id = visit.endpoint and owed.next_at >= visit.since and owed.next_at <= now()
                and {_HEAD_OF_LINE}
              order by owed.next_at limit visit.room
              for update of owed skip locked) owed
        ), claimed as (
          update pending_deliveries pending set next_at = now() + make_interval(secs => :lease)
          from due where pending.delivery_id = due.delivery_id
          returning pending.delivery_id as id, endpoint_id, event_id, subject_id, attempts, next_at
        )
        select claimed.*, now() as claimed_at, event.type, event.subject, event.stage, event.facts, event.created_at,
          scope.id as scope_id, scope.property_id, scope.environment, endpoint.format, endpoint.asked,
          endpoint.url, endpoint.secret,
          case when endpoint.previous_until > now() then endpoint.previous_secret end as previous_secret
        from claimed
          join events event on event.id = claimed.event_id
          join endpoints endpoint on endpoint.id = claimed.endpoint_id
          join scopes scope on scope.id = endpoint.scope_id
        order by claimed.event_id
        """
    ).bindparams(
        bindparam("endpoints", type_=ARRAY(Uuid)),
        bindparam("rooms", type_=ARRAY(Integer)),
        bindparam("since", type_=ARRAY(DateTime(timezone=True))),
    ),
    row=_Claimed,
)
_NEXT_DUE = CompiledStatement(
    text(
        f"""
        select extract(epoch from case when endpoint.rests_until > now() then endpoint.rests_until else (
            select greatest(now(), owed.next_at) from pending_deliveries owed
            where owed.endpoint_id = :endpoint and {_HEAD_OF_LINE}
            order by owed.next_at limit 1) end - now())::float8 as after
        from endpoints endpoint where endpoint.id = :endpoint and endpoint.is_active and endpoint.deleted_at is null
        """
    ),
    value=float,
)
_RELAXED = CompiledStatement(text("select set_config('synchronous_commit', 'off', true)"))


async def relaxed(tx: AsyncConnection) -> None:
    """Let this transaction's commit return before it is on disk. What a crash of the server could lose here is a note
    that something was delivered, and delivering it again, with the same id, is within the promise (at least once)."""
    await _RELAXED(tx)


async def open_drain(tx: AsyncConnection, endpoint_id: UUID, lease: float) -> datetime | None:
    """Say for `lease` seconds that somebody drains. Returns since when something may be due; None when the endpoint is
    disabled or deleted."""
    if not await _DRAINING(tx, endpoint=endpoint_id, lease=lease):
        await _NOBODY_DRAINS(tx, endpoint=endpoint_id)
        return None
    # Later events of a subject whose first one is waiting to be tried again: due, but not to be looked at each time.
    await park(tx, endpoint_id)
    (since,) = await _SINCE(tx, endpoint=endpoint_id, open_for=OPEN_FOR)
    return since


async def park(tx: AsyncConnection, endpoint_id: UUID) -> None:
    """Put those behind a delivery that is to be tried again where that one is."""
    await _PARK(tx, endpoint=endpoint_id)


async def abandon(tx: AsyncConnection, endpoint_id: UUID) -> bool:
    """Give up some of what a deleted endpoint was still owed. False: that was all, or it is not deleted."""
    await _TAKE(tx, endpoint=endpoint_id)
    return await _ABANDON(tx, endpoint=endpoint_id, most=MOST_ABANDONED) == MOST_ABANDONED


async def close_drain(tx: AsyncConnection, endpoint_id: UUID) -> None:
    """Say that nobody drains; of one that rests, that somebody comes when the rest is over. Look with `next_due` only
    after the commit."""
    await _NOBODY_DRAINS(tx, endpoint=endpoint_id)


async def next_due(tx: AsyncConnection, endpoint_id: UUID) -> float | None:
    """Seconds until the next delivery to an active endpoint is due or its rest is over, 0 when one is due now; None:
    nothing is owed, and it does not rest."""
    found = await _NEXT_DUE(tx, endpoint=endpoint_id)
    return found[0] if found else None


async def claim(tx: AsyncConnection, visits: Sequence[Visit], lease: float) -> dict[UUID, list[PendingDelivery]]:
    """Take for `lease` seconds as many due deliveries as each visit has room for, each the first pending one of its
    subject, with the subjects' rows as they are now. By endpoint, in the order of events; none of one that rests."""
    asked = [visit for visit in visits if visit.room > 0]
    if not asked:
        return {}
    rows = await _CLAIM(
        tx,
        endpoints=[visit.endpoint_id for visit in asked],
        rooms=[visit.room for visit in asked],
        since=[visit.since for visit in asked],
        lease=lease,
    )
    found = await _subjects(tx, rows)
    if nowhere := [row.id for row in rows if _url(row, found) is None]:
        await _LET_GO(tx, ids=nowhere)
    claimed: dict[UUID, list[PendingDelivery]] = {}
    for row in rows:
        url = _url(row, found)
        if url is not None:
            claimed.setdefault(row.endpoint_id, []).append(_pending(row, url, found))
    return claimed


def _pending(row: _Claimed, url: str, found: Mapping[tuple[UUID, EndpointFormat, UUID], SubjectRow]) -> PendingDelivery:
    return PendingDelivery(
        id=row.id,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        subject_id=row.subject_id,
        stage=row.stage,
        facts=row.facts,
        created_at=row.created_at,
        property_id=row.property_id,
        row=found.get(_subject_of(row)),
        url=url,
        secrets=tuple(secret for secret in (row.secret, row.previous_secret) if secret),
        attempts=row.attempts,
        claimed_at=row.claimed_at,
        token=row.next_at,
        format=row.format,
        asked=row.asked,
    )


def _subject_of(row: _Claimed) -> tuple[UUID, EndpointFormat, UUID]:
    return row.scope_id, row.format, row.subject_id


def _url(row: _Claimed, found: Mapping[tuple[UUID, EndpointFormat, UUID], SubjectRow]) -> str | None:
    """Where it goes; None: nowhere, since the message that named the address is erased, or the endpoint does not want
    this one."""
    if row.format is EndpointFormat.BIRD:
        message = found.get(_subject_of(row))
        stage = Stage(row.facts["stage"]) if "stage" in row.facts else None
        known = not isinstance(message, ChannelText) or bird.wanted(message, stage, row.asked or {})
        return row.url if known else None
    if row.format is not EndpointFormat.SENDBLUE_CALLBACK:
        return row.url
    message = found.get(_subject_of(row))
    return message.details.get("callback") if isinstance(message, PublicMessage) and message.details else None


async def _subjects(
    tx: AsyncConnection, rows: Sequence[_Claimed]
) -> dict[tuple[UUID, EndpointFormat, UUID], SubjectRow]:
    """The subjects' rows by scope, format and id; without those that are gone or erased."""
    wanted: dict[tuple[UUID, EndpointFormat], tuple[Scope, dict[UUID, str]]] = {}
    for row in rows:
        scope = Scope(row.scope_id, row.property_id, row.environment)
        wanted.setdefault((row.scope_id, row.format), (scope, {}))[1][row.subject_id] = row.subject
    return await subjects.rendered(
        tx,
        [(scope, form, [(what, key) for key, what in named.items()]) for (_, form), (scope, named) in wanted.items()],
    )
