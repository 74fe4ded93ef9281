"""Guests: made or matched, searched, changed, erased."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api import idempotency
from api.dependencies import AuthenticatedRoute, CurrentScope, CurrentServices, key_of, page, reply, require_scope
from api.idempotency import REPLAYED
from api.problems import NotFound
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.guests import ChangeGuest, CreateGuest, Guest, ListGuests
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix
from bellhop.engine import errors as errors_of_engine
from bellhop.engine.idempotency import Once, once
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.guests import erasure, profiles
from bellhop.store.guests.profiles import GuestConflict, Written

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
    services: CurrentServices,
    scope: CurrentScope,
    body: CreateGuest,
    idempotency_key: Annotated[
        str | None, Header(description="Repeat the request with the same key, and no second guest is made.")
    ] = None,
) -> Response:
    """Make a guest (201). One with the same e-mail address or `external_id` is updated and re-activated instead (200):
    what the body leaves out stays as it is."""
    fields = body.model_dump(exclude_unset=True)
    engine = services.engine

    async def make(tx: AsyncConnection) -> Once[Written]:
        written = await profiles.upsert(tx, scope, fields, engine.book)
        return Once(written, written.row["id"], 201 if written.created else 200)

    async def find(tx: AsyncConnection, guest_id: UUID) -> Written | None:
        row = await profiles.get(tx, scope, guest_id)
        return None if row is None else Written(row)

    try:
        done = await engine.database.write(
            lambda tx: once(
                tx,
                engine.book,
                scope,
                "guest",
                idempotency.read_key(idempotency_key, body),
                make=lambda: make(tx),
                find=lambda guest_id: find(tx, guest_id),
            )
        )
    except GuestConflict as conflict:
        raise errors_of_engine.GuestConflict(conflict.field) from None
    engine.dispatcher.wake_endpoints(done.made.endpoints)
    return reply(serializers.guest(done.made.row), done.status_code, REPLAYED if done.replayed else None)


@router.get(
    "", operation_id="listGuests", summary="List and search guests", response_model=Page[Guest], responses=errors()
)
@require_scope("guests:read")
async def listing(
    services: CurrentServices, scope: CurrentScope, which: Annotated[ListGuests, FromQuery()]
) -> Response:
    """Guests of this property, newest first."""
    rows, total = await services.engine.database.read(
        lambda tx: profiles.listing(tx, scope, search=which.search, limit=which.limit, offset=which.offset)
    )
    return page([serializers.guest(row) for row in rows], total, which.limit, which.offset)


@router.get("/{guest_id}", operation_id="getGuest", summary="Get a guest", response_model=Guest, responses=errors(404))
@require_scope("guests:read")
async def one(services: CurrentServices, scope: CurrentScope, guest_id: str) -> Response:
    """One guest."""
    key = key_of(Prefix.GUEST, guest_id)
    row: dict[str, Any] | None = await services.engine.database.read(lambda tx: profiles.get(tx, scope, key))
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
@require_scope("guests:write")
async def change(services: CurrentServices, scope: CurrentScope, guest_id: str, body: ChangeGuest) -> Response:
    """Change the fields that are present; null clears an e-mail address or phone; preferences are replaced."""
    engine, key = services.engine, key_of(Prefix.GUEST, guest_id)
    fields = body.model_dump(exclude_unset=True)
    try:
        written = await engine.database.write(lambda tx: profiles.change(tx, scope, key, fields, engine.book))
    except GuestConflict as conflict:
        raise errors_of_engine.GuestConflict(conflict.field) from None
    if written is None:
        raise NotFound
    services.engine.dispatcher.wake_endpoints(written.endpoints)
    return reply(serializers.guest(written.row))


@router.delete(
    "/{guest_id}", operation_id="deleteGuest", summary="Erase a guest", status_code=204, responses=errors(404)
)
@require_scope("guests:write")
async def delete(services: CurrentServices, scope: CurrentScope, guest_id: str) -> Response:
    """Erase the guest with all conversations and messages. What waited is cancelled before the answer. Irreversible."""
    engine, key = services.engine, key_of(Prefix.GUEST, guest_id)
    erased = await services.engine.database.write(
        lambda tx: erasure.erase(tx, scope, key, engine.book), timeout=BULK_TIMEOUT
    )
    if erased is None:
        raise NotFound
    for row in erased.woken:
        services.engine.dispatcher.woken(row)
    services.engine.dispatcher.wake_endpoints(erased.endpoints)
    return Response(status_code=204)
