"""What came of deliveries that were posted, written down: for many endpoints in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Float, SmallInteger, Text, Uuid

from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.webhooks import DeliveryState
from bellhop.domain.webhook_ports import Result, State, Step, Visit
from bellhop.store.compiled import CompiledStatement
from bellhop.store.webhooks import events
from bellhop.store.webhooks.deliveries import OPEN_FOR, SINCE, park


@dataclass(slots=True)
class _Taken:
    """An endpoint under its row lock."""

    id: UUID
    failing: bool


@dataclass(slots=True)
class _Recorded:
    """What `_RECORD` gives of one delivery that it has written."""

    endpoint_id: UUID
    subject_id: UUID
    state: DeliveryState


@dataclass(slots=True)
class _Since:
    """Before when nothing of an endpoint is due."""

    id: UUID
    since: datetime


# What somebody has locked (a replay of thousands, say) is left for the next time: others are not to wait for it.
_TAKE = CompiledStatement(
    text(
        """
        select id, failing_since is not null as failing from endpoints where id = any(:endpoints)
        order by id for no key update skip locked
        """
    ).bindparams(bindparam("endpoints", type_=ARRAY(Uuid))),
    row=_Taken,
)
_RECORD = CompiledStatement(
    text(
        """
        with result as (
          select * from unnest(:ids, :endpoints, :events, :tokens, :states, :pauses, :statuses, :errors)
            as result (id, endpoint_id, event_id, token, state, pause, status, error)
        ), held as (
          select delivery_id, next_at from pending_deliveries where delivery_id = any(:ids)
          order by delivery_id for update
        )
        update deliveries set
          state = result.state,
          attempts = attempts + 1,
          next_at = case result.state
            when 'pending' then now() + make_interval(secs => result.pause) else deliveries.next_at end,
          last_attempt_at = now(),
          last_status = result.status,
          last_error = result.error,
          delivered_at = case result.state when 'delivered' then now() else delivered_at end
        from result left join held on held.delivery_id = result.id
        where deliveries.endpoint_id = result.endpoint_id and deliveries.event_id = result.event_id
          -- Of which months they are at all, said before: others are not even opened.
          and deliveries.event_id between :oldest and :newest and (
          (deliveries.state = 'pending' and held.next_at = result.token)
          or (deliveries.state in ('pending', 'failed') and result.state = 'delivered'))
        returning deliveries.endpoint_id, deliveries.subject_id, deliveries.state
        """
    ).bindparams(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("endpoints", type_=ARRAY(Uuid)),
        bindparam("events", type_=ARRAY(Uuid)),
        bindparam("oldest", type_=Uuid),
        bindparam("newest", type_=Uuid),
        bindparam("tokens", type_=ARRAY(DateTime(timezone=True))),
        bindparam("states", type_=ARRAY(Text)),
        bindparam("pauses", type_=ARRAY(Float)),
        bindparam("statuses", type_=ARRAY(SmallInteger)),
        bindparam("errors", type_=ARRAY(Text)),
    ),
    row=_Recorded,
)
_RELEASE = CompiledStatement(
    text(
        """
        update pending_deliveries set next_at = now() from unnest(:ids, :tokens) as released (id, token)
        where delivery_id = released.id and next_at = released.token
        """
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("tokens", type_=ARRAY(DateTime(timezone=True))))
)
_NEXT_IN_LINE = CompiledStatement(
    text(
        """
        update pending_deliveries owed set next_at = now()
        from unnest(:endpoints, :subjects) as over (endpoint, subject)
        where owed.endpoint_id = over.endpoint and owed.subject_id = over.subject and owed.next_at > now()
        """
    ).bindparams(bindparam("endpoints", type_=ARRAY(Uuid)), bindparam("subjects", type_=ARRAY(Uuid)))
)
_EXTEND = CompiledStatement(
    text(
        """
        update endpoints set draining_until = now() + make_interval(secs => :lease)
        where id = any(:endpoints) and is_active and deleted_at is null
        """
    ).bindparams(bindparam("endpoints", type_=ARRAY(Uuid)))
)
_SINCE = CompiledStatement(
    text(
        f"""
        select visit.endpoint as id, {SINCE.format("visit.endpoint", "visit.since")} as since
        from unnest(:endpoints, :since) as visit (endpoint, since)
        """
    ).bindparams(bindparam("endpoints", type_=ARRAY(Uuid)), bindparam("since", type_=ARRAY(DateTime(timezone=True)))),
    row=_Since,
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


async def write(tx: AsyncConnection, visits: Sequence[Visit], lease: float, disable_after: float) -> dict[UUID, Step]:
    """Write what came of deliveries, and where it is asked for that somebody drains, for `lease` seconds. By endpoint
    what has changed beside them. Written twice, the second time changes nothing."""
    steps = {visit.endpoint_id: Step() for visit in visits}
    if not (asked := [visit for visit in visits if visit.results or visit.extend]):
        return steps
    taken = {one.id: one.failing for one in await _TAKE(tx, endpoints=[visit.endpoint_id for visit in asked])}
    steps |= {visit.endpoint_id: Step(written=False) for visit in asked if visit.endpoint_id not in taken}
    asked = [visit for visit in asked if visit.endpoint_id in taken]
    await _record(tx, [(visit.endpoint_id, result) for visit in asked for result in visit.results])
    for visit in asked:
        if visit.results:
            failing = taken[visit.endpoint_id]
            steps[visit.endpoint_id] = await _consequences(tx, visit.endpoint_id, visit.results, failing, disable_after)
    if extended := [visit for visit in asked if visit.extend]:
        ids = [visit.endpoint_id for visit in extended]
        await _EXTEND(tx, endpoints=ids, lease=lease)
        for row in await _SINCE(tx, endpoints=ids, since=[visit.since for visit in extended], open_for=OPEN_FOR):
            steps[row.id] = replace(steps[row.id], since=row.since)
    return steps


async def _record(tx: AsyncConnection, results: Sequence[tuple[UUID, Result]]) -> None:
    """`results`: with their endpoints."""
    if released := [result for _, result in results if result.state is State.RELEASED]:
        await _RELEASE(tx, ids=[result.id for result in released], tokens=[result.token for result in released])
    if not (tried := [result for _, result in results if result.state is not State.RELEASED]):
        return
    of_events = [result.event_id for result in tried]
    written = await _RECORD(
        tx,
        ids=[result.id for result in tried],
        endpoints=[endpoint for endpoint, result in results if result.state is not State.RELEASED],
        events=of_events,
        oldest=min(of_events),
        newest=max(of_events),
        tokens=[result.token for result in tried],
        states=[result.state.value for result in tried],
        pauses=[result.pause for result in tried],
        statuses=[result.status for result in tried],
        errors=[result.error for result in tried],
    )
    # Parked behind it, they would wait for the time of its next try even when a replay brought that forward.
    if over := [row for row in written if row.state in (DeliveryState.DELIVERED, DeliveryState.FAILED)]:
        await _NEXT_IN_LINE(tx, endpoints=[row.endpoint_id for row in over], subjects=[row.subject_id for row in over])


async def _consequences(
    tx: AsyncConnection, endpoint_id: UUID, results: Sequence[Result], failing: bool, disable_after: float
) -> Step:
    """What results mean for their endpoint."""
    states = {result.state for result in results}
    if State.DELIVERED in states and failing:
        await tx.execute(_RECOVERED, {"endpoint": endpoint_id})
    if not states & {State.PENDING, State.FAILED}:
        return Step()
    await park(tx, endpoint_id)
    if hold := max(result.hold for result in results):
        await tx.execute(_REST, {"endpoint": endpoint_id, "hold": hold})
    if State.DELIVERED not in states and not failing:
        await tx.execute(_FAILING, {"endpoint": endpoint_id})
    disabled, wake = await _disable(tx, endpoint_id, any(result.status == 410 for result in results), disable_after)
    return Step(disabled=disabled, wake=wake)


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
