"""Sessions of guests' apps, minted by the property's back end."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import (
    AuthenticatedRoute,
    CurrentEngine,
    CurrentScope,
    CurrentServices,
    key_of,
    reply,
    require_scope,
)
from api.schemas.errors import errors
from api.schemas.inbox import GuestSession, Lasts, MintedSession
from bellhop.domain.ids import Prefix
from bellhop.domain.inbox import session
from bellhop.engine import inbox

router = APIRouter(prefix="/v1/guests/{guest_id}/sessions", tags=["Inbox"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="createGuestSession",
    summary="Open a session for a guest's app",
    status_code=201,
    response_model=MintedSession,
    responses=errors(400, 404, 409, 413),
)
@require_scope("guests:write")
async def create(engine: CurrentEngine, scope: CurrentScope, guest_id: str, body: Lasts) -> Response:
    """A token that opens this guest's inbox, for an hour at most. Mint it when your app asks for it, and hand it to the
    app; it is shown this once. The erasure of the guest ends it, and so does revoking it."""
    row, token = await inbox.mint_session(engine, scope, key_of(Prefix.GUEST, guest_id), body.expires_in)
    return reply(session(row, token), 201)


@router.post(
    "/{session_id}/renew",
    operation_id="renewGuestSession",
    summary="Let a guest's session last longer",
    response_model=GuestSession,
    responses=errors(400, 404, 413),
)
@require_scope("guests:write")
async def renew(engine: CurrentEngine, scope: CurrentScope, guest_id: str, session_id: str, body: Lasts) -> Response:
    """The same token is good for so long from now. 404: there is no such session, or it is over."""
    keys = key_of(Prefix.GUEST, guest_id), key_of(Prefix.SESSION, session_id)
    return reply(session(await inbox.renew_session(engine, scope, *keys, body.expires_in)))


@router.delete(
    "/{session_id}",
    operation_id="revokeGuestSession",
    summary="Revoke a guest's session",
    status_code=204,
    responses=errors(404),
)
@require_scope("guests:write")
async def revoke(services: CurrentServices, scope: CurrentScope, guest_id: str, session_id: str) -> Response:
    """Its streams end at once, its token opens nothing within two seconds."""
    keys = key_of(Prefix.GUEST, guest_id), key_of(Prefix.SESSION, session_id)
    services.guests.forget(await inbox.revoke_session(services.engine, scope, *keys))
    return Response(status_code=204)


@router.delete(
    "",
    operation_id="revokeGuestSessions",
    summary="Revoke all sessions of a guest",
    status_code=204,
    responses=errors(404),
)
@require_scope("guests:write")
async def revoke_all(services: CurrentServices, scope: CurrentScope, guest_id: str) -> Response:
    """The guest is signed out on every device."""
    services.guests.forget(await inbox.revoke_sessions(services.engine, scope, key_of(Prefix.GUEST, guest_id)))
    return Response(status_code=204)
