"""The link of a marketing mail (RFC 8058). Nobody shows a key: the address is the secret."""

from __future__ import annotations

import math

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api import unsubscribe_page
from api.buckets import source
from api.dependencies import CurrentServices, Services
from api.problems import RateLimited
from bellhop.domain.unsubscribe import PATH
from bellhop.engine import unsubscribe
from bellhop.engine.errors import NotFound, WrongSignature

router = APIRouter(prefix=PATH.rstrip("/"), include_in_schema=False)


@router.get("/{token}")
async def ask(request: Request, services: CurrentServices, token: str) -> Response:
    """A page with a button. It changes nothing, whoever looks at it."""
    _not_guessing(request, services)
    await request.scope["bellhop.slot"].take()
    try:
        offered = await unsubscribe.look(services.engine, token)
    except (WrongSignature, NotFound) as error:
        return _none(request, services, error)
    return unsubscribe_page.ask(offered.property_name, *offered.languages)


@router.post("/{token}")
async def take(request: Request, services: CurrentServices, token: str) -> Response:
    """Done at once, whatever the body says: 200, also for what was done before. No redirect, no further question."""
    _not_guessing(request, services)
    await request.scope["bellhop.slot"].take()
    try:
        offered = await unsubscribe.take(services.engine, token)
    except (WrongSignature, NotFound) as error:
        return _none(request, services, error)
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("unsubscribed\n", headers={"cache-control": "no-store"})
    return unsubscribe_page.done(offered.property_name, *offered.languages)


def _not_guessing(request: Request, services: Services) -> None:
    # Counted with forged callbacks: an address that guesses is kept off before anything is looked up.
    wait = services.forged_callbacks.wait(("unsubscribe", "", source(request)))
    if wait > 0:
        raise RateLimited(
            "From this address came too many links that are none. Try again later.",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )


def _none(request: Request, services: Services, error: Exception) -> Response:
    if isinstance(error, WrongSignature):
        services.forged_callbacks.take(("unsubscribe", "", source(request)))
    wanted = request.headers.get("accept-language", "")[:100].split(",")
    return unsubscribe_page.none(404, *(one.partition(";")[0].strip() for one in wanted[:5]))
