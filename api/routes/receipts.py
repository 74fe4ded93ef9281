"""Providers' callbacks, as HTTP brings them; the engine verifies, stores and applies them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import CurrentServices
from bellhop.domain.delivery_ports import CallbackRequest
from bellhop.engine import receipts

router = APIRouter(prefix="/v1/receipts", include_in_schema=False)


@router.post("/{provider}/{identity}/{path}")
async def receive(request: Request, services: CurrentServices, provider: str, identity: str, path: str) -> Response:
    """Take a callback. A database that is away answers 503, and the provider repeats it."""
    callback = _callback(request, services.settings.bellhop.public_url, path, await request.body())
    status, media_type, body = await receipts.receive(services.engine, provider, identity, callback)
    return Response(body, status, media_type=media_type)


def _callback(request: Request, public_url: str, path: str, body: bytes) -> CallbackRequest:
    # The address the provider was given, whatever name or scheme a proxy called us by: that is what it signed.
    called = (request.scope.get("raw_path") or request.scope["path"].encode()).decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return CallbackRequest(
        url=public_url + called + (f"?{query}" if query else ""),
        path=path,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
