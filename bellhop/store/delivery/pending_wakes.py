"""Pending notifications of Temporal: read when they are due, cleared once made. Recovery makes what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, bindparam, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from bellhop.domain import statuses
from bellhop.domain.channels import CHANNELS
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement
from bellhop.store.messages.progress import message_columns
from bellhop.store.rows import from_result
from bellhop.store.tables import (
    attempts,
    deliveries,
    endpoints,
    history_erasures,
    idempotency,
    messages,
    receipts,
    scopes,
)

MOST_ABANDONED = 5_000
"""Deliveries of deleted endpoints that one sweep gives up."""
_CLEAR = CompiledStatement(
    text(
        """
        update messages set wake_due_at = null
        where id in (
          select message.id from messages message
          join unnest(:ids, :since) as notified (id, since) on notified.id = message.id
          where message.wake_due_at <= notified.since
          order by message.id for update of message skip locked
        )
        """
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("since", type_=ARRAY(DateTime(timezone=True))))
)


@dataclass(frozen=True, slots=True)
class IdleEndpoint:
    """An endpoint that nobody drains."""

    id: UUID
    scope_id: UUID


_IDLE = CompiledStatement(
    select(endpoints.c.id, endpoints.c.scope_id).where(
        endpoints.c.id == any_(bindparam("candidates", type_=ARRAY(Uuid))),
        # Of a deleted one a backlog may be left to give up.
        or_(endpoints.c.is_active, endpoints.c.deleted_at.is_not(None)),
        or_(endpoints.c.draining_until.is_(None), endpoints.c.draining_until <= func.clock_timestamp()),
    ),
    row=IdleEndpoint,
)


async def clear(tx: AsyncConnection, notified: Mapping[UUID, datetime]) -> None:
    """Temporal has been notified of these messages' changes up to then; a newer notification stays pending."""
    await _CLEAR(tx, ids=list(notified), since=list(notified.values()))


async def idle_endpoints(tx: AsyncConnection, candidates: Iterable[UUID]) -> list[IdleEndpoint]:
    """Of these endpoints, those that nobody is draining. To be asked AFTER the commit that wrote the deliveries."""
    found: list[IdleEndpoint] = await _IDLE(tx, candidates=list(candidates))
    return found


def _followed(stage: Stage) -> ColumnElement[bool]:
    """Messages at that stage, on channels that may still move on."""
    open_on = [channel.value for channel, rules in CHANNELS.items() if not statuses.closes(stage, rules)]
    return and_(messages.c.stage == stage.value, messages.c.channel.in_(open_on))


