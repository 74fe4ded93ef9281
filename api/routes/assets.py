"""Files that messages can carry: uploaded, looked at, deleted."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import (
    AuthenticatedRoute,
    CurrentEngine,
    CurrentScope,
    CurrentUpload,
    key_of,
    reply,
    require_scope,
    takes_file,
)
from api.schemas.assets import UPLOAD, Asset
from api.schemas.errors import errors
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix, parse
from bellhop.engine import assets
from bellhop.engine.assets import UploadAsset
from bellhop.engine.errors import UnknownGuest

router = APIRouter(prefix="/v1/assets", tags=["Assets"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="uploadAsset",
    summary="Upload a file",
    status_code=201,
    response_model=Asset,
    responses=errors(400, 409, 413),
    openapi_extra=UPLOAD,
)
@takes_file
@require_scope("messaging:write")
async def upload(engine: CurrentEngine, scope: CurrentScope, file: CurrentUpload) -> Response:
    """Keep a file, for messages to carry. Photos lose what their camera wrote into them, the place above all.

    409 `asset_quota`: the property keeps as much as it may.
    """
    named = file.fields.get("guest_id")
    guest_id = parse(Prefix.GUEST, named) if named else None
    if named and guest_id is None:
        raise UnknownGuest("guest_id")
    command = UploadAsset(file.file, file.filename, file.content_type, guest_id)
    return reply(serializers.asset(await assets.upload(engine, scope, command)), 201)


@router.get(
    "/{asset_id}",
    operation_id="getAsset",
    summary="Get a file's data",
    response_model=Asset,
    responses=errors(404),
)
@require_scope("messaging:read")
async def one(engine: CurrentEngine, scope: CurrentScope, asset_id: str) -> Response:
    """What a file is. Its bytes are handed to providers only."""
    return reply(serializers.asset(await assets.get(engine, scope, key_of(Prefix.ASSET, asset_id))))


@router.delete(
    "/{asset_id}",
    operation_id="deleteAsset",
    summary="Delete a file",
    status_code=204,
    responses=errors(404),
)
@require_scope("messaging:write")
async def delete(engine: CurrentEngine, scope: CurrentScope, asset_id: str) -> Response:
    """Delete it now. A message that waits and carries it fails with `media_unavailable`."""
    await assets.delete(engine, scope, key_of(Prefix.ASSET, asset_id))
    return Response(status_code=204)
