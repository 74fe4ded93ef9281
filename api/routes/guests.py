"""Guests: made or matched, searched, changed, erased."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from starlette.responses import Response, StreamingResponse

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
from bellhop.engine import export as guest_export
from bellhop.engine import guests

EXPORT = {
    "format": "bellhop.guest/1",
    "guest_id": "gst_01kaj3p6zve5jvqzkqdk1w4yb2",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "profile": [{"id": "gst_01kaj3p6zve5jvqzkqdk1w4yb2", "first_name": "Jordan", "email": "jordan@example.com"}],
    "messages": [{"id": "omsg_01kaj3q2cde5jvqzkqdk1w4yb2", "channel": "sms", "content": "Your suite is ready."}],
}
"""Some of it."""

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
    what the body leaves out stays as it is. So is a provisional guest (`is_provisional`) whose alone the e-mail address
    or phone number is: somebody who wrote before the property knew them."""
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


@router.get(
    "/{guest_id}/export",
    operation_id="exportGuest",
    summary="Everything kept about a guest",
    response_class=Response,
    responses={
        200: {
            "description": "One JSON document, a list for each section: `profile`, `addresses`, `consents`, `devices`, "
            "`stays`, `conversations`, `messages`, `timeline` and others. It is written as it is read, however long "
            "it is; one that does not end as JSON does was cut off, or its guest was erased meanwhile.",
            "content": {"application/json": {"schema": {"type": "object"}, "example": EXPORT}},
        },
        **errors(404),
    },
)
@require_scope("guests:read")
async def export(engine: CurrentEngine, scope: CurrentScope, guest_id: str) -> Response:
    """For a guest who asks what is known of them, or takes it elsewhere (GDPR, articles 15 and 20). Messages are the
    guest's own, and those to or from an address that no other guest of the property has; secrets of devices and
    sessions are not in it."""
    key = key_of(Prefix.GUEST, guest_id)
    headers = {"Content-Disposition": f'attachment; filename="{guest_id}.json"', "Cache-Control": "no-store"}
    pieces = await guest_export.document(engine, scope, key)
    return StreamingResponse(pieces, media_type="application/json", headers=headers)


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
