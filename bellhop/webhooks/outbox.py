"""What endpoints are owed: the transactions around a drain. None is open while something is posted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.webhook_ports import RecordUnavailable, Step, Visit
from bellhop.store.delivery.first_attempts import FirstAttempts
from bellhop.store.held_connections import held_connections
from bellhop.store.webhooks import deliveries, results
from bellhop.webhooks.settings import WebhookSettings

log = structlog.get_logger()

LEASE_OF_DRAINER = 10.0
"""Seconds until a drainer has to say again that it drains: longer than its heartbeat time-out, so that nobody wakes a
workflow whose activity is about to be tried again anyway."""
CLAIM_MARGIN = 5.0
"""Seconds a claim outlasts the longest POST."""


class PostgresOutbox:
    """See `webhook_ports.Outbox`: each step is one transaction, and none is open while something is posted."""

    def __init__(self, engine: AsyncEngine, settings: WebhookSettings) -> None:
        self._held = held_connections(engine)
        self._first_attempts = FirstAttempts(engine)
        self._settings = settings
        self._claim_for = settings.timeout + CLAIM_MARGIN

    async def open(self, endpoint_id: UUID) -> datetime | None:
        async with self._begin() as tx:
            return await deliveries.open_drain(tx, endpoint_id, LEASE_OF_DRAINER)

    async def step(self, visits: Sequence[Visit]) -> Sequence[Step]:
        wanted = visits
        if self._first_attempts.suspected and await self._first_attempts.crowded():
            # A webhook a little later, rather than a guest's message.
            wanted = [replace(visit, room=0) for visit in visits]
        async with self._begin() as tx:
            written = await results.write(tx, visits, LEASE_OF_DRAINER, self._settings.disable_after)
            claimed = await deliveries.claim(tx, wanted, self._claim_for)
        self._first_attempts.add(sum(map(len, claimed.values())))
        return [replace(written[visit.endpoint_id], deliveries=claimed.get(visit.endpoint_id, ())) for visit in visits]

    async def abandon(self, endpoint_id: UUID) -> bool:
        async with self._begin() as tx:
            return await deliveries.abandon(tx, endpoint_id)

    async def close(self, endpoint_id: UUID) -> float | None:
        async with self._begin() as tx:
            await deliveries.close_drain(tx, endpoint_id)
        # A new transaction, after that commit: whoever wrote before it is seen here, whoever writes later wakes us.
        async with self._begin() as tx:
            return await deliveries.next_due(tx, endpoint_id)

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._held.transaction() as tx:
                await deliveries.relaxed(tx)
                yield tx
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("the record could not be reached", error=type(error).__name__)
            # Database errors can quote keys and values; nothing of them goes further (I6).
            raise RecordUnavailable from None
