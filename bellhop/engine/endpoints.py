"""Customers' webhook endpoints and what is delivered to them: created, changed, listed, replayed, deleted."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from importlib import import_module
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.webhooks import DeliveryRow, DeliveryState, EndpointFields, EndpointRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import EndpointInactive, ForbiddenUrl, NotFound, TooManyEndpoints
from bellhop.store.webhooks import endpoints
from bellhop.store.webhooks.endpoints import Replayed
from bellhop.webhooks.resolver import on_behalf_of, shared


async def create(engine: Engine, scope: Scope, url: str, events: list[str], description: str | None) -> EndpointRow:
    """A new endpoint with a fresh secret. `events`: event types, or `["*"]`. Raises ForbiddenUrl, TooManyEndpoints."""
    await check(engine, scope, url)
    most = engine.webhook.max_endpoints
    made = await engine.database.write(lambda tx: endpoints.create(tx, scope, url, events, description, most))
    if made is None:
        raise TooManyEndpoints(most)
    return made


async def change(engine: Engine, scope: Scope, endpoint_id: UUID, fields: EndpointFields) -> EndpointRow:
    """Set `fields` of an endpoint. Switched on again, it gets what it is still owed. Raises ForbiddenUrl, NotFound."""
    if "url" in fields:
        await check(engine, scope, fields["url"])
    row = _there(await engine.database.write(lambda tx: endpoints.change(tx, scope, endpoint_id, fields)))
    if row.is_active:
        engine.dispatcher.wake_endpoints({endpoint_id})
    return row


async def get(engine: Engine, scope: Scope, endpoint_id: UUID) -> EndpointRow:
    """One endpoint. Raises NotFound."""
    return _there(await engine.database.read(lambda tx: endpoints.get(tx, scope, endpoint_id)))


async def listing(engine: Engine, scope: Scope, asked: PageRequest) -> Listed[EndpointRow]:
    """Endpoints, newest first."""
    return await engine.database.read(lambda tx: endpoints.listing(tx, scope, asked))


async def remove(engine: Engine, scope: Scope, endpoint_id: UUID) -> None:
    """Delete an endpoint; what it was still owed is abandoned, of a large backlog a part after this returns. Raises
    NotFound."""
    if not await engine.database.write(lambda tx: endpoints.remove(tx, scope, endpoint_id)):
        raise NotFound
    engine.dispatcher.wake_endpoints({endpoint_id})


async def rotate(engine: Engine, scope: Scope, endpoint_id: UUID) -> EndpointRow:
    """A new secret; for a day deliveries are signed with both. Raises NotFound."""
    return _there(await engine.database.write(lambda tx: endpoints.rotate(tx, scope, endpoint_id)))


async def deliveries(
    engine: Engine, scope: Scope, endpoint_id: UUID, asked: PageRequest, state: DeliveryState | None = None
) -> Listed[DeliveryRow]:
    """Deliveries of an endpoint, those of the newest event first. Raises NotFound."""
    found = await engine.database.read(
        lambda tx: endpoints.listing_deliveries(tx, scope, endpoint_id, asked, state=state)
    )
    if found is None:
        raise NotFound
    return found


async def replay_one(engine: Engine, scope: Scope, endpoint_id: UUID, delivery_id: UUID) -> DeliveryRow:
    """Owe one delivery again, from the start of the schedule; its event keeps its id. Raises NotFound,
    EndpointInactive."""
    done = _replayed(await engine.database.write(lambda tx: endpoints.replay_one(tx, scope, endpoint_id, delivery_id)))
    if done.row is None:
        raise NotFound
    engine.dispatcher.wake_endpoints({endpoint_id})
    return done.row


async def replay_failed(engine: Engine, scope: Scope, endpoint_id: UUID, since: datetime) -> int:
    """Owe again what failed for good and was first owed at `since` or later. Returns how many. Raises NotFound,
    EndpointInactive."""
    count, after = 0, None
    while True:
        done = _replayed(await engine.database.write(partial(_replay_some, scope, endpoint_id, since, after)))
        if done.count:
            engine.dispatcher.wake_endpoints({endpoint_id})
        count, after = count + done.count, done.last
        if after is None:
            return count


async def _replay_some(
    scope: Scope, endpoint_id: UUID, since: datetime, after: UUID | None, tx: AsyncConnection
) -> Replayed | None:
    return await endpoints.replay_failed(tx, scope, endpoint_id, since, after)


async def check(engine: Engine, scope: Scope, url: str) -> None:
    """Raises ForbiddenUrl on an address that nothing is posted to."""
    # Here and in a thread: an HTTP client comes with it, which takes the API as long as ten requests and 7 MB.
    ssrf_guard = await asyncio.to_thread(import_module, "bellhop.webhooks.ssrf_guard")
    try:
        with on_behalf_of(str(scope.property_id)):
            await ssrf_guard.check_url(url, engine.webhook.allow, shared(engine.webhook.nameservers))
    except ssrf_guard.ForbiddenTarget as target:
        raise ForbiddenUrl(target.reason) from None


def _there(row: EndpointRow | None) -> EndpointRow:
    if row is None:
        raise NotFound
    return row


def _replayed(done: Replayed | None) -> Replayed:
    if done is None:
        raise NotFound
    if done.inactive:
        raise EndpointInactive
    return done
