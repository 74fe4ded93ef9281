"""Guests: made or matched, searched, changed, erased."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import Guarded, caller, door, key_of, needs, page, reply
from api.errors import GuestTaken, IdempotencyGone, NotFound
from api.idempotency import REPLAYED, same, ticket
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.guests import ChangeGuest, CreateGuest, Guest, ListGuests
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix
from bellhop.store.access import idempotency
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.guests import erasure, profiles
from bellhop.store.guests.profiles import GuestConflict, Written

router = APIRouter(prefix="/v1/guests", tags=["Guests"], route_class=Guarded)


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
@needs("guests:write")
async def create(
    request: Request,
    body: CreateGuest,
    idempotency_key: Annotated[
        str | None, Header(description="Repeat the request with the same key, and no second guest is made.")
    ] = None,
) -> Response:
    """Make a guest (201). One with the same e-mail address or `external_id` is updated and re-activated instead (200):
    what the body leaves out stays as it is."""
    here, scope = door(request), caller(request).scope
    asked = ticket(request, "guest", body)
    fields = body.model_dump(exclude_unset=True)

    async def work(tx: AsyncConnection) -> tuple[Written, int, bool]:
        if asked is not None:
            earlier = await idempotency.take(tx, scope, asked)
            if earlier is not None:
                first = same(earlier, asked)
                row = await profiles.get(tx, scope, first.subject_id) if first.subject_id else None
                if row is None:
                    raise IdempotencyGone
                return Written(row), first.status_code, True
        written = await profiles.upsert(tx, scope, fields, here.book)
        status = 201 if written.created else 200
        if asked is not None:
            await idempotency.fill(tx, scope, asked, written.row["id"], status)
        return written, status, False

    try:
        written, status, replayed = await here.database.write(work)
    except GuestConflict as conflict:
        raise _taken(conflict) from None
    here.dispatcher.wake_endpoints(written.endpoints)
    return reply(serializers.guest(written.row), status, REPLAYED if replayed else None)


@router.get(
    "", operation_id="listGuests", summary="List and search guests", response_model=Page[Guest], responses=errors()
)
@needs("guests:read")
async def listing(request: Request, which: Annotated[ListGuests, FromQuery()]) -> Response:
    """Guests of this property, newest first."""
    scope = caller(request).scope
    rows, total = await door(request).database.read(
        lambda tx: profiles.listing(tx, scope, search=which.search, limit=which.limit, offset=which.offset)
    )
    return page([serializers.guest(row) for row in rows], total, which.limit, which.offset)


@router.get("/{guest_id}", operation_id="getGuest", summary="Get a guest", response_model=Guest, responses=errors(404))
@needs("guests:read")
async def one(request: Request, guest_id: str) -> Response:
    """One guest."""
    scope, key = caller(request).scope, key_of(Prefix.GUEST, guest_id)
    row: dict[str, Any] | None = await door(request).database.read(lambda tx: profiles.get(tx, scope, key))
    if row is None:
        raise NotFound
    return reply(serializers.guest(row))


@router.patch(
    "/{guest_id}",
    operation_id="updateGuest",
    summary="Update a guest",
    response_model=Guest,
    responses=errors(400, 404, 409, 413),
)
@needs("guests:write")
async def change(request: Request, guest_id: str, body: ChangeGuest) -> Response:
    """Change the fields that are present; null clears an e-mail address or phone; preferences are replaced."""
    here, scope, key = door(request), caller(request).scope, key_of(Prefix.GUEST, guest_id)
    fields = body.model_dump(exclude_unset=True)
    try:
        written = await here.database.write(lambda tx: profiles.change(tx, scope, key, fields, here.book))
    except GuestConflict as conflict:
        raise _taken(conflict) from None
    if written is None:
        raise NotFound
    here.dispatcher.wake_endpoints(written.endpoints)
    return reply(serializers.guest(written.row))


@router.delete(
    "/{guest_id}", operation_id="deleteGuest", summary="Erase a guest", status_code=204, responses=errors(404)
)
@needs("guests:write")
async def delete(request: Request, guest_id: str) -> Response:
    """Erase the guest with all conversations and messages. What waited is cancelled before the answer. Irreversible."""
    here, scope, key = door(request), caller(request).scope, key_of(Prefix.GUEST, guest_id)
    erased = await here.database.write(lambda tx: erasure.erase(tx, scope, key, here.book), timeout=BULK_TIMEOUT)
    if erased is None:
        raise NotFound
    for row in erased.woken:
        here.dispatcher.woken(row)
    here.dispatcher.wake_endpoints(erased.endpoints)
    return Response(status_code=204)


def _taken(conflict: GuestConflict) -> GuestTaken:
    what = "external id" if conflict.field == "external_id" else "e-mail address"
    return GuestTaken(f"Another guest of this property has that {what}.")
