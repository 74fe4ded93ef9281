"""Providers' callbacks, as HTTP brings them; the engine verifies, stores and applies them."""

from __future__ import annotations

import math

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.buckets import source
from api.dependencies import CurrentServices
from api.problems import RateLimited
from api.route_paths import raw_path_of
from bellhop.domain.delivery_ports import CallbackRequest
from bellhop.engine import receipts
from bellhop.engine.errors import NotFound, UnverifiedWhileAway, WrongSignature

ALWAYS_CHECKED = 64 * 1024
"""Bytes whose signature is looked at however many forged ones an address has sent: behind a proxy that does not name
its callers a provider has the same address as everybody."""

router = APIRouter(prefix="/v1/receipts", include_in_schema=False)


@router.post("/{provider}/{identity}/{path}")
async def receive(request: Request, services: CurrentServices, provider: str, identity: str, path: str) -> Response:
    """Take a callback. Answered 503 only where the database is away and the disk cannot keep it either: the provider
    may repeat it then."""
    base = services.settings.callback_base(provider, path)
    callback = _callback(request, base, path, await request.body())
    address = source(request)
    forged = services.forged_callbacks
    tries = (provider, identity, address)
    if len(callback.body) > ALWAYS_CHECKED and forged.wait(tries) > 0:
        raise _refused(forged.wait(tries))
    await request.scope["bellhop.slot"].take()
    try:
        status, media_type, body = await receipts.receive(services.engine, provider, identity, callback)
    except (WrongSignature, UnverifiedWhileAway, NotFound) as error:
        if isinstance(error, NotFound):
            tries = ("", "", address)  # they may name as many as they like
        wait = forged.wait(tries)
        forged.take(tries)
        if wait > 0:
            raise _refused(wait) from None
        raise
    return Response(body, status, media_type=media_type)


def _refused(wait: float) -> RateLimited:
    return RateLimited(
        "From this address came too many callbacks that the account did not sign. Try again later.",
        headers={"Retry-After": str(max(1, math.ceil(wait)))},
    )


def _callback(request: Request, base: str, path: str, body: bytes) -> CallbackRequest:
    # The address the provider was given, whatever name or scheme a proxy called us by: that is what it signed.
    called = raw_path_of(request.scope)
    query = request.scope["query_string"].decode("latin-1")
    return CallbackRequest(
        url=base + called + (f"?{query}" if query else ""),
        path=path,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
