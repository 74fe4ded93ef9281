"""API keys: minted by those that may do everything, listed without secrets, revoked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.dependencies import AuthenticatedRoute, CurrentScope, CurrentServices, key_of, page, reply, require_scope
from api.problems import Forbidden, NotFound
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.keys import Key, MintedKey, MintKey
from bellhop.domain.ids import Prefix, render
from bellhop.domain.keys import EVERYTHING
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.store.access import keys

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
async def mint(services: CurrentServices, scope: CurrentScope, body: MintKey) -> Response:
    """Mint a key for this property and environment. The key itself is in this answer and nowhere else."""
    if body.environment not in (None, scope.environment):
        raise Forbidden(f"A {scope.environment} key mints {scope.environment} keys only.")
    rights = list(dict.fromkeys(body.scopes))
    row, raw = await services.engine.database.write(lambda tx: keys.create(tx, scope, body.name, rights))
    return reply({**_shown(row), "key": raw}, 201, {"Cache-Control": "no-store"})


@router.get("", operation_id="listApiKeys", summary="List API keys", response_model=Page[Key], responses=errors())
@require_scope(EVERYTHING)
async def listing(services: CurrentServices, scope: CurrentScope, which: Annotated[Paging, FromQuery()]) -> Response:
    """Keys of this property and environment, revoked ones too, newest first."""
    rows, total = await services.engine.database.read(
        lambda tx: keys.listing(tx, scope, limit=which.limit, offset=which.offset)
    )
    return page([_shown(row) for row in rows], total, which.limit, which.offset)


@router.delete(
    "/{key_id}", operation_id="revokeApiKey", summary="Revoke an API key", status_code=204, responses=errors(404)
)
@require_scope(EVERYTHING)
async def revoke(services: CurrentServices, scope: CurrentScope, key_id: str) -> Response:
    """Close a key for good; every process has noticed after two seconds."""
    key = key_of(Prefix.KEY, key_id)
    gone = await services.engine.database.write(lambda tx: keys.revoke(tx, scope, key))
    if gone is None:
        raise NotFound
    services.authenticator.forget(gone)
    return Response(status_code=204)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    scope: Scope = row["scope"]
    return {
        "id": render(Prefix.KEY, row["id"]),
        "property_id": render(Prefix.PROPERTY, scope.property_id),
        "name": row["name"],
        "environment": scope.environment,
        "scopes": row["rights"],
        "last4": row["last4"],
        "rate_limit": row["rate_limit"],
        **{name: timestamp(row[name]) for name in ("created_at", "last_used_at", "expires_at", "revoked_at")},
    }
