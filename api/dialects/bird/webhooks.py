"""Bird's webhook subscriptions: endpoints of the property that are sent its message.

Its clients ask for them below a workspace, with an organization in front of it or without: that is not looked at.
"""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Query as FromQuery
from starlette.responses import Response

from api.auth import Caller
from api.dependencies import CurrentCaller, CurrentEngine, reply, require_scope
from api.dialects.bird.router import of_organizations, router
from api.dialects.bird.schemas import Paging
from api.dialects.bird.webhook_schemas import ChangeSubscription, EventFilter, Subscribe
from api.dialects.bird.workspaces import page_of, paged, scope_of, uuid_of
from bellhop.domain import keys
from bellhop.domain.formats import bird
from bellhop.domain.ids import Prefix
from bellhop.domain.rows.webhooks import EndpointFields, EndpointFormat, EndpointRow
from bellhop.domain.serializers import timestamp
from bellhop.engine import endpoints, formatted_endpoints
from bellhop.engine.formatted_endpoints import RECEIVED, STATUSES, NewSubscription

BIRD = EndpointFormat.BIRD
_ALL = "/{workspace_id}/webhook-subscriptions"
_ONE = "/{workspace_id}/webhook-subscriptions/{subscription_id}"
_OF = "/{organization_id}/workspaces"
_ACTIVE, _INACTIVE = "active", "inactive"
_TYPES = {bird.OUTBOUND: STATUSES, bird.INBOUND: RECEIVED}


@router.get("/{workspace_id}/available-webhooks")
@require_scope("webhooks:read")
async def available(caller: CurrentCaller, workspace_id: str) -> Response:
    """What there are subscriptions to."""
    scope_of(caller, workspace_id)
    known = [{"service": bird.SERVICE, "event": word, "filters": list(bird.FILTERS)} for word in bird.EVENTS]
    return reply({"results": known})


@of_organizations.post(_OF + _ALL)
@router.post(_ALL)
@require_scope("webhooks:write")
async def create(engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, body: Subscribe) -> Response:
    """One more."""
    channel, way = bird.EVENTS[body.event]
    new = NewSubscription(
        url=body.url,
        events=bird.events_of(_TYPES[way], _given(body.event_filters)),
        channels=(channel,),
        secret=body.signing_key or "",
        asked=bird.subscription(body.event, _given(body.event_filters)),
    )
    row = await formatted_endpoints.create(engine, scope_of(caller, workspace_id), BIRD, new)
    return reply(_shown(row, caller), 201)


@of_organizations.get(_OF + _ALL)
@router.get(_ALL)
@require_scope("webhooks:read")
async def listing(
    engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, asked: Annotated[Paging, FromQuery()]
) -> Response:
    """Those there are, newest first."""
    page = page_of(asked.limit, asked.page_token, Prefix.ENDPOINT)
    found = await formatted_endpoints.page(engine, scope_of(caller, workspace_id), BIRD, page)
    return reply(paged([_shown(row, caller) for row in found.rows], found.next, Prefix.ENDPOINT))


@of_organizations.get(_OF + _ONE)
@router.get(_ONE)
@require_scope("webhooks:read")
async def one(engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, subscription_id: str) -> Response:
    """One of them."""
    scope = scope_of(caller, workspace_id)
    return reply(_shown(await formatted_endpoints.get(engine, scope, BIRD, uuid_of(subscription_id)), caller))


@of_organizations.patch(_OF + _ONE)
@router.patch(_ONE)
@require_scope("webhooks:write")
async def change(
    engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, subscription_id: str, body: ChangeSubscription
) -> Response:
    """Change what is given; made active again, it gets what it is still owed."""
    scope, endpoint_id = scope_of(caller, workspace_id), uuid_of(subscription_id)
    row = await formatted_endpoints.get(engine, scope, BIRD, endpoint_id)
    named = body.model_fields_set
    fields: dict[str, Any] = {}
    if body.url is not None:
        fields["url"] = body.url
    if "signing_key" in named:
        fields["secret"] = body.signing_key or ""
    if "event_filters" in named:
        filters = _given(body.event_filters)
        fields["asked"] = bird.subscription(_word(row), filters)
        fields["events"] = list(bird.events_of(_TYPES[bird.EVENTS[_word(row)][1]], filters))
    if body.status is not None:
        fields["is_active"] = body.status == _ACTIVE
    if fields:
        row = await endpoints.change(engine, scope, endpoint_id, cast(EndpointFields, fields))
    return reply(_shown(row, caller))


@of_organizations.delete(_OF + _ONE)
@router.delete(_ONE)
@require_scope("webhooks:write")
async def remove(engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, subscription_id: str) -> Response:
    """One fewer; what it was still owed is abandoned."""
    scope, endpoint_id = scope_of(caller, workspace_id), uuid_of(subscription_id)
    await formatted_endpoints.get(engine, scope, BIRD, endpoint_id)
    await endpoints.remove(engine, scope, endpoint_id)
    return Response(status_code=204)


def _given(filters: list[EventFilter] | None) -> list[tuple[str, str]]:
    return [(one.key, one.value) for one in filters or ()]


def _word(row: EndpointRow) -> str:
    return str((row.asked or {}).get("event"))


def _shown(row: EndpointRow, caller: Caller) -> dict[str, Any]:
    """With its key the events of it can be forged: who may only look is not shown that."""
    said = {
        "id": str(row.id),
        "workspaceId": str(row.property_id),
        "service": bird.SERVICE,
        "event": _word(row),
        "eventFilters": (row.asked or {}).get("filters", []),
        "url": row.url,
        "status": _ACTIVE if row.is_active else _INACTIVE,
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }
    secret = row.secret if keys.allows(caller.rights, "webhooks:write") else ""
    return said | ({"signingKey": secret} if secret else {})
