"""What is owed to webhook endpoints: claimed, posted elsewhere, and the outcome written down.

A claim pushes `next_at` beyond the time a POST may take, so nobody else takes the row meanwhile and a killed drainer's
rows fall due again by themselves. The pushed time is also the claim's token: a failure is written only where it still
stands, a success always (it is a fact, whoever brings it).
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
from sqlalchemy.types import DateTime, Float, SmallInteger, Text, Uuid

from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.webhooks import DeliveryState, EndpointFormat
from bellhop.domain.scopes import Scope
from bellhop.domain.webhook_ports import PendingDelivery, Result, State, SubjectRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.webhooks import events, subjects


@dataclass(slots=True)
class _Claimed:
    """What `_CLAIM` gives of one delivery."""

    id: UUID
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
    url: str = field(repr=False)
    secret: str = field(repr=False)
    previous_secret: str | None = field(repr=False)


@dataclass(slots=True)
class _Recorded:
    """What `_RECORD` gives of one delivery that it has written."""

    subject_id: UUID
    state: DeliveryState


MOST_ABANDONED = 1_000
"""Deliveries of a deleted endpoint that one transaction gives up."""


@dataclass(slots=True)
class _Taken:
    """An endpoint under its row lock."""

    failing: bool


_TAKE = CompiledStatement(
    text("select failing_since is not null as failing from endpoints where id = :endpoint for no key update"),
    row=_Taken,
)
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
_ABANDON = CompiledStatement(
    text(
        """
        update deliveries set state = 'abandoned' where id = any(array(
          select id from deliveries where endpoint_id = :endpoint and state = 'pending'
            and exists (select from endpoints where id = :endpoint and deleted_at is not null)
          order by next_at limit :most for update skip locked))
        """
    )
)
_LET_GO = CompiledStatement(
    text("update deliveries set state = 'abandoned' where id = any(:ids) and state = 'pending'").bindparams(
        bindparam("ids", type_=ARRAY(Uuid))
    )
)
_PARK = CompiledStatement(
    text(
        """
        update deliveries later set next_at = head.next_at from deliveries head
        where later.endpoint_id = :endpoint and later.state = 'pending' and later.next_at <= now()
          and head.endpoint_id = :endpoint and head.state = 'pending' and head.subject_id = later.subject_id
          and head.event_id < later.event_id and head.attempts > 0 and head.next_at > now()
        """
    )
)
# The scalar subquery is one look into ix_deliveries_order per candidate; an anti-join could turn into a scan of
# everything pending when the planner's statistics are young.
_HEAD_OF_LINE = """
    (select first.event_id from deliveries first
     where first.endpoint_id = :endpoint and first.subject_id = owed.subject_id and first.state = 'pending'
     order by first.event_id limit 1) = owed.event_id
