"""Properties: the one a key belongs to, looked at and changed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.auth import Caller
from api.dependencies import AuthenticatedRoute, CurrentCaller, CurrentServices, key_of, page, reply, require_scope
from api.problems import NotFound
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.keys import ChangeProperty, Property
from bellhop.domain.ids import Prefix, render
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.store.access import properties

router = APIRouter(prefix="/v1/properties", tags=["Properties"], route_class=AuthenticatedRoute)


@router.get(
    "", operation_id="listProperties", summary="List properties", response_model=Page[Property], responses=errors()
)
@require_scope("properties:read")
async def listing(services: CurrentServices, caller: CurrentCaller, which: Annotated[Paging, FromQuery()]) -> Response:
    """The properties that the key opens: usually one."""
    opened = caller.scopes
    rows = await services.engine.database.read(lambda tx: properties.of_scopes(tx, opened))
    wanted = rows[which.offset : which.offset + which.limit]
    return page([_shown(row) for row in wanted], len(rows), which.limit, which.offset)


@router.get(
    "/{property_id}",
    operation_id="getProperty",
    summary="Get a property",
    response_model=Property,
    responses=errors(404),
)
@require_scope("properties:read")
async def one(services: CurrentServices, caller: CurrentCaller, property_id: str) -> Response:
    """One property."""
    scope = _opened(caller, property_id)
    rows = await services.engine.database.read(lambda tx: properties.of_scopes(tx, [scope]))
    return reply(_shown(rows[0]))


@router.patch(
    "/{property_id}",
    operation_id="updateProperty",
    summary="Update a property",
    response_model=Property,
    responses=errors(400, 404, 413),
)
@require_scope("properties:write")
async def change(services: CurrentServices, caller: CurrentCaller, property_id: str, body: ChangeProperty) -> Response:
    """Change the fields that are present."""
    scope = _opened(caller, property_id)
    fields = body.model_dump(exclude_unset=True)
    return reply(_shown(await services.engine.database.write(lambda tx: properties.change(tx, scope, fields))))


def _opened(caller: Caller, property_id: str) -> Scope:
    key = key_of(Prefix.PROPERTY, property_id)
    for scope in caller.scopes:
        if scope.property_id == key:
            return scope
    raise NotFound


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    plain = ("name", "slug", "type", "timezone", "currency", "country", "settings", "is_active")
    return {
        "id": render(Prefix.PROPERTY, row["id"]),
        **{name: row[name] for name in plain},
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }
