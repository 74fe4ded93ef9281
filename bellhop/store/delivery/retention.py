"""What is kept for a while only, forgotten in chunks: each is a transaction of bounded time, however much there is.

Each function forgets at most `most` rows and returns how many it was; fewer than `most`: there is no more.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CollectionAggregate, Integer, Select, Uuid, any_, bindparam, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.store.access.idempotency import KEPT_HOURS
from bellhop.store.broadcasts import recipients as broadcast_recipients
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations import keyword_answers
from bellhop.store.delivery import property_retention
from bellhop.store.inbox import entries, sessions
from bellhop.store.messages import assets, batches
from bellhop.store.tables import deliveries, endpoints, pending_deliveries, receipts

PAYLOADS_KEPT_DAYS = 30

_OLD_KEYS = text(
    f"""
    delete from idempotency where ctid = any(array(
      select ctid from idempotency where created_at < now() - interval '{KEPT_HOURS} hours'
      order by created_at limit :most for update skip locked))
    """
)


_GONE_QUESTIONS = text(
    """
    delete from waiting_questions where message_id = any(array(
      select message_id from waiting_questions where comes_at < now() - interval '1 day' limit :most))
    """
)


def _any_of(few: Select[tuple[UUID]]) -> CollectionAggregate[Any]:
    """As an array, each of which is looked for: a subquery of unknown size is joined with the whole table."""
    return any_(func.array(few.scalar_subquery(), type_=ARRAY(Uuid)))


_OLD = f"payload is not null and received_at < now() - interval '{PAYLOADS_KEPT_DAYS} days'"
# Of each scope the oldest, read off an index by scope and time.
_PAYLOADS = CompiledStatement(
    text(
        f"""
        select old.id from scopes cross join lateral (
          select id from receipts where scope_id = scopes.id and {_OLD}
          order by received_at limit :most for update skip locked) old
        limit :most
        """
    ).bindparams(bindparam("most", type_=Integer)),
    value=UUID,
)
_NOBODYS_PAYLOADS = CompiledStatement(
    text(
        f"""
        select id from receipts where scope_id is null and {_OLD}
        order by received_at limit :most for update skip locked
        """
    ).bindparams(bindparam("most", type_=Integer)),
    value=UUID,
)


async def payloads(tx: AsyncConnection, most: int) -> int:
    """Receipts' raw payloads."""
    return await _empty(tx, await _PAYLOADS(tx, most=most))


async def payloads_of_nobody(tx: AsyncConnection, most: int) -> int:
    """The same of what matched no property."""
    return await _empty(tx, await _NOBODYS_PAYLOADS(tx, most=most))


async def _empty(tx: AsyncConnection, ids: list[UUID]) -> int:
    if ids:
        here = any_(literal(ids, ARRAY(Uuid)))
        await tx.execute(update(receipts).where(receipts.c.id == here).values(payload=None))
    return len(ids)


async def of_deleted_endpoints(tx: AsyncConnection, most: int) -> int:
    """Deliveries left when their endpoint was deleted, or written in the same instant: nobody will ever drain them."""
    pending = (
        select(pending_deliveries.c.endpoint_id, pending_deliveries.c.event_id)
        .join(endpoints, endpoints.c.id == pending_deliveries.c.endpoint_id)
        .where(endpoints.c.deleted_at.is_not(None))
        .limit(most)
        .with_for_update(of=pending_deliveries, skip_locked=True)
        .cte("pending")
        .prefix_with("materialized", dialect="postgresql")
    )
    mine = (deliveries.c.endpoint_id == pending.c.endpoint_id, deliveries.c.event_id == pending.c.event_id)
    return (await tx.execute(update(deliveries).where(*mine).values(state="abandoned"))).rowcount


async def previous_secrets(tx: AsyncConnection, most: int) -> int:
    """Endpoints' previous secrets, which sign no longer."""
    over = (
        select(endpoints.c.id)
        .where(endpoints.c.previous_secret.is_not(None), endpoints.c.previous_until <= func.now())
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    forgotten = (
        update(endpoints).where(endpoints.c.id == _any_of(over)).values(previous_secret=None, previous_until=None)
    )
    return (await tx.execute(forgotten)).rowcount


async def idempotency_keys(tx: AsyncConnection, most: int) -> int:
    """Idempotency keys."""
    return (await tx.execute(_OLD_KEYS, {"most": most})).rowcount


async def waiting_questions(tx: AsyncConnection, most: int) -> int:
    """Turns to ask that nobody has come back for."""
    return (await tx.execute(_GONE_QUESTIONS, {"most": most})).rowcount


EVERY = (
    payloads,
    payloads_of_nobody,
    of_deleted_endpoints,
    previous_secrets,
    idempotency_keys,
    batches.old,
    waiting_questions,
    assets.expire,
    entries.expired,
    sessions.over,
    keyword_answers.answered,
    broadcast_recipients.forget,
    *property_retention.EVERY,
)
