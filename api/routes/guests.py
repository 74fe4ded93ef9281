"""Guests: made or matched, searched, changed, erased."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from starlette.responses import Response

from api import idempotency
from api.cursors import page_request
from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, page, reply, require_scope
from api.idempotency import REPLAYED
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.guests import ChangeGuest, CreateGuest, Guest, ListGuests
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix
from bellhop.domain.rows.guests import GuestFields
from bellhop.engine import guests

router = APIRouter(prefix="/v1/guests", tags=["Guests"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="createGuest",
    summary="Create or update a guest",
    status_code=201,
    response_model=Guest,
    responses={
        200: {"model": Guest, "description": "The guest was known and has been updated."},
        **errors(400, 409, 413),
    },
)
@require_scope("guests:write")
async def create(
    engine: CurrentEngine,
    scope: CurrentScope,
    body: CreateGuest,
    idempotency_key: Annotated[
        str | None, Header(description="Repeat the request with the same key, and no second guest is made.")
    ] = None,
) -> Response:
    """Make a guest (201). One with the same e-mail address or `external_id` is updated and re-activated instead (200):
    what the body leaves out stays as it is."""
    fields = cast(GuestFields, body.model_dump(exclude_unset=True))
    done = await guests.upsert(engine, scope, fields, idempotency.read_key(idempotency_key, body))
    return reply(serializers.guest(done.made), done.status_code, REPLAYED if done.replayed else None)


@router.get(
    "", operation_id="listGuests", summary="List and search guests", response_model=Page[Guest], responses=errors()
)
@require_scope("guests:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListGuests, FromQuery()]) -> Response:
    """Guests of this property, newest first."""
    asked = page_request(which, Prefix.GUEST)
    listed = await guests.listing(engine, scope, asked, which.search)
    return page([serializers.guest(row) for row in listed.rows], listed, asked, Prefix.GUEST)


@router.get("/{guest_id}", operation_id="getGuest", summary="Get a guest", response_model=Guest, responses=errors(404))
@require_scope("guests:read")
async def one(engine: CurrentEngine, scope: CurrentScope, guest_id: str) -> Response:
    """One guest."""
    return reply(serializers.guest(await guests.get(engine, scope, key_of(Prefix.GUEST, guest_id))))


@router.patch(
    "/{guest_id}",
    operation_id="updateGuest",
    summary="Update a guest",
    response_model=Guest,
    responses=errors(400, 404, 409, 413),
)
@require_scope("guests:write")
async def change(engine: CurrentEngine, scope: CurrentScope, guest_id: str, body: ChangeGuest) -> Response:
    """Change the fields that are present; null clears an e-mail address or phone; preferences are replaced."""
    fields = cast(GuestFields, body.model_dump(exclude_unset=True))
    return reply(serializers.guest(await guests.change(engine, scope, key_of(Prefix.GUEST, guest_id), fields)))


@router.delete(
    "/{guest_id}", operation_id="deleteGuest", summary="Erase a guest", status_code=204, responses=errors(404)
)
@require_scope("guests:write")
async def delete(engine: CurrentEngine, scope: CurrentScope, guest_id: str) -> Response:
    """Erase the guest with all conversations and messages. What waited is cancelled before the answer. Irreversible."""
    await guests.erase(engine, scope, key_of(Prefix.GUEST, guest_id))
    return Response(status_code=204)
