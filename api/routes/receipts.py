"""Providers' callbacks, as HTTP brings them; the engine verifies, stores and applies them."""

from __future__ import annotations

import math

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.buckets import source
from api.dependencies import CurrentServices, Services
from api.large_callbacks import CALLBACK_PATHS
from api.problems import Problem, RateLimited, TooLarge, problem_of
from api.route_paths import raw_path_of
from bellhop.domain.delivery_ports import CallbackRequest
from bellhop.engine import receipts
from bellhop.engine.errors import EngineError, NotFound, UnverifiedWhileAway, WrongSignature

ALWAYS_CHECKED = 64 * 1024
"""Bytes whose signature is looked at however many forged ones an address has sent: behind a proxy that does not name
its callers a provider has the same address as everybody."""

router = APIRouter(prefix="/v1/receipts", include_in_schema=False)


@router.post("/{provider}/{identity}/{path}")
async def receive(request: Request, services: CurrentServices, provider: str, identity: str, path: str) -> Response:
    """Take a callback. Answered 503 only where the database is away and the disk cannot keep it either: the provider
    may repeat it then. A provider that repeats after nothing else gets no 4xx: a change of keys is to cost no mail."""
    called = CALLBACK_PATHS.get((provider, path))
    try:
        if called is None or not called.on_disk:
            return await _take(request, services, provider, identity, path, await request.body())
        _not_forging(request, services, provider, identity)
        async with services.large_callbacks.body_of(request) as body:
            return await _take(request, services, provider, identity, path, body)
    except (Problem, EngineError) as error:
        problem = error if isinstance(error, Problem) else problem_of(error, "body")
        if called is None or not called.only_5xx or problem.status_code >= 500 or isinstance(problem, TooLarge):
            raise
        raise Problem(problem.detail, headers=problem.headers, status_code=503, code=problem.code) from None


def _not_forging(request: Request, services: Services, provider: str, identity: str) -> None:
    """Raises RateLimited before anything is read of whoever has forged many."""
    for tries in ((provider, identity, source(request)), ("", "", source(request))):
        wait = services.forged_callbacks.wait(tries)
        if wait > 0:
            raise _refused(wait)


async def _take(request: Request, services: Services, provider: str, identity: str, path: str, body: bytes) -> Response:
    base = services.settings.callback_base(provider, path)
    callback = _callback(request, base, path, body)
    address = source(request)
    forged = services.forged_callbacks
    tries = (provider, identity, address)
    if len(callback.body) > ALWAYS_CHECKED and forged.wait(tries) > 0:
        raise _refused(forged.wait(tries))
    await request.scope["bellhop.slot"].take()
    try:
        status, media_type, answer = await receipts.receive(services.callbacks, provider, identity, callback)
    except (WrongSignature, UnverifiedWhileAway, NotFound) as error:
        if isinstance(error, NotFound):
            tries = ("", "", address)  # they may name as many as they like
        wait = forged.wait(tries)
        forged.take(tries)
        if wait > 0:
            raise _refused(wait) from None
        raise
    return Response(answer, status, media_type=media_type)


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
