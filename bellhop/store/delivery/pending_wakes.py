"""Pending notifications of Temporal: read when they are due, cleared once made. Recovery makes what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    any_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from bellhop.domain import statuses
from bellhop.domain.channels import CHANNELS
from bellhop.domain.ids import CLOCK_SLACK, Prefix, earliest_id, parse
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement
from bellhop.store.database import Autocommit
from bellhop.store.messages.progress import message_columns
from bellhop.store.rows import from_result
from bellhop.store.tables import (
    attempts,
    endpoints,
    history_erasures,
    messages,
    pending_deliveries,
    scopes,
)

_FIRST, _ALWAYS = UUID(int=0), datetime.min.replace(tzinfo=UTC)
PAGES_OF_HISTORIES = 20
"""So many pages are looked through at a time for histories that may be deleted."""

# One by one, by their ids: whatever the planner thinks of the index of all that are pending.
_NOTIFIED = """
    select message.id from unnest(:ids, :since) as notified (id, since)
    cross join lateral (
      select id from messages
      where messages.id = notified.id and coalesce(messages.wake_due_at, 'infinity') <= notified.since
      for update skip locked
    ) message
"""
_PARAMETERS = bindparam("ids", type_=ARRAY(Uuid)), bindparam("since", type_=ARRAY(DateTime(timezone=True)))
_CLEAR = CompiledStatement(
    text(f"update messages set wake_due_at = null where id = any(array({_NOTIFIED}))").bindparams(*_PARAMETERS)
)


@dataclass(frozen=True, slots=True)
class IdleEndpoint:
    """An endpoint that nobody drains."""

    id: UUID
    scope_id: UUID


# Of a deleted endpoint a backlog may be left to give up.
_CLEAR_AND_IDLE = CompiledStatement(
    text(
        f"""
        with cleared as (
          update messages set wake_due_at = null
          where id = any(array({_NOTIFIED})) and set_config('synchronous_commit', 'off', true) is not null
        )
        select id, scope_id from endpoints
        where id = any(:candidates) and (is_active or deleted_at is not null)
          and (draining_until is null or draining_until <= clock_timestamp())
        """
    ).bindparams(*_PARAMETERS, bindparam("candidates", type_=ARRAY(Uuid))),
    row=IdleEndpoint,
)


async def clear(tx: AsyncConnection, notified: Mapping[UUID, datetime]) -> None:
    """Temporal has been notified of these messages' changes up to then; a newer notification stays pending."""
    await _CLEAR(tx, ids=list(notified), since=list(notified.values()))


async def clear_and_idle(
    autocommit: Autocommit, notified: Mapping[UUID, datetime], candidates: Iterable[UUID]
) -> list[IdleEndpoint]:
    """The same, and of these endpoints those that nobody is draining, in one round trip. To be asked AFTER the commit
    that wrote the deliveries. It does not wait for the disk: what is lost with the machine is notified once more."""
    return await autocommit.run(
        _CLEAR_AND_IDLE, ids=list(notified), since=list(notified.values()), candidates=list(candidates)
    )


def _followed(stage: Stage) -> ColumnElement[bool]:
    """Messages at that stage, on channels that may still move on."""
    open_on = [channel.value for channel, rules in CHANNELS.items() if not statuses.closes(stage, rules)]
    # Of a message of several steps another channel may be the one that counts.
    open_now = or_(messages.c.channel.in_(open_on), messages.c.plan.is_not(None))
    return and_(messages.c.stage == stage.value, open_now)


@dataclass(frozen=True, slots=True)
class RebuildPlace:
    """How far a rebuild is: among the messages that wait for their time, at a due time and an id; then among those that
    are parked; then among the attempts of those that were sent."""

    id: UUID = _FIRST
    due: datetime | None = _ALWAYS
    """None: those that wait for their time are done."""
    parked: bool = True
    """Whether those that are parked are still to come."""

    def __str__(self) -> str:
        return f"{self.id} {self.due.isoformat() if self.due else '-'} {int(self.parked)}"


def rebuild_place(text: str) -> RebuildPlace:
    """The place that `str` wrote; what is none (another version's) is the beginning."""
    try:
        key, due, parked = text.split(" ")
        return RebuildPlace(UUID(key), None if due == "-" else datetime.fromisoformat(due), parked == "1")
    except ValueError:
        return RebuildPlace()


async def needing_workflows(
    tx: AsyncConnection, place: RebuildPlace, most: int, followed_for: timedelta
) -> tuple[list[MessageRow], RebuildPlace | None]:
    """Messages that need a workflow, about `most` after that place, and the place to go on from; None: there are no
    more. First those that wait, what is due first; then those sent within `followed_for` which may still move on."""
    if place.due is not None:
        rows = await _waiting(tx, tuple_(messages.c.due_at, messages.c.id) > (place.due, place.id), most, parked=False)
        return rows, RebuildPlace(rows[-1].id, rows[-1].due_at) if len(rows) == most else RebuildPlace(due=None)
    if place.parked:
        rows = await _waiting(tx, messages.c.id > place.id, most, parked=True)
        return rows, RebuildPlace(rows[-1].id, None) if len(rows) == most else RebuildPlace(due=None, parked=False)
    return await _sent(tx, place.id, most, followed_for)


