"""API keys: minted by those that may do everything, listed without secrets, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentCaller,
    CurrentScope,
    CurrentServices,
    key_of,
    page,
    reply,
    require_scope,
)
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.keys import Key, MintedKey, MintKey
from bellhop.domain import serializers
from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix
from bellhop.domain.keys import EVERYTHING
from bellhop.engine import keys

router = APIRouter(prefix="/v1/auth/keys", tags=["API keys"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="createApiKey",
    summary="Mint an API key",
    status_code=201,
    response_model=MintedKey,
    responses=errors(400, 413),
)
@require_scope(EVERYTHING)
async def mint(services: CurrentServices, caller: CurrentCaller, scope: CurrentScope, body: MintKey) -> Response:
    """Mint a key for this property and environment. The key itself is in this answer and nowhere else."""
    row, raw = await keys.mint(
        services.engine,
        scope,
        body.name,
        body.scopes,
        body.environment,
        expires_at=body.expires_at,
        latest=caller.expires_at,
        side=Side(body.side),
    )
    return reply(serializers.minted_key(row, raw), 201, {"Cache-Control": "no-store"})


@router.get("", operation_id="listApiKeys", summary="List API keys", response_model=Page[Key], responses=errors())
@require_scope(EVERYTHING)
async def listing(services: CurrentServices, scope: CurrentScope, which: Annotated[Paging, FromQuery()]) -> Response:
    """Keys of this property and environment, revoked ones too, newest first."""
    asked = page_request(which, Prefix.KEY)
    listed = await keys.listing(services.engine, scope, asked)
    return page([serializers.api_key(row) for row in listed.rows], listed, asked, Prefix.KEY)


@router.delete(
    "/{key_id}", operation_id="revokeApiKey", summary="Revoke an API key", status_code=204, responses=errors(404)
)
@require_scope(EVERYTHING)
async def revoke(services: CurrentServices, scope: CurrentScope, key_id: str) -> Response:
    """Close a key for good; every process has noticed after two seconds."""
    secret_hash = await keys.revoke(services.engine, scope, key_of(Prefix.KEY, key_id))
    services.authenticator.forget(secret_hash)
    return Response(status_code=204)
