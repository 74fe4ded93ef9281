"""What is kept for a while only, forgotten in chunks: each is a transaction of bounded time, however much there is.

Each function forgets at most `most` rows and returns how many it was; fewer than `most`: there is no more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CollectionAggregate, Select, Uuid, any_, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.store.access.idempotency import KEPT_HOURS
from bellhop.store.inbox import entries, sessions
from bellhop.store.messages import assets
from bellhop.store.tables import deliveries, endpoints, receipts

PAYLOADS_KEPT = timedelta(days=30)

_OLD_KEYS = text(
    f"""
    delete from idempotency where ctid = any(array(
      select ctid from idempotency where created_at < now() - interval '{KEPT_HOURS} hours'
      order by created_at limit :most for update skip locked))
    """
)


def _any_of(few: Select[tuple[UUID]]) -> CollectionAggregate[Any]:
    """As an array, each of which is looked for: a subquery of unknown size is joined with the whole table."""
    return any_(func.array(few.scalar_subquery(), type_=ARRAY(Uuid)))


async def payloads(tx: AsyncConnection, most: int) -> int:
    """Receipts' raw payloads."""
    old = (
        select(receipts.c.id)
        .where(receipts.c.payload.is_not(None), receipts.c.received_at < func.now() - PAYLOADS_KEPT)
        .order_by(receipts.c.received_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return (await tx.execute(update(receipts).where(receipts.c.id == _any_of(old)).values(payload=None))).rowcount


async def of_deleted_endpoints(tx: AsyncConnection, most: int) -> int:
    """Deliveries left when their endpoint was deleted, or written in the same instant: nobody will ever drain them."""
    pending = (
        select(deliveries.c.id)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(endpoints.c.deleted_at.is_not(None), deliveries.c.state == "pending")
        .limit(most)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    return (
        await tx.execute(update(deliveries).where(deliveries.c.id == _any_of(pending)).values(state="abandoned"))
    ).rowcount


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


EVERY = (
    payloads,
    of_deleted_endpoints,
    previous_secrets,
    idempotency_keys,
    assets.expire,
    entries.expired,
    sessions.over,
)
