"""Webhook endpoints and what was delivered to them: made, changed, replayed, removed."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.auth import Caller
from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentCaller,
    CurrentEngine,
    CurrentScope,
    key_of,
    page,
    reply,
    require_scope,
)
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
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix
from bellhop.domain.keys import allows
from bellhop.domain.rows.webhooks import DeliveryState, EndpointFields
from bellhop.engine import endpoints

router = APIRouter(prefix="/v1/webhooks", tags=["Webhooks"], route_class=AuthenticatedRoute)


def _may_sign(caller: Caller) -> bool:
    """With an endpoint's secret somebody can forge its events: who may only look is not shown it."""
    return allows(caller.rights, "webhooks:write")


@router.post(
    "",
    operation_id="createWebhook",
    summary="Create a webhook endpoint",
    status_code=201,
    response_model=Endpoint,
    responses=errors(400, 409, 413),
)
@require_scope("webhooks:write")
async def create(engine: CurrentEngine, scope: CurrentScope, body: CreateEndpoint) -> Response:
    """Have events posted to a URL of yours, signed with the secret in the answer."""
    row = await endpoints.create(engine, scope, body.url, event_types(body.events), body.description)
    return reply(serializers.endpoint(row, secret=True), 201)


@router.get(
    "",
    operation_id="listWebhooks",
    summary="List webhook endpoints",
    response_model=Page[Endpoint],
    responses=errors(),
)
@require_scope("webhooks:read")
async def listing(
    engine: CurrentEngine, caller: CurrentCaller, scope: CurrentScope, which: Annotated[Paging, FromQuery()]
) -> Response:
    """Webhook endpoints of this property, newest first; their secrets only for keys with `webhooks:write`."""
    asked = page_request(which, Prefix.ENDPOINT)
    listed = await endpoints.listing(engine, scope, asked)
    shown = [serializers.endpoint(row, secret=_may_sign(caller)) for row in listed.rows]
    return page(shown, listed, asked, Prefix.ENDPOINT)


@router.get(
    "/{webhook_id}",
    operation_id="getWebhook",
    summary="Get a webhook endpoint",
    response_model=Endpoint,
    responses=errors(404),
)
@require_scope("webhooks:read")
async def one(engine: CurrentEngine, caller: CurrentCaller, scope: CurrentScope, webhook_id: str) -> Response:
    """One webhook endpoint; its secret only for keys with `webhooks:write`."""
    row = await endpoints.get(engine, scope, key_of(Prefix.ENDPOINT, webhook_id))
    return reply(serializers.endpoint(row, secret=_may_sign(caller)))


@router.patch(
    "/{webhook_id}",
    operation_id="updateWebhook",
    summary="Update a webhook endpoint",
    response_model=Endpoint,
    responses=errors(400, 404, 413),
)
@require_scope("webhooks:write")
async def change(engine: CurrentEngine, scope: CurrentScope, webhook_id: str, body: ChangeEndpoint) -> Response:
    """Change the fields that are present; `is_active: true` also switches a disabled endpoint on again."""
    fields = cast(EndpointFields, body.model_dump(exclude_unset=True))
    if "events" in fields:
        fields["events"] = event_types(body.events)
    row = await endpoints.change(engine, scope, key_of(Prefix.ENDPOINT, webhook_id), fields)
    return reply(serializers.endpoint(row, secret=True))


@router.delete(
    "/{webhook_id}",
    operation_id="deleteWebhook",
    summary="Delete a webhook endpoint",
    status_code=204,
    responses=errors(404),
)
@require_scope("webhooks:write")
async def delete(engine: CurrentEngine, scope: CurrentScope, webhook_id: str) -> Response:
    """Delete an endpoint; deliveries that were still pending are abandoned."""
    await endpoints.remove(engine, scope, key_of(Prefix.ENDPOINT, webhook_id))
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate-secret",
    operation_id="rotateWebhookSecret",
    summary="Give a webhook endpoint a new secret",
    response_model=Endpoint,
    responses=errors(404),
)
@require_scope("webhooks:write")
async def rotate(engine: CurrentEngine, scope: CurrentScope, webhook_id: str) -> Response:
    """A new secret. For 24 hours deliveries bear a signature of each, so that nothing is missed meanwhile."""
    row = await endpoints.rotate(engine, scope, key_of(Prefix.ENDPOINT, webhook_id))
    return reply(serializers.endpoint(row, secret=True))


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="List an endpoint's deliveries",
    response_model=Page[Delivery],
    responses=errors(404),
)
@require_scope("webhooks:read")
async def deliveries(
    engine: CurrentEngine, scope: CurrentScope, webhook_id: str, which: Annotated[ListDeliveries, FromQuery()]
) -> Response:
    """What was and is owed to the endpoint, that of the newest event first."""
    asked = page_request(which, Prefix.DELIVERY)
    state = DeliveryState(which.state) if which.state else None
    listed = await endpoints.deliveries(engine, scope, key_of(Prefix.ENDPOINT, webhook_id), asked, state)
    return page([serializers.delivery(row) for row in listed.rows], listed, asked, Prefix.DELIVERY)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    operation_id="replayWebhookDelivery",
    summary="Deliver one event again",
    status_code=202,
    response_model=Delivery,
    responses=errors(404, 409),
)
@require_scope("webhooks:write")
async def replay_one(engine: CurrentEngine, scope: CurrentScope, webhook_id: str, delivery_id: str) -> Response:
    """Owe this delivery again, from the start of the schedule. The event keeps its id."""
    endpoint = key_of(Prefix.ENDPOINT, webhook_id)
    row = await endpoints.replay_one(engine, scope, endpoint, key_of(Prefix.DELIVERY, delivery_id))
    return reply(serializers.delivery(row), 202)


@router.post(
    "/{webhook_id}/replay",
    operation_id="replayWebhook",
    summary="Deliver again what failed",
    status_code=202,
    response_model=Replay,
    responses=errors(400, 404, 409, 413),
)
@require_scope("webhooks:write")
async def replay(engine: CurrentEngine, scope: CurrentScope, webhook_id: str, body: ReplayRequest) -> Response:
    """Owe again every delivery that failed for good since a time."""
    replayed = await endpoints.replay_failed(engine, scope, key_of(Prefix.ENDPOINT, webhook_id), body.since)
    return reply({"replayed": replayed}, 202)
