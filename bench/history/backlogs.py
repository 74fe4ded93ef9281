"""What takes a few of many that wait, in the transaction it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.rows.delivery import Backlog
from bellhop.store.delivery import parked, pending_wakes
from bellhop.store.webhooks import deliveries, endpoints

if TYPE_CHECKING:
    from bench.history.uses import History

Work = Callable[["History", AsyncConnection], Awaitable[object]]
YEAR = timedelta(days=365)


async def release(history: History, tx: AsyncConnection) -> None:
    await parked.release(tx, Backlog(history.scope.id, Channel.SMS), 100)


async def release_of_before(_: History, tx: AsyncConnection) -> None:
    await parked.release_of_before(tx, datetime.now(UTC), 100)


async def clear(history: History, tx: AsyncConnection) -> None:
    await pending_wakes.clear(tx, {history.message: datetime.now(UTC)})


async def abandon(history: History, tx: AsyncConnection) -> None:
    mark = text("update endpoints set deleted_at = :at where id = :id")
    await tx.execute(mark, {"at": datetime.now(UTC), "id": history.endpoint})
    await deliveries.abandon(tx, history.endpoint)
    await tx.execute(mark, {"at": None, "id": history.endpoint})


async def replay(history: History, tx: AsyncConnection) -> None:
    await endpoints.replay_failed(tx, history.scope, history.endpoint, datetime.now(UTC) - YEAR)


USES: dict[str, Work] = {
    "release of 100 parked messages": release,
    "release of what found no sender": release_of_before,
    "a notification of Temporal made good": clear,
    "a deleted endpoint's deliveries": abandon,
    "an endpoint's failed deliveries again": replay,
}
