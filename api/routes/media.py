"""Files of messages, for the providers that are told their addresses. Nobody shows a key; the address is the secret."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.dependencies import CurrentServices
from api.middleware import HEAD
from bellhop.domain.media_addresses import PATH
from bellhop.engine import files
from bellhop.engine.assets import library_of

SHOWN = ("image/", "audio/", "video/")

router = APIRouter(prefix=PATH.rstrip("/"), include_in_schema=False)


@router.get("/{token}/{name}")
async def file(request: Request, services: CurrentServices, token: str, name: str) -> Response:
    """A file, to GET and HEAD alike: providers ask both and compare."""
    await request.scope["bellhop.slot"].take()
    row, opened = await files.served(services.engine, token, name)
    how = "inline" if row.content_type.startswith(SHOWN) else "attachment"
    headers = {
        "content-length": str(row.size),
        "content-type": row.content_type,
        "content-disposition": f'{how}; filename="{row.filename}"',
        "etag": f'"{row.sha256.hex()}"',
        "cache-control": "private, max-age=3600",
        "x-robots-tag": "noindex",
        # Shown where the guest is, whatever page that is.
        "cross-origin-resource-policy": "cross-origin",
    }
    if request.scope.get(HEAD):
        opened.close()
        return Response(headers=headers)
    return StreamingResponse(library_of(services.engine).chunks(opened), headers=headers)