"""
_CLAIM = CompiledStatement(
    text(
        f"""
        with due as (
          select owed.id from deliveries owed
          where owed.endpoint_id = :endpoint and owed.state = 'pending' and owed.next_at <= now()
            and exists (
              select from endpoints where id = :endpoint and is_active and deleted_at is null
                and (rests_until is null or rests_until <= now()))
            and {_HEAD_OF_LINE}
          order by owed.next_at limit :room
          for update of owed skip locked
        ), claimed as (
          update deliveries set next_at = now() + make_interval(secs => :lease) from due where deliveries.id = due.id
          returning deliveries.id, event_id, deliveries.subject_id, attempts, next_at
        )
        select claimed.*, now() as claimed_at, event.type, event.subject, event.stage, event.facts, event.created_at,
          scope.id as scope_id, scope.property_id, scope.environment, endpoint.format, endpoint.url, endpoint.secret,
          case when endpoint.previous_until > now() then endpoint.previous_secret end as previous_secret
        from claimed
          join events event on event.id = claimed.event_id
          join endpoints endpoint on endpoint.id = :endpoint
          join scopes scope on scope.id = endpoint.scope_id
        order by claimed.event_id
        """
    ),
    row=_Claimed,
)
_RECORD = CompiledStatement(
    text(
        """
        update deliveries set
          state = case result.state when 'released' then 'pending' else result.state end,
          attempts = attempts + (result.state <> 'released')::int,
          next_at = case result.state
            when 'released' then now() when 'pending' then now() + make_interval(secs => result.pause) else next_at end,
          last_attempt_at = case result.state when 'released' then last_attempt_at else now() end,
          last_status = case result.state when 'released' then last_status else result.status end,
          last_error = case result.state when 'released' then last_error else result.error end,
          delivered_at = case result.state when 'delivered' then now() else delivered_at end
        from unnest(:ids, :tokens, :states, :pauses, :statuses, :errors)
          as result (id, token, state, pause, status, error)
        where deliveries.id = result.id and (
          (deliveries.state = 'pending' and deliveries.next_at = result.token)
          or (deliveries.state in ('pending', 'failed') and result.state = 'delivered'))
        returning deliveries.subject_id, deliveries.state
        """
    ).bindparams(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("tokens", type_=ARRAY(DateTime(timezone=True))),
        bindparam("states", type_=ARRAY(Text)),
        bindparam("pauses", type_=ARRAY(Float)),
        bindparam("statuses", type_=ARRAY(SmallInteger)),
        bindparam("errors", type_=ARRAY(Text)),
    ),
    row=_Recorded,
)
_NEXT_IN_LINE = CompiledStatement(
    text(
        """
        update deliveries set next_at = now()
        where endpoint_id = :endpoint and subject_id = any(:subjects) and state = 'pending' and next_at > now()
        """
    ).bindparams(bindparam("subjects", type_=ARRAY(Uuid)))
)
_REST = text(
    """
    update endpoints set rests_until = greatest(rests_until, now() + make_interval(secs => :hold)) where id = :endpoint
    """
)
_RECOVERED = text("update endpoints set failing_since = null where id = :endpoint")
_FAILING = text("update endpoints set failing_since = now() where id = :endpoint")
_DISABLE = text(
    """
    update endpoints set is_active = false, disabled_at = now(), disabled_reason = :reason, updated_at = now()
    where id = :endpoint and is_active and deleted_at is null
      and ((:gone and format <> 'sendblue_callback') or failing_since <= now() - make_interval(secs => :disable_after))
    returning scope_id
    """
)
_NEXT_DUE = CompiledStatement(
    text(
        f"""
        select extract(epoch from case when endpoint.rests_until > now() then endpoint.rests_until else (
            select greatest(now(), owed.next_at) from deliveries owed
            where owed.endpoint_id = :endpoint and owed.state = 'pending' and {_HEAD_OF_LINE}
            order by owed.next_at limit 1) end - now())::float8 as after
        from endpoints endpoint where endpoint.id = :endpoint and endpoint.is_active and endpoint.deleted_at is null
        """
    ),
    value=float,
)

_RELAXED = CompiledStatement(text("set local synchronous_commit = off"))


async def relaxed(tx: AsyncConnection) -> None:
    """Let this transaction's commit return before it is on disk. What a crash of the server could lose here is a note
    that something was delivered, and delivering it again, with the same id, is within the promise (at least once)."""
    await _RELAXED(tx)


async def open_drain(tx: AsyncConnection, endpoint_id: UUID, lease: float) -> bool:
    """Say for `lease` seconds that somebody drains. False when the endpoint is disabled or deleted."""
    if not await _DRAINING(tx, endpoint=endpoint_id, lease=lease):
        await _NOBODY_DRAINS(tx, endpoint=endpoint_id)
        return False
    # Later events of a subject whose first one is waiting to be tried again: due, but not to be looked at each time.
    await _PARK(tx, endpoint=endpoint_id)
    return True


async def abandon(tx: AsyncConnection, endpoint_id: UUID) -> bool:
    """Give up some of what a deleted endpoint was still owed. False: that was all, or it is not deleted."""
    await _TAKE(tx, endpoint=endpoint_id)
    return await _ABANDON(tx, endpoint=endpoint_id, most=MOST_ABANDONED) == MOST_ABANDONED


async def extend_drain(tx: AsyncConnection, endpoint_id: UUID, lease: float) -> None:
    """Say again that somebody drains."""
    await _DRAINING(tx, endpoint=endpoint_id, lease=lease)


async def close_drain(tx: AsyncConnection, endpoint_id: UUID) -> None:
    """Say that nobody drains; of one that rests, that somebody comes when the rest is over. Look with `next_due` only
    after the commit."""
    await _NOBODY_DRAINS(tx, endpoint=endpoint_id)


async def next_due(tx: AsyncConnection, endpoint_id: UUID) -> float | None:
    """Seconds until the next delivery to an active endpoint is due or its rest is over, 0 when one is due now; None:
    nothing is owed, and it does not rest."""
    found = await _NEXT_DUE(tx, endpoint=endpoint_id)
    return found[0] if found else None


async def record(
    tx: AsyncConnection, endpoint_id: UUID, results: Sequence[Result], disable_after: float
) -> tuple[str | None, set[UUID]]:
    """Write what came of deliveries. Returns why the endpoint was disabled by it (or None) and the endpoints that are
    owed the notice. Written twice, the second time changes nothing."""
    if not results:
        return None, set()
    taken = await _TAKE(tx, endpoint=endpoint_id)
    failing = any(one.failing for one in taken)
    written = await _RECORD(
        tx,
        ids=[result.id for result in results],
        tokens=[result.token for result in results],
        states=[result.state.value for result in results],
        pauses=[result.pause for result in results],
        statuses=[result.status for result in results],
        errors=[result.error for result in results],
    )
    # Parked behind it, they would wait for the time of its next try even when a replay brought that forward.
    if over := [row.subject_id for row in written if row.state in (DeliveryState.DELIVERED, DeliveryState.FAILED)]:
        await _NEXT_IN_LINE(tx, endpoint=endpoint_id, subjects=over)
    states = {result.state for result in results}
    if State.DELIVERED in states and failing:
        await tx.execute(_RECOVERED, {"endpoint": endpoint_id})
    if not states & {State.PENDING, State.FAILED}:
        return None, set()
    await _PARK(tx, endpoint=endpoint_id)
    if hold := max(result.hold for result in results):
        await tx.execute(_REST, {"endpoint": endpoint_id, "hold": hold})
    if State.DELIVERED not in states and not failing:
        await tx.execute(_FAILING, {"endpoint": endpoint_id})
    return await _disable(tx, endpoint_id, any(result.status == 410 for result in results), disable_after)


async def _disable(
    tx: AsyncConnection, endpoint_id: UUID, gone: bool, disable_after: float
) -> tuple[str | None, set[UUID]]:
    reason = "gone" if gone else "failing"
    given = {"endpoint": endpoint_id, "reason": reason, "gone": gone, "disable_after": disable_after}
    scope_id = (await tx.execute(_DISABLE, given)).scalar()
    if scope_id is None:
        return None, set()
    # This one must be on disk: it is a decision, not a note.
    await tx.execute(text("set local synchronous_commit = on"))
    facts: dict[str, object] = {"endpoint_id": render(Prefix.ENDPOINT, endpoint_id), "reason": reason}
    disabled = [events.NewEvent(EventType.ENDPOINT_DISABLED, facts=facts)]
    return reason, await events.write(tx, scope_id, "endpoint", endpoint_id, disabled)


async def claim(tx: AsyncConnection, endpoint_id: UUID, room: int, lease: float) -> list[PendingDelivery]:
    """Take up to `room` due deliveries for `lease` seconds, each the first pending one of its subject, with the
    subjects' rows as they are now. Ordered by event."""
    rows = await _CLAIM(tx, endpoint=endpoint_id, room=room, lease=lease)
    found = await _subjects(tx, rows)
    if nowhere := [row.id for row in rows if _url(row, found) is None]:
        await _LET_GO(tx, ids=nowhere)
    return [
        PendingDelivery(
            id=row.id,
            event_id=row.event_id,
            type=row.type,
            subject=row.subject,
            subject_id=row.subject_id,
            stage=row.stage,
            facts=row.facts,
            created_at=row.created_at,
            property_id=row.property_id,
            row=found.get(row.subject_id),
            url=url,
            secrets=tuple(secret for secret in (row.secret, row.previous_secret) if secret),
            attempts=row.attempts,
            claimed_at=row.claimed_at,
            token=row.next_at,
            format=row.format,
        )
        for row in rows
        if (url := _url(row, found)) is not None
    ]


def _url(row: _Claimed, found: Mapping[UUID, SubjectRow]) -> str | None:
    """Where it goes; None: nowhere, since the message that named the address is erased."""
    if row.format is not EndpointFormat.SENDBLUE_CALLBACK:
        return row.url
    message = found.get(row.subject_id)
    return message.details.get("callback") if isinstance(message, PublicMessage) and message.details else None


async def _subjects(tx: AsyncConnection, rows: Sequence[_Claimed]) -> dict[UUID, SubjectRow]:
    """The subjects' rows by id; without those that are gone or erased. All of one endpoint, and so of one scope."""
    if not rows:
        return {}
    scope = Scope(rows[0].scope_id, rows[0].property_id, rows[0].environment)
    named = [(row.subject, row.subject_id) for row in rows]
    return await subjects.rendered(tx, scope, rows[0].format, named)