async def _waiting(tx: AsyncConnection, after: ColumnElement[bool], most: int, *, parked: bool) -> list[MessageRow]:
    order = (messages.c.id,) if parked else (messages.c.due_at, messages.c.id)
    found = await tx.execute(
        select(*message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .where(
            messages.c.stage == literal_column(f"'{Stage.QUEUED.value}'"),
            messages.c.direction == literal_column("'outbound'"),
            messages.c.waits_for.is_not(None) if parked else messages.c.waits_for.is_(None),
            after,
        )
        .order_by(*order)
        .limit(most)
    )
    return from_result(MessageRow, found)


async def _sent(
    tx: AsyncConnection, after: UUID, most: int, followed_for: timedelta
) -> tuple[list[MessageRow], RebuildPlace | None]:
    """By their attempts, whose ids tell when they were sent: what was sent before is not read."""
    now: datetime = (await tx.execute(select(func.now()))).scalar_one()
    page = (
        await tx.execute(
            select(attempts.c.id, attempts.c.message_id)
            .where(attempts.c.id > max(after, earliest_id(now - followed_for - CLOCK_SLACK)))
            .order_by(attempts.c.id)
            .limit(most)
        )
    ).all()
    found = await tx.execute(
        select(*message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .where(
            messages.c.id == any_(literal([attempt.message_id for attempt in page], ARRAY(Uuid))),
            messages.c.sent_at > func.now() - followed_for,
            or_(_followed(Stage.SENT), _followed(Stage.DELIVERED)),
        )
        .order_by(messages.c.id)
    )
    return from_result(MessageRow, found), RebuildPlace(page[-1].id, None, parked=False) if len(page) == most else None


async def message_rows(tx: AsyncConnection, ids: Sequence[UUID]) -> list[MessageRow]:
    """These outbound messages, as starting their workflows takes them."""
    found = await tx.execute(
        select(*message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .where(messages.c.id.in_(list(ids)), messages.c.direction == "outbound")
    )
    return from_result(MessageRow, found)


async def undrained_endpoints(tx: AsyncConnection, after: UUID, most: int) -> list[IdleEndpoint]:
    """Active endpoints with a delivery due that nobody is draining: the next after that one, at most `most`."""
    due = (
        select(pending_deliveries.c.delivery_id)
        .where(
            pending_deliveries.c.endpoint_id == endpoints.c.id,
            pending_deliveries.c.next_at <= func.now() - timedelta(seconds=2),
        )
        .exists()
    )
    found = await tx.execute(
        select(endpoints.c.id, endpoints.c.scope_id)
        .where(
            endpoints.c.is_active,
            endpoints.c.deleted_at.is_(None),
            or_(endpoints.c.draining_until.is_(None), endpoints.c.draining_until <= func.now()),
            endpoints.c.id > after,
            due,
        )
        .order_by(endpoints.c.id)
        .limit(most)
    )
    return from_result(IdleEndpoint, found)


async def histories_to_erase(tx: AsyncConnection, most: int, place: str | None = None) -> tuple[list[str], str | None]:
    """Workflow ids whose histories are to be deleted, their guest was erased: about `most` after `place`, and where to
    go on; None: there are no more. Those with a notification pending come later: to wake one whose history is gone
    would start it anew, and leave another history that nobody deletes."""
    found: list[str] = []
    after = _history_place(place)
    for _ in range(PAGES_OF_HISTORIES):
        listed = (
            await tx.execute(
                select(history_erasures.c.workflow_id, history_erasures.c.created_at)
                .where(tuple_(history_erasures.c.created_at, history_erasures.c.workflow_id) > after)
                .order_by(history_erasures.c.created_at, history_erasures.c.workflow_id)
                .limit(most)
            )
        ).all()
        waiting = await _with_notification(tx, [row.workflow_id for row in listed])
        found += [row.workflow_id for row in listed if row.workflow_id not in waiting]
        if len(listed) < most:
            return found, None
        after = (listed[-1].created_at, listed[-1].workflow_id)
        if len(found) >= most:
            break
    return found, f"{after[0].isoformat()} {after[1]}"


def _history_place(text: str | None) -> tuple[datetime, str]:
    at, _, workflow_id = (text or "").partition(" ")
    try:
        return datetime.fromisoformat(at), workflow_id
    except ValueError:
        return _ALWAYS, ""


async def _with_notification(tx: AsyncConnection, workflow_ids: Sequence[str]) -> set[str]:
    keys = {parse(Prefix.MESSAGE, workflow_id): workflow_id for workflow_id in workflow_ids}
    pending = await tx.execute(
        select(messages.c.id).where(
            messages.c.id == any_(literal([key for key in keys if key is not None], ARRAY(Uuid))),
            messages.c.wake_due_at.is_not(None),
        )
    )
    return {keys[key] for key in pending.scalars()}


async def history_erased(tx: AsyncConnection, workflow_id: str) -> None:
    """That history is gone."""
    await tx.execute(delete(history_erasures).where(history_erasures.c.workflow_id == workflow_id))
