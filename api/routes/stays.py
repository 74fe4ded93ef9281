"""Stays: told by the property's software, looked at."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, page, reply, require_scope
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.stays import ChangeStay, CreateStay, ListStays, Stay
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix
from bellhop.domain.stays import StayFields, WhichStays
from bellhop.engine import stays

router = APIRouter(prefix="/v1/stays", tags=["Stays"], route_class=AuthenticatedRoute)


def _fields(body: CreateStay | ChangeStay) -> StayFields:
    given = body.model_dump(exclude_unset=True, exclude={"source", "reservation"})
    if "guests" in given:
        given["guests"] = [key_of(Prefix.GUEST, one) for one in given["guests"]]
    return cast(StayFields, given)


@router.post(
    "",
    operation_id="putStay",
    summary="Create or update a stay",
    status_code=201,
    response_model=Stay,
    responses={200: {"model": Stay, "description": "The stay was known and has been updated."}, **errors(400, 413)},
)
@require_scope("guests:write")
async def put(engine: CurrentEngine, scope: CurrentScope, body: CreateStay) -> Response:
    """Make a stay (201). One with the same source and reservation is updated instead (200): what the body leaves out
    stays as it is."""
    done = await stays.upsert(engine, scope, body.source, body.reservation, _fields(body))
    return reply(serializers.stay(done.row), 201 if done.created else 200)


@router.get("", operation_id="listStays", summary="List stays", response_model=Page[Stay], responses=errors())
@require_scope("guests:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListStays, FromQuery()]) -> Response:
    """Stays of this property, newest first."""
    asked = page_request(which, Prefix.STAY)
    guest_id = None if which.guest_id is None else key_of(Prefix.GUEST, which.guest_id)
    wanted = WhichStays(guest_id, which.status, which.first, which.last, which.source, which.reservation)
    listed = await stays.listing(engine, scope, asked, wanted)
    return page([serializers.stay(row) for row in listed.rows], listed, asked, Prefix.STAY)


@router.get("/{stay_id}", operation_id="getStay", summary="Get a stay", response_model=Stay, responses=errors(404))
@require_scope("guests:read")
async def one(engine: CurrentEngine, scope: CurrentScope, stay_id: str) -> Response:
    """One stay."""
    return reply(serializers.stay(await stays.get(engine, scope, key_of(Prefix.STAY, stay_id))))


@router.patch(
    "/{stay_id}",
    operation_id="updateStay",
    summary="Update a stay",
    response_model=Stay,
    responses=errors(400, 404, 413),
)
@require_scope("guests:write")
async def change(engine: CurrentEngine, scope: CurrentScope, stay_id: str, body: ChangeStay) -> Response:
    """Change the fields that are present; null clears a day or the room; guests and details are replaced."""
    return reply(serializers.stay(await stays.change(engine, scope, key_of(Prefix.STAY, stay_id), _fields(body))))
