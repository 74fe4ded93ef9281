"""Webhook endpoints and what was delivered to them: made, changed, replayed, removed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.dependencies import (
    AuthenticatedRoute,
    CurrentScope,
    CurrentServices,
    Services,
    key_of,
    page,
    reply,
    require_scope,
)
from api.problems import Invalid, NotFound
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.webhooks import (
    ChangeEndpoint,
    CreateEndpoint,
    Delivery,
    Endpoint,
    ListDeliveries,
    Replay,
    ReplayRequest,
    event_types,
)
from bellhop.domain.ids import Prefix, render
from bellhop.domain.serializers import timestamp
from bellhop.engine import errors as engine_errors
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.webhooks import endpoints
from bellhop.store.webhooks.endpoints import Replayed
from bellhop.webhooks.ssrf_guard import ForbiddenTarget, check_url

router = APIRouter(prefix="/v1/webhooks", tags=["Webhooks"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="createWebhook",
    summary="Create a webhook endpoint",
    status_code=201,
    response_model=Endpoint,
    responses=errors(400, 413),
)
@require_scope("webhooks:write")
async def create(services: CurrentServices, scope: CurrentScope, body: CreateEndpoint) -> Response:
    """Have events posted to a URL of yours, signed with the secret in the answer."""
    await _check(services, body.url)
    row = await services.engine.database.write(
        lambda tx: endpoints.create(tx, scope, body.url, event_types(body.events), body.description)
    )
    return reply(_shown(row), 201)


@router.get(
    "",
    operation_id="listWebhooks",
    summary="List webhook endpoints",
    response_model=Page[Endpoint],
    responses=errors(),
)
@require_scope("webhooks:read")
async def listing(services: CurrentServices, scope: CurrentScope, which: Annotated[Paging, FromQuery()]) -> Response:
    """Webhook endpoints of this property, newest first."""
    rows, total = await services.engine.database.read(
        lambda tx: endpoints.listing(tx, scope, limit=which.limit, offset=which.offset)
    )
    return page([_shown(row) for row in rows], total, which.limit, which.offset)


@router.get(
    "/{webhook_id}",
    operation_id="getWebhook",
    summary="Get a webhook endpoint",
    response_model=Endpoint,
    responses=errors(404),
)
@require_scope("webhooks:read")
async def one(services: CurrentServices, scope: CurrentScope, webhook_id: str) -> Response:
    """One webhook endpoint."""
    key = key_of(Prefix.ENDPOINT, webhook_id)
    row = await services.engine.database.read(lambda tx: endpoints.get(tx, scope, key))
    return reply(_shown(_there(row)))


@router.patch(
    "/{webhook_id}",
    operation_id="updateWebhook",
    summary="Update a webhook endpoint",
    response_model=Endpoint,
    responses=errors(400, 404, 413),
)
@require_scope("webhooks:write")
async def change(services: CurrentServices, scope: CurrentScope, webhook_id: str, body: ChangeEndpoint) -> Response:
    """Change the fields that are present; `is_active: true` also switches a disabled endpoint on again."""
    key = key_of(Prefix.ENDPOINT, webhook_id)
    fields: dict[str, Any] = body.model_dump(exclude_unset=True)
    if "url" in fields:
        await _check(services, body.url)
    if "events" in fields:
        fields["events"] = event_types(body.events)
    row = _there(await services.engine.database.write(lambda tx: endpoints.change(tx, scope, key, fields)))
    if row["is_active"]:
        services.engine.dispatcher.wake_endpoints({key})
    return reply(_shown(row))


@router.delete(
    "/{webhook_id}",
    operation_id="deleteWebhook",
    summary="Delete a webhook endpoint",
    status_code=204,
    responses=errors(404),
)
@require_scope("webhooks:write")
async def delete(services: CurrentServices, scope: CurrentScope, webhook_id: str) -> Response:
    """Delete an endpoint; deliveries that were still pending are abandoned."""
    key = key_of(Prefix.ENDPOINT, webhook_id)
    if not await services.engine.database.write(lambda tx: endpoints.remove(tx, scope, key)):
        raise NotFound
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate-secret",
    operation_id="rotateWebhookSecret",
    summary="Give a webhook endpoint a new secret",
    response_model=Endpoint,
    responses=errors(404),
)
@require_scope("webhooks:write")
async def rotate(services: CurrentServices, scope: CurrentScope, webhook_id: str) -> Response:
    """A new secret. For 24 hours deliveries bear a signature of each, so that nothing is missed meanwhile."""
    key = key_of(Prefix.ENDPOINT, webhook_id)
    return reply(_shown(_there(await services.engine.database.write(lambda tx: endpoints.rotate(tx, scope, key)))))


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="List an endpoint's deliveries",
    response_model=Page[Delivery],
    responses=errors(404),
)
@require_scope("webhooks:read")
async def deliveries(
    services: CurrentServices, scope: CurrentScope, webhook_id: str, which: Annotated[ListDeliveries, FromQuery()]
) -> Response:
    """What was and is owed to the endpoint, newest first."""
    key = key_of(Prefix.ENDPOINT, webhook_id)
    found = await services.engine.database.read(
        lambda tx: endpoints.listing_deliveries(
            tx, scope, key, state=which.state, limit=which.limit, offset=which.offset
        )
    )
    if found is None:
        raise NotFound
    rows, total = found
    return page([_delivery(row) for row in rows], total, which.limit, which.offset)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    operation_id="replayWebhookDelivery",
    summary="Deliver one event again",
    status_code=202,
    response_model=Delivery,
    responses=errors(404, 409),
)
@require_scope("webhooks:write")
async def replay_one(services: CurrentServices, scope: CurrentScope, webhook_id: str, delivery_id: str) -> Response:
    """Owe this delivery again, from the start of the schedule. The event keeps its id."""
    key = key_of(Prefix.ENDPOINT, webhook_id)
    delivery = key_of(Prefix.DELIVERY, delivery_id)
    done = _replayed(await services.engine.database.write(lambda tx: endpoints.replay_one(tx, scope, key, delivery)))
    services.engine.dispatcher.wake_endpoints({key})
    return reply(_delivery(_there(done.row)), 202)


@router.post(
    "/{webhook_id}/replay",
    operation_id="replayWebhook",
    summary="Deliver again what failed",
    status_code=202,
    response_model=Replay,
    responses=errors(400, 404, 409, 413),
)
@require_scope("webhooks:write")
async def replay(services: CurrentServices, scope: CurrentScope, webhook_id: str, body: ReplayRequest) -> Response:
    """Owe again every delivery that failed for good since a time."""
    key = key_of(Prefix.ENDPOINT, webhook_id)
    owed_again = await services.engine.database.write(
        lambda tx: endpoints.replay_failed(tx, scope, key, body.since), timeout=BULK_TIMEOUT
    )
    done = _replayed(owed_again)
    if done.count:
        services.engine.dispatcher.wake_endpoints({key})
    return reply({"replayed": done.count}, 202)


async def _check(services: Services, url: str) -> None:
    try:
        await check_url(url, services.settings.webhook.allow)
    except ForbiddenTarget as problem:
        raise Invalid(["body", "url"], problem.reason, "url") from None


def _there(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        raise NotFound
    return row


def _replayed(done: Replayed | None) -> Replayed:
    if done is None:
        raise NotFound
    if done.inactive:
        raise engine_errors.EndpointInactive
    return done


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": render(Prefix.ENDPOINT, row["id"]),
        "property_id": render(Prefix.PROPERTY, row["property_id"]),
        "url": row["url"],
        "secret": row["secret"],
        "events": ",".join(row["events"]),
        "is_active": row["is_active"],
        "created_at": timestamp(row["created_at"]),
        "description": row["description"],
        "disabled_at": timestamp(row["disabled_at"]),
        "disabled_reason": row["disabled_reason"],
    }


def _delivery(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": render(Prefix.DELIVERY, row["id"]),
        "endpoint_id": render(Prefix.ENDPOINT, row["endpoint_id"]),
        "event_id": render(Prefix.EVENT, row["event_id"]),
        "event_type": row["event_type"],
        "state": row["state"],
        "attempts": row["attempts"],
        "next_attempt_at": timestamp(row["next_at"]) if row["state"] == "pending" else None,
        "last_attempt_at": timestamp(row["last_attempt_at"]),
        "last_status": row["last_status"],
        "last_error": row["last_error"],
        "delivered_at": timestamp(row["delivered_at"]),
        "created_at": timestamp(row["created_at"]),
    }
