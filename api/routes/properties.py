"""Properties: the one a key belongs to, looked at and changed."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import AuthenticatedRoute, CurrentCaller, CurrentEngine, key_of, page, reply, require_scope
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.keys import ChangeProperty, Property
from api.schemas.operators import WithReason
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix, render
from bellhop.domain.operators import Operator
from bellhop.domain.rows.access import PropertyFields
from bellhop.engine import properties

router = APIRouter(prefix="/v1/properties", tags=["Properties"], route_class=AuthenticatedRoute)


@router.get(
    "", operation_id="listProperties", summary="List properties", response_model=Page[Property], responses=errors()
)
@require_scope("properties:read")
async def listing(engine: CurrentEngine, caller: CurrentCaller, which: Annotated[Paging, FromQuery()]) -> Response:
    """The properties that the key opens: usually one."""
    asked = page_request(which, Prefix.PROPERTY)
    listed = await properties.listing(engine, caller.scopes, asked)
    return page([serializers.property_(row) for row in listed.rows], listed, asked, Prefix.PROPERTY)


@router.get(
    "/{property_id}",
    operation_id="getProperty",
    summary="Get a property",
    response_model=Property,
    responses=errors(404),
)
@require_scope("properties:read")
async def one(engine: CurrentEngine, caller: CurrentCaller, property_id: str) -> Response:
    """One property."""
    row = await properties.get(engine, caller.scopes, key_of(Prefix.PROPERTY, property_id))
    return reply(serializers.property_(row))


@router.patch(
    "/{property_id}",
    operation_id="updateProperty",
    summary="Update a property",
    response_model=Property,
    responses=errors(400, 404, 413),
)
@require_scope("properties:write")
async def change(engine: CurrentEngine, caller: CurrentCaller, property_id: str, body: ChangeProperty) -> Response:
    """Change the fields that are present."""
    fields = cast(PropertyFields, body.model_dump(exclude_unset=True))
    row = await properties.change(engine, caller.scopes, key_of(Prefix.PROPERTY, property_id), fields)
    return reply(serializers.property_(row))


@router.post(
    "/{property_id}/pause",
    operation_id="pauseProperty",
    summary="Pause a property",
    response_model=Property,
    responses=errors(400, 404, 413),
)
@require_scope("properties:write")
async def pause(engine: CurrentEngine, caller: CurrentCaller, property_id: str, body: WithReason) -> Response:
    """Nothing goes out from now on, in the key's environment: messages are accepted and wait until the property is
    resumed, or they expire. What a provider is being called with is not taken back. Repeating it changes nothing. The
    key's id and the reason stay on record."""
    key = key_of(Prefix.PROPERTY, property_id)
    scopes = properties.of_property(caller.scopes, key)
    await properties.pause(engine, scopes, Operator(render(Prefix.KEY, caller.key_id), body.reason))
    return reply(serializers.property_(await properties.get(engine, caller.scopes, key)))


@router.post(
    "/{property_id}/resume",
    operation_id="resumeProperty",
    summary="Resume a property",
    response_model=Property,
    responses=errors(400, 404, 413),
)
@require_scope("properties:write")
async def resume(engine: CurrentEngine, caller: CurrentCaller, property_id: str, body: WithReason) -> Response:
    """What waits goes out. Repeating it changes nothing. The key's id and the reason stay on record."""
    key = key_of(Prefix.PROPERTY, property_id)
    scopes = properties.of_property(caller.scopes, key)
    await properties.resume(engine, scopes, Operator(render(Prefix.KEY, caller.key_id), body.reason))
    return reply(serializers.property_(await properties.get(engine, caller.scopes, key)))