async def needing_workflows(tx: AsyncConnection, after: UUID, most: int, followed_for: timedelta) -> list[MessageRow]:
    """Messages that need a workflow, in the order of their ids, after that id, at most `most`: those that wait, and
    those sent within `followed_for` which may still move on."""
    found = await tx.execute(
        select(*message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .where(
            messages.c.id > after,
            messages.c.direction == "outbound",
            or_(
                messages.c.stage == Stage.QUEUED.value,
                and_(
                    messages.c.sent_at > func.now() - followed_for,
                    or_(_followed(Stage.SENT), _followed(Stage.DELIVERED)),
                ),
            ),
        )
        .order_by(messages.c.id)
        .limit(most)
    )
    return from_result(MessageRow, found)


async def message_rows(tx: AsyncConnection, ids: Sequence[UUID]) -> list[MessageRow]:
    """These outbound messages, as starting their workflows takes them."""
    found = await tx.execute(
        select(*message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .where(messages.c.id.in_(list(ids)), messages.c.direction == "outbound")
    )
    return from_result(MessageRow, found)


async def left_behind(tx: AsyncConnection, grace: float, most: int) -> list[MessageRow]:
    """Messages with a notification pending for `grace` seconds, whose time has passed with nothing done, or
    whose attempt has outlived its lease. At most `most` of each, so that none keeps the others waiting."""
    ago = func.now() - timedelta(seconds=grace)
    pending = select(messages.c.id).where(messages.c.wake_due_at < ago).order_by(messages.c.wake_due_at).limit(most)
    # A burst may take a while to work off: what is merely late is given longer.
    past = (
        select(messages.c.id)
        .where(
            messages.c.stage == "queued",
            messages.c.direction == "outbound",
            messages.c.waits_for.is_(None),
            messages.c.due_at < func.now() - timedelta(seconds=4 * grace),
        )
        .order_by(messages.c.due_at)
        .limit(most)
    )
    lapsed = (
        select(attempts.c.message_id.label("id"))
        .join(messages, messages.c.id == attempts.c.message_id)
        # Of a message that is over (its guest was erased meanwhile) nothing is to be found out any more.
        .where(attempts.c.state == "in_flight", attempts.c.lease_until < ago, messages.c.stage == Stage.QUEUED.value)
        .limit(most)
    )
    ids = pending.union(past, lapsed)
    found = await tx.execute(
        select(*message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .where(messages.c.id.in_(ids), messages.c.direction == "outbound")
        .order_by(messages.c.id)
    )
    return from_result(MessageRow, found)


async def undrained_endpoints(tx: AsyncConnection) -> list[IdleEndpoint]:
    """Active endpoints with a delivery due that nobody is draining."""
    due = (
        select(deliveries.c.id)
        .where(
            deliveries.c.endpoint_id == endpoints.c.id,
            deliveries.c.state == "pending",
            deliveries.c.next_at <= func.now() - timedelta(seconds=2),
        )
        .exists()
    )
    found = await tx.execute(
        select(endpoints.c.id, endpoints.c.scope_id).where(
            endpoints.c.is_active,
            endpoints.c.deleted_at.is_(None),
            or_(endpoints.c.draining_until.is_(None), endpoints.c.draining_until <= func.now()),
            due,
        )
    )
    return from_result(IdleEndpoint, found)


async def histories_to_erase(tx: AsyncConnection, most: int) -> list[str]:
    """Workflow ids whose histories are to be deleted: their guest was erased. Those with a notification pending
    come later: to wake one whose history is gone would start it anew, and leave another history that nobody deletes."""
    found = await tx.execute(select(history_erasures.c.workflow_id).order_by(history_erasures.c.created_at).limit(most))
    listed = {parse(Prefix.MESSAGE, workflow_id): workflow_id for workflow_id in found.scalars()}
    pending = await tx.execute(
        select(messages.c.id).where(
            messages.c.id.in_([key for key in listed if key is not None]), messages.c.wake_due_at.is_not(None)
        )
    )
    waiting = set(pending.scalars())
    return [workflow_id for key, workflow_id in listed.items() if key not in waiting]


async def history_erased(tx: AsyncConnection, workflow_id: str) -> None:
    """That history is gone."""
    await tx.execute(delete(history_erasures).where(history_erasures.c.workflow_id == workflow_id))


async def forget_old(tx: AsyncConnection) -> None:
    """What is kept for a while only: receipts' raw payloads 30 days, idempotency keys 48 hours, endpoints' previous
    secrets as long as they sign."""
    await tx.execute(
        update(receipts)
        .where(receipts.c.payload.is_not(None), receipts.c.received_at < func.now() - timedelta(days=30))
        .values(payload=None)
    )
    # Left when their endpoint was deleted, or written in the same instant: nobody will ever drain them.
    left = (
        select(deliveries.c.id)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(deliveries.c.state == "pending", endpoints.c.deleted_at.is_not(None))
        .limit(MOST_ABANDONED)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    await tx.execute(update(deliveries).where(deliveries.c.id.in_(left)).values(state="abandoned"))
    await tx.execute(
        update(endpoints)
        .where(endpoints.c.previous_secret.is_not(None), endpoints.c.previous_until <= func.now())
        .values(previous_secret=None, previous_until=None)
    )
    await tx.execute(delete(idempotency).where(idempotency.c.created_at < func.now() - timedelta(hours=48)))
